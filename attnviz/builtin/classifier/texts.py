"""Stories that say what they are about: a word of theirs belongs to their topic alone, and none to another.

Without that a story of one sentence ("Lucas enjoys himself.") could be about anything.
"""

from functools import cache
from itertools import islice

from attnviz.builtin.language import LEXICON, Story, stories
from attnviz.builtin.language.frames import Split

SENTENCES = 3
"""At most."""


@cache
def telling_stories(seed: int, split: Split, count: int) -> tuple[Story, ...]:
    """So many such stories, the same ones for the same seed."""
    told = (story for story in stories(seed, split=split) if len(story.frames) <= SENTENCES)
    return tuple(islice((story for story in told if _told(story) == {story.topic}), count))


def _told(story: Story) -> set[str]:
    """The topics that words of a story belong to alone."""
    own = _own_topics()
    return {own[word.pos, word.lemma] for word in story.words if (word.pos, word.lemma) in own}


@cache
def _own_topics() -> dict[tuple[str, str], str]:
    """The topic of each word that belongs to one."""
    return {(entry.pos, entry.lemma): entry.topics[0] for entry in LEXICON if len(entry.topics) == 1}

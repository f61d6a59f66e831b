"""Sentences in both languages without end."""

from collections.abc import Iterator
from random import Random

from attnviz.builtin.language.draft import Story
from attnviz.builtin.language.fits import Dice, Options
from attnviz.builtin.language.frames import Split
from attnviz.builtin.language.french.shown import shows_gender, undecided
from attnviz.builtin.language.french.strange import invented_name, regendered, renamed
from attnviz.builtin.language.french.translate import Bitext, translate_story
from attnviz.builtin.language.stories import write_story

_LENGTHS = Options([(1, 0.85), (2, 0.15)])


def bitexts(seed: int, *, split: Split, strange: float = 0.0) -> Iterator[Bitext]:
    """Pairs of sentences without end, the same ones for the same seed; one pair in seven is of two sentences.

    split:   held-out frames and pairs of subject and verb, as in ``stories``
    strange: share of pairs with an invented name, the same on both sides; the splits share no such name
    The French is what the English shows and nothing else: sentences that leave it open are passed over.
    """
    random = Random(seed)
    dice = Dice(random)
    while True:
        invented = invented_name(random, split) if random.random() < strange else None
        while True:
            story = write_story(dice, split, dice.pick(_LENGTHS))
            if undecided(story):
                continue
            if invented is None:
                yield translate_story(story)
                break
            named = _named(story, invented)
            if named:
                yield named
                break


def _named(story: Story, name: str) -> Bitext | None:
    """The story with this name for its first one; None if it has none, or only that one tells the gender."""
    known = next((word.lemma for word in story.words if word.pos == "name"), None)
    if known is None:
        return None
    bitext = translate_story(renamed(story, known, name))
    if shows_gender(story, known):
        return bitext
    other = translate_story(regendered(bitext.source, name))
    return bitext if bitext.text == other.text else None

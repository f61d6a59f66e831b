"""Stories: sentences about one topic in which names and nouns come back."""

from collections.abc import Iterator
from functools import cache
from random import Random

from attnviz.builtin.language.draft import Story
from attnviz.builtin.language.fits import Dice, Options
from attnviz.builtin.language.frames import FRAMES, Frame, Split, held_out_frame
from attnviz.builtin.language.lexicon import TOPICS
from attnviz.builtin.language.phrases import Mention, StuckError, Teller
from attnviz.builtin.language.sentences import write_sentence

_LENGTHS = Options([(1, 60.0), (2, 26.0), (3, 9.0), (4, 3.0), (5, 2.0)])
_TOPICS = Options((topic, 1.0) for topic in TOPICS)
_TENSES = Options([("present", 3.0), ("past", 2.0)])
_ATTEMPTS = 40


def stories(seed: int, *, split: Split, sentences: int | None = None) -> Iterator[Story]:
    """Stories without end, the same ones for the same seed.

    split:     "train" uses no held-out frame and no held-out pair of subject and verb, "test" nothing else
    sentences: how many a story has; None for 1 to 5, mostly 1 or 2
    """
    dice = Dice(Random(seed))
    while True:
        yield write_story(dice, split, sentences or dice.pick(_LENGTHS))


def write_story(dice: Dice, split: Split, sentences: int, *, begins: Options[Frame] | None = None) -> Story:
    """One story of this many sentences. begins: the frames for the first, if not any will do."""
    while True:
        teller = Teller(dice, dice.pick(_TOPICS), split, dice.pick(_TENSES))
        about: Mention | None = None
        try:
            for _ in range(sentences):
                about = _next_sentence(teller, about, begins)
        except StuckError:
            continue
        alone = sentences == 1
        return teller.draft.finish(
            teller.topic,
            capitals=not dice.chance(0.05),
            last_mark=not (alone and dice.chance(0.15)),
        )


def _next_sentence(teller: Teller, about: Mention | None, begins: Options[Frame] | None) -> Mention:
    """Write one more sentence; returns what it is about. Begins again while it gets stuck."""
    mark, known, guarded = teller.draft.mark(), len(teller.mentions), list(teller.guarded)
    word = about.word if about else -1
    for _ in range(_ATTEMPTS):
        manner = teller.dice.pick(_MANNERS) if about else "new"
        fitting = _frames(manner, teller.split, bool(about and about.noun.pos == "name"))
        frame = teller.dice.pick(fitting if about else begins or fitting)
        try:
            return write_sentence(teller, frame, about, again=manner == "again")
        except StuckError:
            teller.draft.rewind(mark)
            del teller.mentions[known:]
            teller.guarded[:] = guarded
            if about:
                about.word = word
    raise StuckError


_MANNERS = Options([("pronoun", 5.0), ("again", 2.0), ("other", 1.0), ("new", 2.0)])


@cache
def _frames(manner: str, split: Split, named: bool) -> Options[Frame]:
    """The frames for a sentence that begins a story or goes on with it.

    manner: "pronoun" is about the same as the sentence before, "again" names it again, "other" is about
            something new and has an object pronoun for it, "new" is about something new altogether
    named:  what the sentence before was about has a name
    Sentences of one clause are as frequent as those of two; among them, some frames come up more than others.
    """
    fitting = [
        frame
        for frame in FRAMES
        if held_out_frame(frame.text) == (split == "test") and _begins(frame, manner, named)
    ]
    share = {count: sum(frame.weight for frame in fitting if len(frame.clauses) == count) for count in (1, 2)}
    return Options((frame, frame.weight / share[len(frame.clauses)]) for frame in fitting)


def _begins(frame: Frame, manner: str, named: bool) -> bool:
    subject = frame.clauses[0].subject
    target = frame.clauses[0].predicate.object
    answers = bool(target and target.kind == "pron")
    if manner == "pronoun":
        return subject.kind == "pron"
    if manner == "again":
        return subject.kind == ("name" if named else "np") and not answers
    return subject.kind in ("np", "name") and answers == (manner == "other")

"""Sentences in which a noun of the other number stands between a verb and its subject."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from attnviz.builtin.language.draft import Story, Word
from attnviz.builtin.language.fits import Dice, Options
from attnviz.builtin.language.frames import FRAMES, Frame, held_out_frame
from attnviz.builtin.language.lexicon import NOUNS, VERBS
from attnviz.builtin.language.stories import write_story
from attnviz.inputs import Span

_SILENT = ("the", "my", "your", "our")  # determiners that fit both numbers
_FORMS = {verb.lemma: verb.forms for verb in VERBS}
_ALIKE = {noun.lemma for noun in NOUNS if noun.forms[0] == noun.forms[1]}
_BE = {"is": "are", "are": "is", "was": "were", "were": "was"}


@dataclass(frozen=True)
class Agreement:
    """A sentence whose verb only its subject decides: "The dogs near the house bark."

    right, wrong: the verb in the number of its subject, and in the other
    attractor:    the noun of the other number between them, the last of them if there are several
    """

    text: str
    verb: Span
    right: str
    wrong: str
    attractor: Span


def agreement_items(seed: int) -> Iterator[Agreement]:
    """Items without end, of held-out frames and pairs only, the same ones for the same seed.

    The verb is in the present, or is "was" or "were", and no other word shows the number of its subject.
    """
    dice = Dice(Random(seed))
    while True:
        item = _item(write_story(dice, "test", 1, begins=_separating()))
        if item:
            yield item


@cache
def _separating() -> Options[Frame]:
    """Held-out frames with a noun between subject and verb, and no other verb or pronoun of that subject."""
    return Options(
        (frame, 1.0)
        for frame in FRAMES
        if held_out_frame(frame.text)
        and frame.clauses[0].subject.after in ("pp", "orel")
        and not frame.refers
        and not any(clause.shared for clause in frame.clauses)
    )


def _item(story: Story) -> Agreement | None:
    """The story as an item, if the number of its first subject shows in its verb and nowhere else."""
    at = {word.span: word for word in story.words}
    subject = next(word for word in story.words if word.pos == "noun")
    verb = next(at[link.source] for link in story.relations if _is_said_of(link.name, link.target, subject))
    between = [word for word in story.words if subject.span < word.span < verb.span and word.pos == "noun"]
    attractors = [word for word in between if word.number != subject.number and word.lemma not in _ALIKE]
    determiner = story.words[0].text.lower()
    wrong = _wrong(verb)
    if not attractors or not wrong or determiner not in _SILENT or subject.lemma in _ALIKE:
        return None
    return Agreement(story.text, verb.span, verb.text, wrong, attractors[-1].span)


def _is_said_of(relation: str, target: Span, subject: Word) -> bool:
    return relation == "verb-subject" and target == subject.span


def _wrong(verb: Word) -> str:
    """The verb in the other number; "" if the past hides the number."""
    if verb.lemma == "be":
        return _BE[verb.text]
    if verb.tense == "past":
        return ""
    base, third, *_ = _FORMS[verb.lemma]
    return third if verb.number == "plural" else base

"""Sentences in which a noun of the other number stands between a verb and its subject."""

from collections.abc import Iterator
from dataclasses import dataclass

from attnviz.builtin.language.draft import Story, Word
from attnviz.builtin.language.lexicon import NOUNS, VERBS
from attnviz.builtin.language.stories import stories
from attnviz.inputs import Span

_SILENT = ("the", "my", "your", "our")
_FORMS = {verb.lemma: verb.forms for verb in VERBS}
_ALIKE = {noun.lemma for noun in NOUNS if noun.forms[0] == noun.forms[-1]}
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
    """Items without end, of held-out frames and pairs only; no other word in them tells the subject's number."""
    for story in stories(seed, split="test", sentences=1):
        if item := _item(story):
            yield item


def _item(story: Story) -> Agreement | None:
    place = {word.span: number for number, word in enumerate(story.words)}
    said = [
        (place[link.source], place[link.target]) for link in story.relations if link.name == "verb-subject"
    ]
    for verb, subject in said:
        word, noun = story.words[verb], story.words[subject]
        between = [
            other for other in story.words[subject + 1 : verb] if other.pos == "noun" and _other(other, noun)
        ]
        if (
            between
            and noun.pos == "noun"
            and _untold(story, noun, [verb for verb, by in said if by == subject])
        ):
            wrong = _wrong(word)
            if wrong:
                return Agreement(story.text, word.span, word.text, wrong, between[-1].span)
    return None


def _other(word: Word, noun: Word) -> bool:
    return word.number != noun.number and word.lemma not in _ALIKE


def _untold(story: Story, noun: Word, verbs: list[int]) -> bool:
    """Whether nothing but the noun itself and one verb shows its number."""
    telling = [
        link
        for link in story.relations
        if link.target == noun.span and link.name in ("determiner-noun", "pronoun-antecedent")
    ]
    texts = {story.text[slice(*link.source[1:])].lower() for link in telling}
    return len(verbs) == 1 and texts <= set(_SILENT) and noun.lemma not in _ALIKE


def _wrong(verb: Word) -> str:
    """The verb in the other number; "" if the past hides the number."""
    if verb.lemma == "be":
        return _BE[verb.text]
    if verb.tense == "past":
        return ""
    base, third, *_ = _FORMS[verb.lemma]
    return third if verb.number == "plural" else base

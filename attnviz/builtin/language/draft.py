"""A story as it is written: words one after the other, then their text, spans and relations."""

from collections.abc import Sequence
from dataclasses import dataclass

from attnviz.analysis.relations import Relation
from attnviz.inputs import Span

RELATIONS = (
    "determiner-noun",
    "adjective-noun",
    "verb-subject",
    "verb-object",
    "preposition-object",
    "pronoun-antecedent",
)
"""The relations of this language, the looking word first."""


@dataclass(frozen=True)
class Word:
    """One word of a story (punctuation is none).

    pos:    "noun", "name", "verb", "pronoun", "possessive" (his), "reflexive", "determiner",
            "adjective", "preposition", "conjunction" or "relative" (that, who)
    number: "singular" or "plural": a verb has that of its subject, a pronoun that of its
            antecedent; "" where there is none, and for determiners that fit both
    gender: "m", "f", "n", or "c" for persons of either; "" where there is none
    tense:  "present" or "past", of verbs
    """

    text: str
    lemma: str
    pos: str
    number: str
    gender: str
    span: Span
    tense: str


@dataclass(frozen=True)
class Story:
    """Sentences about one topic, and what is known of them.

    relations: the gold links, in the order of the words that look
    frames:    the structure of each sentence (``frames.py``)
    pairs:     (subject, verb) of each clause, as lemmas; a pronoun counts as what it stands for
    """

    text: str
    words: tuple[Word, ...]
    relations: tuple[Relation, ...]
    frames: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    topic: str


@dataclass(eq=False, slots=True)
class DraftWord:
    """A word whose place in the text is not known yet. after: the punctuation that follows it."""

    text: str
    lemma: str
    pos: str
    number: str
    gender: str
    tense: str
    after: str = ""


class Draft:
    """The words so far, their links, and what the sentences are made of."""

    def __init__(self) -> None:
        self.words: list[DraftWord] = []
        self.links: list[tuple[str, int, int]] = []
        self.frames: list[str] = []
        self.pairs: list[tuple[str, str]] = []

    def add(
        self, text: str, lemma: str, pos: str, *, number: str = "", gender: str = "", tense: str = ""
    ) -> int:
        """Write one word; returns its number."""
        self.words.append(DraftWord(text, lemma, pos, number, gender, tense))
        return len(self.words) - 1

    def link(self, relation: str, source: int, target: int) -> None:
        """Say that a word (source) should look at another. Raises ValueError for none of RELATIONS."""
        if relation not in RELATIONS:
            raise ValueError(f"no relation is called {relation!r}: there are {', '.join(RELATIONS)}")
        self.links.append((relation, source, target))

    def punctuate(self, mark: str) -> None:
        """Put a mark after the last word."""
        self.words[-1].after = mark

    def mark(self) -> tuple[int, int, int, int]:
        """A point to come back to, for ``rewind``."""
        return len(self.words), len(self.links), len(self.frames), len(self.pairs)

    def rewind(self, mark: tuple[int, int, int, int]) -> None:
        """Forget all that was written since."""
        for written, length in zip((self.words, self.links, self.frames, self.pairs), mark, strict=True):
            del written[length:]  # type: ignore[attr-defined]  # a tuple of lists of four types

    def finish(self, topic: str, *, capitals: bool = True, last_mark: bool = True) -> Story:
        """The story in ordinary spelling: "a" or "an", capitals, marks and blanks.

        capitals:  False for lower case throughout, names too
        last_mark: False to end without the final full stop
        """
        pieces: list[str] = []
        words: list[Word] = []
        begins = True
        position = 0
        final = len(self.words) - 1
        for number, word in enumerate(self.words):
            text = word.text
            if text == "a" and takes_an(self.words[number + 1].text):
                text = "an"
            if not capitals:
                text = text.lower()
            elif begins:
                text = text[0].upper() + text[1:]
            after = "" if number == final and not last_mark else word.after
            span = Span(0, position, position + len(text))
            words.append(Word(text, word.lemma, word.pos, word.number, word.gender, span, word.tense))
            blank = "" if number == final else " "
            pieces += (text, after, blank)
            position += len(text) + len(after) + len(blank)
            begins = word.after == "."
        return Story(
            text="".join(pieces),
            words=tuple(words),
            relations=_relations(self.links, words),
            frames=tuple(self.frames),
            pairs=tuple(self.pairs),
            topic=topic,
        )


def _relations(links: Sequence[tuple[str, int, int]], words: Sequence[Word]) -> tuple[Relation, ...]:
    ordered = sorted(links, key=lambda link: link[1])
    return tuple(Relation(name, words[source].span, words[target].span) for name, source, target in ordered)


_VOWELS = tuple("aeiouAEIOU")
_LIKE_CONSONANTS = ("uni", "use", "usu", "euro", "one", "ukul")
_LIKE_VOWELS = ("hour", "honest", "heir", "honour")


def takes_an(word: str) -> bool:
    """Whether the word begins with a vowel as it is spoken: "an hour", "a uniform"."""
    if word.startswith(_LIKE_VOWELS):
        return True
    return word.startswith(_VOWELS) and not (word.startswith(_LIKE_CONSONANTS) and word[:4] != "unin")

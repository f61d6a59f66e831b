"""The French words, read from the TSV files of this package: one for each English lemma and sense.

Where an English word has several senses, the class of a noun beside it decides: the noun that an adjective is
said of, the object of a verb (its subject, if it has none), the place after a preposition. Rows go from the
general to the particular: the last that fits counts.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from attnviz.builtin.language.french import forms
from attnviz.builtin.language.lexicon import NAMES, LexiconError, closest

NAMED = NAMES[0].lemma
"""Stands for every name, known or invented, where the class of a noun decides."""


@dataclass(frozen=True, kw_only=True)
class FrenchNoun:
    """A noun. gender: "m" or "f"; number: "singular" or "plural" where it has only that one."""

    singular: str
    plural: str
    gender: str
    number: str
    aspirated: bool


@dataclass(frozen=True, kw_only=True)
class FrenchAdjective:
    """An adjective. forms: by (gender, several); before_vowel: "bel"; place: "before", "after" or "fixed"
    (after the noun, never changing)."""

    lemma: str
    forms: dict[tuple[str, bool], str]
    before_vowel: str
    place: str
    aspirated: bool


@dataclass(frozen=True, kw_only=True)
class FrenchVerb:
    """A verb in one of its senses.

    present, imperfect: third person singular and plural
    tail:       words that follow it always ("visite" of "rendre visite"); "" if none
    pronominal: whether it always has its "se"
    object:     the preposition before what it is done to, "" if none
    to:         its preposition for "to"
    past:       "imperfect" of states, "perfect" of all else
    """

    lemma: str
    present: tuple[str, str]
    imperfect: tuple[str, str]
    participle: str
    auxiliary: str
    tail: str
    pronominal: bool
    object: str
    to: str
    past: str
    aspirated: bool


@dataclass(frozen=True)
class _Sense:
    """One row of a word with several. use: "" or the use it goes for; nouns: those that decide it."""

    use: str
    nouns: frozenset[str] | None

    def fits(self, use: str, noun: str) -> bool:
        return (not self.use or self.use == use) and (self.nouns is None or noun in self.nouns)


def _rows(file: str) -> Iterator[dict[str, str]]:
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    for number, row in enumerate(csv.DictReader(text.splitlines(), delimiter="\t"), start=2):
        if None in row or None in row.values():
            raise LexiconError(f"french/{file}, line {number}: not as many cells as the first line has")
        yield row


@cache
def _selected(selectors: str) -> frozenset[str] | None:
    return frozenset(noun.lemma for noun in closest(selectors.split(","))) if selectors else None


def _read_nouns() -> Iterator[tuple[str, FrenchNoun]]:
    for row in _rows("nouns.tsv"):
        fixed = row["number"] == "plural"
        yield (
            row["lemma"],
            FrenchNoun(
                singular=row["french"],
                plural=row["french"] if fixed else row["plural"] or forms.plural(row["french"]),
                gender=row["gender"],
                number=row["number"],
                aspirated=row["aspirated"] == "yes",
            ),
        )


def _adjective(row: dict[str, str]) -> FrenchAdjective:
    one = row["french"]
    prefix, _, last = one.rpartition(" ")
    prefix += " " if prefix else ""
    many = row["plural"] or forms.plural(last)
    she = row["feminine"] or forms.feminine(last)
    changing = {
        ("m", False): one,
        ("m", True): prefix + many,
        ("f", False): prefix + she,
        ("f", True): prefix + forms.plural(she),
    }
    return FrenchAdjective(
        lemma=one,
        forms=dict.fromkeys(changing, one) if row["place"] == "fixed" else changing,
        before_vowel=row["vowel"],
        place=row["place"],
        aspirated=row["aspirated"] == "yes",
    )


def _verb(row: dict[str, str]) -> FrenchVerb:
    head, _, tail = row["french"].partition(" ")
    pronominal = head == "se" or head.startswith("s'")
    if head == "se":
        head, _, tail = tail.partition(" ")
    infinitive = head.removeprefix("s'") if pronominal else head
    irregular = _IRREGULAR.get(infinitive)
    if irregular:
        present, participle = (irregular["third"], irregular["plural"]), irregular["participle"]
    else:
        present, participle = forms.present(infinitive), forms.participle(infinitive)
    imperfect = (irregular and irregular["imperfect"]) or forms.imperfect(infinitive, present[1])
    return FrenchVerb(
        lemma=infinitive,
        present=present,
        imperfect=(imperfect, imperfect.removesuffix("t") + "ent"),
        participle=participle,
        auxiliary="être" if pronominal else irregular["auxiliary"] if irregular else "avoir",
        tail=tail,
        pronominal=pronominal,
        object=row["object"],
        to=row["to"] or "vers",
        past="imperfect" if row["past"] else "perfect",
        aspirated=row["aspirated"] == "yes",
    )


_IRREGULAR = {row["infinitive"]: row for row in _rows("conjugation.tsv")}
NOUNS = dict(_read_nouns())
CLOSED = {(row["pos"], row["lemma"]): row["french"] for row in _rows("closed.tsv")}
_ADJECTIVES: dict[str, list[tuple[_Sense, FrenchAdjective]]] = defaultdict(list)
_VERBS: dict[str, list[tuple[_Sense, FrenchVerb]]] = defaultdict(list)
_PREPOSITIONS: dict[str, list[tuple[_Sense, str]]] = defaultdict(list)
for _row in _rows("adjectives.tsv"):
    _ADJECTIVES[_row["lemma"]].append((_Sense("", _selected(_row["nouns"])), _adjective(_row)))
for _row in _rows("verbs.tsv"):
    _VERBS[_row["lemma"]].append((_Sense(_row["use"], _selected(_row["nouns"])), _verb(_row)))
for _row in _rows("prepositions.tsv"):
    _PREPOSITIONS[_row["lemma"]].append((_Sense("", _selected(_row["nouns"])), _row["french"]))


@cache
def adjective(lemma: str, noun: str) -> FrenchAdjective:
    """What an English adjective is in French, said of this noun. Raises KeyError if there is none."""
    return [word for sense, word in _ADJECTIVES[lemma] if sense.fits("", noun)][-1]


@cache
def verb(lemma: str, use: str, noun: str) -> FrenchVerb:
    """What an English verb is in French.

    use:  "transitive", "intransitive" or "reflexive"
    noun: its object or, if it has none, its subject, as an English lemma
    """
    return [word for sense, word in _VERBS[lemma] if sense.fits(use, noun)][-1]


@cache
def preposition(lemma: str, noun: str) -> str:
    """What an English preposition is before this noun (an English lemma)."""
    return [word for sense, word in _PREPOSITIONS[lemma] if sense.fits("", noun)][-1]


def translated() -> Iterable[tuple[str, str]]:
    """(part of speech, lemma) of all that has its French."""
    yield from (("noun", lemma) for lemma in NOUNS)
    yield from (("adjective", lemma) for lemma in _ADJECTIVES)
    yield from (("verb", lemma) for lemma in _VERBS)
    yield from (("preposition", lemma) for lemma in _PREPOSITIONS)
    yield from CLOSED

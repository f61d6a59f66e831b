"""The words of the language: read from the TSV files beside this one, and checked once as they are read.

A column that is not named here is left alone, so that another language, or another use of the words, is
a further column. A cell that holds several values separates them by commas.

A *selector* says which nouns a verb, an adjective or a place goes with: a class or a group of classes
(``animal``, ``animate``), a class within a topic (``person@farm``), or one noun (``=dog``).
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

TOPICS = (
    "home",
    "school",
    "farm",
    "sea",
    "city",
    "forest",
    "kitchen",
    "music",
    "sport",
    "travel",
    "market",
    "health",
)
GENDERS = ("m", "f", "n", "c")
COUNTS = ("count", "mass", "unique", "plural")
USES = ("intransitive", "transitive", "reflexive", "cause")
PLACEMENTS = ("attributive", "predicative", "reason")


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry:
    """One word of the lexicon. Two entries are the same only if they are the same row.

    forms:  noun: singular, plural; verb: base, third person, past, participle; else the word alone
    gender: "m", "f", "n", or "c" for persons of either; "" where there is none
    number: "singular" or "plural" where the word has only that one
    topics: what stories it belongs in; empty for all of them
    """

    lemma: str
    pos: str
    forms: tuple[str, ...]
    gender: str = ""
    number: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Noun(Entry):
    """A noun, or a name.

    kind:    its class, a row of classes.tsv
    owned:   "my" and "her" fit it
    count:   "count", "mass" (some milk), "unique" (the sun) or "plural" (trousers)
    where:   prepositions that place something at it, the usual one first
    whither: the same for what moves there
    """

    kind: str
    count: str = "count"
    owned: bool = False
    where: tuple[str, ...] = ()
    whither: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Verb(Entry):
    """A verb, with selectors for the nouns that go with it.

    uses:    of USES; "cause": may follow "because"
    alone:   subjects of the intransitive use, if they are others ("she opens it", "the door opens")
    places:  where it is done; moving: these are where it leads to
    tools:   what it is done with
    reasons: adjectives that explain it, of its subject or its object
    """

    uses: tuple[str, ...]
    subjects: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    moving: bool = False
    tools: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Adjective(Entry):
    """An adjective. rank: its place among several before a noun (opinion, size, age, ..., colour)."""

    rank: int
    nouns: tuple[str, ...]
    placements: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Closed(Entry):
    """A word of the classes that do not grow: determiners, pronouns, prepositions, conjunctions.

    refers: of a pronoun: "he", "she", "it" or "they", whichever it is a form of
    case:   "object" for him, her, it and them
    """

    refers: str = ""
    case: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A class of nouns. groups: wider classes that it is in; found: selectors of where such things are."""

    name: str
    groups: tuple[str, ...]
    found: tuple[str, ...]


class LexiconError(ValueError):
    """A row that cannot be right: a slip in the TSV files, not of the user."""


def _rows(file: str) -> Iterator[dict[str, str]]:
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    for number, row in enumerate(csv.DictReader(text.splitlines(), delimiter="\t"), start=2):
        if None in row or None in row.values():
            raise LexiconError(f"{file}, line {number}: not as many cells as the first line has")
        yield row


def _values(cell: str) -> tuple[str, ...]:
    return tuple(value for value in cell.split(",") if value)


def _read_kinds() -> dict[str, Kind]:
    return {
        row["class"]: Kind(
            name=row["class"],
            groups=_values(row["groups"]),
            found=_values(row["found"]),
        )
        for row in _rows("classes.tsv")
    }


def _read_nouns() -> Iterator[Noun]:
    for row in _rows("nouns.tsv"):
        yield Noun(
            lemma=row["lemma"],
            pos="noun",
            forms=(row["lemma"], row["plural"]),
            gender=row["gender"],
            number={"count": "", "plural": "plural"}.get(row["count"], "singular"),
            topics=_values(row["topics"]),
            kind=row["class"],
            count=row["count"],
            owned=row["owned"] == "yes",
            where=_values(row["where"]),
            whither=_values(row["whither"]),
        )


def _read_names() -> Iterator[Noun]:
    for row in _rows("names.tsv"):
        name = row["lemma"]
        yield Noun(
            lemma=name,
            pos="name",
            forms=(name,),
            gender=row["gender"],
            number="singular",
            kind="person",
            count="unique",
            where=("near", "beside", "behind"),
        )


def _read_verbs() -> Iterator[Verb]:
    for row in _rows("verbs.tsv"):
        yield Verb(
            lemma=row["lemma"],
            pos="verb",
            forms=(row["lemma"], row["third"], row["past"], row["participle"]),
            topics=_values(row["topics"]),
            uses=_values(row["uses"]),
            subjects=_values(row["subjects"]),
            alone=_values(row["alone"]),
            objects=_values(row["objects"]),
            places=_values(row["places"]),
            moving=row["moving"] == "yes",
            tools=_values(row["tools"]),
            reasons=_values(row["reasons"]),
        )


def _read_adjectives() -> Iterator[Adjective]:
    for row in _rows("adjectives.tsv"):
        yield Adjective(
            lemma=row["lemma"],
            pos="adjective",
            forms=(row["lemma"],),
            topics=_values(row["topics"]),
            rank=int(row["rank"]),
            nouns=_values(row["nouns"]),
            placements=_values(row["placements"]),
        )


def _read_closed() -> Iterator[Closed]:
    for row in _rows("closed.tsv"):
        yield Closed(
            lemma=row["lemma"],
            pos=row["pos"],
            forms=(row["word"],),
            gender=row["gender"],
            number=row["number"],
            refers=row["refers"],
            case=row["case"],
        )


def _check(condition: bool, entry: Entry, problem: str) -> None:
    if not condition:
        raise LexiconError(f"{entry.pos} {entry.lemma!r}: {problem}")


def _validate(entries: Iterable[Entry]) -> None:
    seen: set[tuple[str, ...]] = set()
    prepositions = {entry.lemma for entry in entries if entry.pos == "preposition"}
    adjectives = {entry.lemma for entry in entries if entry.pos == "adjective"}
    for entry in entries:
        key = (
            (entry.pos, entry.lemma, *entry.forms) if isinstance(entry, Closed) else (entry.pos, entry.lemma)
        )
        _check(key not in seen or entry.pos == "pronoun", entry, "there twice")
        seen.add(key)
        _check(all(entry.forms), entry, "a form is empty")
        _check(set(entry.topics) <= set(TOPICS), entry, f"unknown topic among {entry.topics}")
        selectors: tuple[str, ...] = ()
        match entry:
            case Noun():
                _check(entry.gender in GENDERS, entry, f"no gender {entry.gender!r}")
                _check(entry.count in COUNTS, entry, f"{entry.count!r} is none of {COUNTS}")
                _check(entry.kind in KINDS, entry, f"no class {entry.kind!r}")
                _check({*entry.where, *entry.whither} <= prepositions, entry, "unknown preposition")
            case Verb():
                _check(set(entry.uses) <= set(USES), entry, f"unknown use among {entry.uses}")
                _check(set(entry.reasons) <= adjectives, entry, f"unknown adjective among {entry.reasons}")
                _check(("transitive" in entry.uses) == bool(entry.objects), entry, "uses, but objects")
                selectors = (*entry.subjects, *entry.alone, *entry.objects, *entry.places, *entry.tools)
            case Adjective():
                _check(set(entry.placements) <= set(PLACEMENTS), entry, f"placed {entry.placements}")
                selectors = entry.nouns
        for selector in selectors:
            _check(bool(selected(selector)), entry, f"{selector!r} selects no noun")


@cache
def selected(selector: str) -> dict[Noun, int]:
    """The nouns and names that a selector picks, and how narrowly: 1 by group, 2 class, 3 topic, 4 itself."""
    if selector.startswith("="):
        return {noun: 4 for noun in NOUNS if noun.lemma == selector[1:]}
    name, _, topic = selector.partition("@")
    return {
        noun: 3 if topic else 2 if noun.kind == name else 1
        for noun in (*NOUNS, *NAMES)
        if name in (noun.kind, *KINDS[noun.kind].groups) and (not topic or topic in noun.topics)
    }


def closest(selectors: Iterable[str]) -> dict[Noun, int]:
    """The nouns that any of the selectors picks, each with the narrowest match."""
    nouns: dict[Noun, int] = {}
    for selector in selectors:
        for noun, narrowness in selected(selector).items():
            nouns[noun] = max(narrowness, nouns.get(noun, 0))
    return nouns


KINDS = _read_kinds()
NOUNS = tuple(_read_nouns())
NAMES = tuple(_read_names())
VERBS = tuple(_read_verbs())
ADJECTIVES = tuple(_read_adjectives())
CLOSED = tuple(_read_closed())
LEXICON: tuple[Entry, ...] = (*NOUNS, *NAMES, *VERBS, *ADJECTIVES, *CLOSED)
_validate(LEXICON)

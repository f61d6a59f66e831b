"""The structures of sentences, and which of them training never sees.

A frame is a sentence without its words: ``np.pp v.trans np.adj because pron cop.adj``. Phrases: ``np`` a noun
with its determiner, ``name``, ``pron``, ``poss`` ("her dog"); ``.adj`` for each adjective; ``.pp`` a
prepositional phrase; ``.irel .srel .orel`` a relative clause ("that sleeps", "that sees it", "that it sees").
Predicates: ``v.intr v.trans v.refl cop.adj cop.pp``; ``at`` a prepositional phrase of the verb.
Number, tense and the words themselves are no part of a frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from typing import Literal, NamedTuple

Split = Literal["train", "test"]


class Phrase(NamedTuple):
    """A noun phrase without its words. kind: "" where the subject is left out ("and sings")."""

    kind: str
    adjectives: int = 0
    after: str = ""

    def __str__(self) -> str:
        return self.kind + ".adj" * self.adjectives + (f".{self.after}" if self.after else "")

    @property
    def size(self) -> int:
        return self.adjectives + {"": 0, "pp": 1}.get(self.after, 2)


class Predicate(NamedTuple):
    """What is said of a subject. verb: as in the frame's text; at: a prepositional phrase follows."""

    verb: str
    object: Phrase | None = None
    at: bool = False

    def __str__(self) -> str:
        return " ".join(
            [self.verb, *([str(self.object)] if self.object else []), *(["at"] if self.at else [])]
        )

    @property
    def size(self) -> int:
        return self.at + (self.object.size if self.object else 0)


class Clause(NamedTuple):
    """A subject and its predicate. link: the conjunction before it, or ""."""

    link: str
    subject: Phrase
    predicate: Predicate

    def __str__(self) -> str:
        return " ".join(part for part in (self.link, str(self.subject), str(self.predicate)) if part)

    @property
    def size(self) -> int:
        return self.subject.size + self.predicate.size

    @property
    def shared(self) -> bool:
        """Whether its subject is that of the clause before: a pronoun, or left out."""
        return self.subject.kind in ("pron", "")


@dataclass(frozen=True)
class Frame:
    """One or two clauses; fronted: the first is the subordinate one ("When ..., ...")."""

    clauses: tuple[Clause, ...]

    @cached_property
    def text(self) -> str:
        """How it is written, and held out."""
        return (", " if self.fronted else " ").join(map(str, self.clauses))

    @property
    def fronted(self) -> bool:
        return bool(self.clauses[0].link)

    @cached_property
    def refers(self) -> bool:
        """Whether some word of it stands for the subject of the first clause."""
        phrases = [phrase for clause in self.clauses for phrase in (clause.subject, clause.predicate.object)]
        return any(phrase and phrase.kind in ("pron", "poss") for phrase in phrases[1:]) or any(
            clause.predicate.verb == "v.refl" for clause in self.clauses
        )

    @cached_property
    def weight(self) -> float:
        """How often it comes up beside others: two adjectives seldom, "is tired" often, most so if the noun
        that it is said of stands far from it."""
        phrases = [phrase for clause in self.clauses for phrase in (clause.subject, clause.predicate.object)]
        weight = 0.3 ** sum(bool(phrase and phrase.adjectives > 1) for phrase in phrases)
        for clause in self.clauses:
            if clause.predicate.verb == "cop.adj" and not clause.shared:
                weight *= 9.0 if clause.subject.after else 3.0
        return weight

    @cached_property
    def needs_animate(self) -> bool:
        """Whether its first subject owns something, or does something to itself."""
        return any(
            clause.predicate.verb == "v.refl" or (clause.predicate.object or clause.subject).kind == "poss"
            for clause in self.clauses
        )


NAME, NP, PRONOUN, LEFT_OUT = Phrase("name"), Phrase("np"), Phrase("pron"), Phrase("")
ADJECTIVE, OWNED = Phrase("np", 1), Phrase("poss")
SUBJECTS = (
    NAME,
    NP,
    ADJECTIVE,
    Phrase("np", 2),
    Phrase("np", after="pp"),
    Phrase("np", 1, "pp"),
    *(Phrase("np", after=relative) for relative in ("irel", "srel", "orel")),
    Phrase("np", 1, "orel"),
    PRONOUN,
)
OBJECTS = (
    NAME,
    NP,
    ADJECTIVE,
    Phrase("np", 2),
    Phrase("np", after="pp"),
    Phrase("np", 1, "pp"),
    Phrase("np", after="irel"),
    Phrase("np", after="orel"),
    OWNED,
    Phrase("poss", 1),
)
SLEEPS, SLEEPS_AT, IS_TIRED, IS_AT, HURTS_HERSELF = (
    Predicate("v.intr"),
    Predicate("v.intr", at=True),
    Predicate("cop.adj"),
    Predicate("cop.pp"),
    Predicate("v.refl"),
)
SEES, SEES_OLD, SEES_HER, SEES_OWN = (
    Predicate("v.trans", phrase) for phrase in (NP, ADJECTIVE, PRONOUN, OWNED)
)
PREDICATES = (
    SLEEPS,
    SLEEPS_AT,
    IS_TIRED,
    IS_AT,
    HURTS_HERSELF,
    *(Predicate("v.trans", phrase) for phrase in OBJECTS),
    *(Predicate("v.trans", phrase, at=True) for phrase in (NP, ADJECTIVE, OWNED)),
)
ENDINGS = (
    *(Clause(link, PRONOUN, IS_TIRED) for link in ("because", "when", "although", "but")),
    *(Clause("because", PRONOUN, predicate) for predicate in (SEES, SEES_OLD)),
    *(Clause("when", PRONOUN, predicate) for predicate in (SLEEPS, SEES)),
    *(Clause("but", PRONOUN, predicate) for predicate in (SLEEPS, SEES)),
    *(Clause("and", LEFT_OUT, predicate) for predicate in (SLEEPS, SEES, SEES_OWN)),
    *(Clause("and", PRONOUN, predicate) for predicate in (SLEEPS_AT, SEES, SEES_OLD)),
    *(Clause("and", subject, SEES_HER) for subject in (NP, ADJECTIVE, NAME)),
    *(Clause("while", subject, SLEEPS) for subject in (NP, ADJECTIVE, NAME)),
    Clause("while", NP, SEES),
)
CONSEQUENCES = tuple(Clause("so", PRONOUN, predicate) for predicate in (SLEEPS, SLEEPS_AT, SEES, SEES_OLD))
OPENINGS = (IS_TIRED, IS_AT, SLEEPS, SEES)
SEQUELS = tuple(Clause("", PRONOUN, predicate) for predicate in (SLEEPS, SLEEPS_AT, SEES, SEES_OLD, SEES_OWN))


def _all_frames() -> Iterator[Frame]:
    alone = [Clause("", subject, predicate) for subject in SUBJECTS for predicate in PREDICATES]
    short = [clause for clause in alone if clause.size <= 2]
    yield from (Frame((clause,)) for clause in alone if clause.size <= 4)
    yield from (
        Frame((Clause("", subject, SEES_HER),)) for subject in SUBJECTS if subject.kind in ("np", "name")
    )
    for first in short:
        if first.predicate.verb in ("v.intr", "v.trans"):
            yield from (Frame((first, ending)) for ending in ENDINGS)
        elif first.predicate.verb == "cop.adj":
            yield from (Frame((first, ending)) for ending in CONSEQUENCES)
    for link in ("when", "because", "although"):
        for subject in SUBJECTS:
            for opening in OPENINGS if subject.size <= 1 and subject.kind != "pron" else ():
                yield from (Frame((Clause(link, subject, opening), sequel)) for sequel in SEQUELS)


_SALT = (
    18  # any number would do; changing it changes what is held out, and every model has to be trained again
)


def _share(text: str) -> float:
    """A number from 0 to 1 that stands by this text for good, on every machine."""
    return int.from_bytes(blake2b(f"{_SALT} {text}".encode(), digest_size=8).digest()) / 2**64


@cache
def held_out_frame(frame: str) -> bool:
    """Whether training never sees sentences of this frame: true of a fifth of them."""
    return _share(f"frame {frame}") < 0.2


@cache
def held_out_pair(subject: str, verb: str) -> bool:
    """Whether training never sees this noun as the subject of this verb: one in eight."""
    return _share(f"pair {subject} {verb}") < 0.125


def held_out_name(name: str) -> bool:
    """Whether training never sees this invented name: true of a fifth of them."""
    return _share(f"name {name}") < 0.2


FRAMES = tuple(_all_frames())

"""Which words go together: the choices that are open at each point of a sentence, with their weights.

Everything here depends on the lexicon alone, so each answer is worked out once and kept.
"""

from bisect import bisect
from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from attnviz.builtin.language.frames import Split, held_out_pair
from attnviz.builtin.language.lexicon import (
    ADJECTIVES,
    CLOSED,
    KINDS,
    NAMES,
    NOUNS,
    VERBS,
    Adjective,
    Noun,
    Verb,
    closest,
)

T = TypeVar("T")


class Options(Generic[T]):
    """Things to choose from, with weights."""

    __slots__ = ("_among", "cumulative", "values")

    def __init__(self, weighted: Iterable[tuple[T, float]]) -> None:
        kept = [(value, weight) for value, weight in weighted if weight > 0]
        self.values = tuple(value for value, _ in kept)
        self.cumulative = tuple(accumulate(weight for _, weight in kept))
        self._among = frozenset(self.values)

    def __bool__(self) -> bool:
        return bool(self.values)

    def __contains__(self, value: object) -> bool:
        return value in self._among


class Dice:
    """Chance: the only source of it in a story, so that a seed decides everything."""

    def __init__(self, random: Random) -> None:
        self._random = random.random

    def pick(self, options: Options[T]) -> T:
        """One of the options, which must not be empty, by weight."""
        cumulative = options.cumulative
        return options.values[bisect(cumulative, self._random() * cumulative[-1], 0, len(cumulative) - 1)]

    def chance(self, probability: float) -> bool:
        return self._random() < probability


BE = Verb(lemma="be", pos="verb", forms=("be", "is", "was", "been"), uses=("copula",))
_NARROW = (
    0.0,
    1.0,
    1.0,
    5.0,
    8.0,
)  # weight by how narrowly a selector matches: the particular word comes up most
_HERE, _ANYWHERE = 4.0, 1.0  # weight of words of the story's own topic, and of words of all topics


def _belongs(topics: tuple[str, ...], topic: str) -> float:
    if not topics:
        return _ANYWHERE
    return _HERE if topic in topics else 0.0


@cache
def nouns(selectors: tuple[str, ...], topic: str) -> Options[Noun]:
    """The nouns and names that fit one of the selectors, in a story of this topic."""
    common = ((noun, _belongs(noun.topics, topic) * (closest(selectors, noun) > 0)) for noun in NOUNS)
    names = ((name, 0.3 * (closest(selectors, name) > 0)) for name in NAMES)
    return Options([*common, *names])


@cache
def verbs(subject: Noun, use: str, topic: str, split: Split) -> Options[Verb]:
    """What this subject may do.

    use:   "be", or one of USES, with "+at" if a place or a tool is named too, "+cause" after "because"
    split: whether the pairs of subject and verb are those of training or those held out
    """
    if use == "be":
        return Options([(BE, float(_allowed(subject, BE, split)))])
    return Options(
        (verb, _liking(subject, verb, use, topic)) for verb in VERBS if _allowed(subject, verb, split)
    )


def _allowed(subject: Noun, verb: Verb, split: Split) -> bool:
    return held_out_pair(subject.lemma, verb.lemma) == (split == "test")


def _liking(subject: Noun, verb: Verb, use: str, topic: str) -> float:
    needed, *more = use.split("+")
    if needed not in verb.uses or ("cause" in more and "cause" not in verb.uses):
        return 0.0
    if needed == "transitive" and not nouns(verb.objects, topic):
        return 0.0
    if "at" in more and not nouns((*verb.places, *verb.tools), topic):
        return 0.0
    return _NARROW[closest(verb.subjects, subject)] * _belongs(verb.topics, topic)


@cache
def subjects(uses: tuple[str, ...], topic: str, split: Split, pos: str) -> Options[Noun]:
    """The nouns (or names) that have verbs for all these uses."""
    able = (
        (noun, _belongs(noun.topics, topic) * _prominence(noun))
        for noun in (NAMES if pos == "name" else NOUNS)
        if _belongs(noun.topics, topic)
    )
    return Options(
        (noun, weight) for noun, weight in able if all(verbs(noun, use, topic, split) for use in uses)
    )


def _prominence(noun: Noun) -> float:
    """How often a noun is what a sentence is about: persons of known gender first, then animals."""
    if noun.kind == "person":
        return 2.0 if noun.gender in ("m", "f") else 1.0
    return 1.0 if "animate" in KINDS[noun.kind].groups else 0.3


@cache
def surroundings(noun: Noun, topic: str) -> Options[Noun]:
    """Where a thing like this is found: "the cup on the *table*"."""
    return nouns(KINDS[noun.kind].found, topic)


@cache
def prepositions(noun: Noun, moving: bool) -> Options[str]:
    """How something is placed at this noun, or moves there; three times in four its usual preposition."""
    usual, *others = (noun.whither if moving else noun.where) or ("near",)
    return Options([(usual, 3.0 * max(len(others), 1)), *((other, 1.0) for other in others)])


@cache
def adjectives(noun: Noun, placement: str, topic: str) -> Options[Adjective]:
    """What this noun may be called; the particular word for it comes up more than the general one."""
    return Options(
        (adjective, (0.0, 1.0, 3.0, 6.0, 9.0)[closest(adjective.nouns, noun)])
        for adjective in ADJECTIVES
        if placement in adjective.placements and (not adjective.topics or topic in adjective.topics)
    )


@cache
def reasons(verb: Verb, noun: Noun) -> Options[Adjective]:
    """Adjectives of this noun that explain the verb."""
    return Options(
        (adjective, 1.0)
        for adjective in ADJECTIVES
        if adjective.lemma in verb.reasons and closest(adjective.nouns, noun)
    )


@cache
def describes(adjective: Adjective, noun: Noun) -> bool:
    return closest(adjective.nouns, noun) > 0


_DETERMINERS = {
    "count singular": {"the": 40, "a": 30, "this": 8, "that": 3, "every": 3, "each": 1, "another": 2},
    "count plural": {
        "the": 34,
        "these": 10,
        "those": 3,
        "some": 10,
        "two": 9,
        "three": 6,
        "four": 2,
        "many": 8,
    }
    | {"several": 3, "few": 1},
    "mass singular": {"the": 50, "some": 28, "this": 10, "that": 2},
    "unique singular": {"the": 1},
    "plural plural": {"the": 40, "these": 10, "those": 3, "some": 10},
}
_OWNERS = {"my": 5, "your": 4, "our": 3}


@cache
def determiners(noun: Noun, number: str) -> Options[str]:
    """Those that agree; "a" stands for "an" too until the next word is known."""
    words = _DETERMINERS[f"{noun.count} {number}"]
    owned = KINDS[noun.kind].owned and noun.count != "unique"
    return Options((words | (_OWNERS if owned else {})).items())


@cache
def numbers(noun: Noun) -> Options[str]:
    """The numbers that this noun comes in."""
    if noun.count == "count":
        return Options([("singular", 1.0), ("plural", 1.0)])
    return Options([("plural" if noun.count == "plural" else "singular", 1.0)])


@cache
def pronoun(refers: str, pos: str) -> str:
    """The form of "he", "she", "it" or "they" that is a "pronoun", "object pronoun", "possessive" or "reflexive"."""
    case = "object" if pos == "object pronoun" else ""
    wanted = (refers, pos.removeprefix("object "), case)
    return next(word.forms[0] for word in CLOSED if (word.refers, word.pos, word.case) == wanted)

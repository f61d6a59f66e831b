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
_NARROW = (0.0, 1.0, 1.0, 5.0, 8.0)  # weight by how narrowly a selector matches: "dogs bark" comes up most
_FITTING = (0.0, 1.0, 3.0, 6.0, 9.0)  # the same for adjectives
_HERE, _ANYWHERE = 4.0, 1.0  # weight of words of the story's own topic, and of words of all topics
_NAMES = 0.3


@cache
def commonness(lemma: str) -> float:
    """How often a word comes up: the shorter the oftener, as in any language (Zipf 1935)."""
    return (3 / max(len(lemma), 3)) ** 4


def _belongs(topics: tuple[str, ...], topic: str) -> float:
    if not topics:
        return _ANYWHERE
    return _HERE if topic in topics else 0.0


@cache
def nouns(selectors: tuple[str, ...], topic: str) -> Options[Noun]:
    """The nouns and names that fit one of the selectors, in a story of this topic."""
    return Options(
        (noun, (_NAMES if noun.pos == "name" else _belongs(noun.topics, topic)) * commonness(noun.lemma))
        for noun in closest(selectors)
    )


@cache
def _doings(noun: Noun) -> list[tuple[Verb, float, str]]:
    """What a noun may do: the verbs, each with a weight and the use it goes for."""
    return [
        (verb, _NARROW[narrowness], use)
        for use in ("intransitive", "transitive", "reflexive")
        for verb, by in _agents(use)
        if (narrowness := by.get(noun))
    ]


@cache
def _agents(use: str) -> list[tuple[Verb, dict[Noun, int]]]:
    """The verbs that have this use, each with its subjects there."""
    usable = [verb for verb in VERBS if use in verb.uses]
    if use == "intransitive":
        return [(verb, closest(verb.alone or verb.subjects)) for verb in usable]
    return [(verb, closest(verb.subjects)) for verb in usable]


@cache
def verbs(subject: Noun, use: str, topic: str, split: Split) -> Options[Verb]:
    """What this subject may do.

    use:   "be", or one of USES, with "+at" if a place or a tool is named too, "+cause" after "because"
    split: whether the pairs of subject and verb are those of training or those held out
    """
    wanted = split == "test"
    if use == "be":
        return Options([(BE, float(held_out_pair(subject.lemma, "be") == wanted))])
    needed, *more = use.split("+")
    return Options(
        (verb, weight * _belongs(verb.topics, topic) * commonness(verb.lemma))
        for verb, weight, possible in _doings(subject)
        if possible == needed
        and held_out_pair(subject.lemma, verb.lemma) == wanted
        and ("cause" not in more or "cause" in verb.uses)
        and (needed != "transitive" or nouns(verb.objects, topic))
        and ("at" not in more or nouns(verb.places, topic) or tools_of(verb, subject, topic))
    )


def tools_of(verb: Verb, subject: Noun, topic: str) -> Options[Noun]:
    """What it is done with; only persons have tools."""
    return nouns(verb.tools if subject.kind == "person" else (), topic)


@cache
def subjects(uses: tuple[str, ...], topic: str, split: Split, pos: str) -> Options[Noun]:
    """The nouns (pos "noun") or names that have verbs for all these uses."""
    return Options(
        (noun, _belongs(noun.topics, topic) * _prominence(noun) * commonness(noun.lemma))
        for noun in (NAMES if pos == "name" else NOUNS)
        if _belongs(noun.topics, topic) and all(verbs(noun, use, topic, split) for use in uses)
    )


def _prominence(noun: Noun) -> float:
    """How often a noun is what a sentence is about: persons of known gender and animals first."""
    if noun.kind == "person":
        return 2.0 if noun.gender in ("m", "f") else 1.0
    return 3.0 if animate(noun) else 0.5


def animate(noun: Noun) -> bool:
    """Whether it can own something, and do something to itself."""
    return "animate" in KINDS[noun.kind].groups


def belongs_to(noun: Noun, owner: Noun) -> bool:
    """Whether this can be called "her", or "its"."""
    return noun.owned and (owner.kind == "person" or noun.kind != "person")


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
def _qualities() -> dict[Noun, list[tuple[Adjective, float]]]:
    qualities: dict[Noun, list[tuple[Adjective, float]]] = {noun: [] for noun in (*NOUNS, *NAMES)}
    for adjective in ADJECTIVES:
        for noun, narrowness in closest(adjective.nouns).items():
            qualities[noun].append((adjective, _FITTING[narrowness] * commonness(adjective.lemma)))
    return qualities


@cache
def adjectives(noun: Noun, placement: str) -> Options[Adjective]:
    """What this noun may be called; the particular word for it comes up more than the general one."""
    return Options(choice for choice in _qualities()[noun] if placement in choice[0].placements)


@cache
def reasons(verb: Verb, noun: Noun) -> Options[Adjective]:
    """Adjectives of this noun that explain the verb."""
    return Options((adjective, 1.0) for adjective, _ in _qualities()[noun] if adjective.lemma in verb.reasons)


@cache
def describes(adjective: Adjective, noun: Noun) -> bool:
    """Whether the adjective can be said of the noun."""
    return any(quality is adjective for quality, _ in _qualities()[noun])


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
    | {"several": 3},
    "mass singular": {"the": 50, "some": 28, "this": 10, "that": 2},
    "unique singular": {"the": 1},
    "plural plural": {"the": 40, "these": 10, "those": 3, "some": 10},
}
_OWNERS = {"my": 5, "your": 4, "our": 3}
_BODY = {"the": 5, "this": 1} | _OWNERS


@cache
def determiners(noun: Noun, number: str) -> Options[str]:
    """Those that agree; "a" stands for "an" too until the next word is known."""
    if noun.kind == "body":
        return Options(
            {
                "these" if word == "this" and number == "plural" else word: weight
                for word, weight in _BODY.items()
            }.items()
        )
    words = _DETERMINERS[f"{noun.count} {number}"] | (_OWNERS if noun.owned else {})
    return Options(words.items())


@cache
def numbers(noun: Noun, singular: float = 0.5) -> Options[str]:
    """The numbers that this noun comes in. singular: the share of that, where it has both."""
    if noun.count == "count":
        return Options([("singular", singular), ("plural", 1 - singular)])
    return Options([("plural" if noun.count == "plural" else "singular", 1.0)])


@cache
def pronoun(refers: str, pos: str) -> str:
    """A form of "he", "she", "it" or "they": "pronoun", "object pronoun", "possessive" or "reflexive"."""
    case = "object" if pos == "object pronoun" else ""
    wanted = (refers, pos.removeprefix("object "), case)
    return next(word.forms[0] for word in CLOSED if (word.refers, word.pos, word.case) == wanted)

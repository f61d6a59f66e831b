"""What the decoder reads: stories in which what was named is named again, in full.

Persons and animals have invented names, things those of invented towns, and where a story has a pronoun the
tale has what that stands for. Names are made of all words there are and of words that are none. So what comes
after a word in a name cannot be guessed, except by looking where it stood before.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from attnviz.builtin.language import LEXICON, Story, Word

PEOPLE, TOWNS = 3, 2
"""How many names the tales of one window have among them."""

_NEAR_TOWN = 0.8
"""How often a thing is of a town."""

_NAMED = {"m", "f", "c"}
"""Genders of those who have names."""

_FROM_DICTIONARY = 0.7
"""How often a word of a name is one that has a meaning elsewhere."""

_DICTIONARY = sorted({form for entry in LEXICON for form in entry.forms})

_ONSETS = (
    "b", "br", "c", "d", "dr", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "r", "s", "st", "t", "th",
    "tr", "v", "w", "z",
)  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "oo")
_CODAS = ("", "n", "r", "l", "s", "m", "nd", "x", "ck", "th")


@dataclass(frozen=True)
class Cast:
    """Who and what the tales of one window are about: invented names."""

    people: Sequence[str]
    towns: Sequence[str]


def invented_cast(dice: Random) -> Cast:
    """New names."""
    people = [_name(dice) for _ in range(PEOPLE)]
    return Cast(people, [_name(dice) for _ in range(TOWNS)])


def tales(stories: Sequence[Story], dice: Random) -> Iterator[str]:
    """Some of the stories, told again with one cast, without end."""
    cast = invented_cast(dice)
    while True:
        yield retold(dice.choice(stories), cast, dice)


def retold(story: Story, cast: Cast, dice: Random) -> str:
    """A story as a tale."""
    titles = _titles(story, cast, dice)
    said = {number: title for number, word in enumerate(story.words) if (title := titles.get(_who(word)))}
    said |= dict(_pronouns_named(story, titles))
    pieces: list[str] = []
    position = 0
    for number, word in enumerate(story.words):
        text = said.get(number, word.text)
        capital = text[0].upper() if word.text[0].isupper() else text[0]
        pieces += (story.text[position : word.span.start], capital, text[1:])
        position = word.span.stop
    return "".join((*pieces, story.text[position:]))


Who = tuple[str, str, str]
"""A noun or name: a story calls no two things by the same."""


def _who(word: Word) -> Who:
    return word.pos, word.lemma, word.number


def _titles(story: Story, cast: Cast, dice: Random) -> dict[Who, str]:
    """What stands for nouns and names: "lad Foul Vurstax Otter", "Say Trof Under boats"."""
    people = dice.sample(cast.people, len(cast.people))
    titles: dict[Who, str] = {}
    for word in story.words:
        if word.pos not in ("noun", "name") or _who(word) in titles:
            continue
        if word.number == "singular" and word.gender in _NAMED:
            if people:
                titles[_who(word)] = people.pop() if word.pos == "name" else f"{word.text} {people.pop()}"
        elif dice.random() < _NEAR_TOWN:
            titles[_who(word)] = f"{dice.choice(cast.towns)} {word.text}"
    return titles


def _pronouns_named(story: Story, titles: Mapping[Who, str]) -> Iterator[tuple[int, str]]:
    """What stands for each pronoun: a name, or all of the words for a thing but its determiner."""
    numbers = {word.span: number for number, word in enumerate(story.words)}
    described: defaultdict[int, list[str]] = defaultdict(list)
    for relation in story.relations:
        looking, target = story.words[numbers[relation.source]], numbers[relation.target]
        if relation.name == "adjective-noun" and relation.source.start < relation.target.start:
            described[target].append(looking.text.lower())
    for relation in story.relations:
        number, target = numbers[relation.source], numbers[relation.target]
        if relation.name == "pronoun-antecedent" and story.words[number].pos != "reflexive":
            full = _full(story.words[target], described[target], titles)
            yield number, full if story.words[number].pos == "pronoun" else _owning(full)


def _full(word: Word, adjectives: Sequence[str], titles: Mapping[Who, str]) -> str:
    """How something is named again."""
    title = titles.get(_who(word), word.text)
    if word.pos == "name":
        return title
    if word.number == "singular" and word.gender in _NAMED and _who(word) in titles:
        return title.removeprefix(f"{word.text} ")
    return " ".join(("the", *adjectives, title))


def _owning(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _name(dice: Random) -> str:
    """A name nobody has: "Foul Vurstax Otter", three words that are in no dictionary or anywhere in it."""
    return " ".join(_word(dice).capitalize() for _ in range(3))


def _word(dice: Random) -> str:
    if dice.random() < _FROM_DICTIONARY:
        return dice.choice(_DICTIONARY)
    return "".join(
        dice.choice(_ONSETS) + dice.choice(_VOWELS) + dice.choice(_CODAS) for _ in range(dice.choice((1, 2)))
    )

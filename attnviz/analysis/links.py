"""The relations of a text as places among the words of its maps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from attnviz.analysis.relations import Related, Relation
from attnviz.captures import Axis, Booleans
from attnviz.inputs import Span

Direction = Literal["to target", "to source"]
DIRECTIONS: tuple[Direction, ...] = ("to target", "to source")


class Asked(NamedTuple):
    """What is asked of a head: whether it finds the other end of a relation from one of its ends."""

    relation: str
    direction: Direction


Forms = Mapping[Asked, frozenset[str]]
"""Words, in small letters, that were looked for elsewhere."""


@dataclass(frozen=True)
class Link:
    """One relation in one direction, its ends as places among the words.

    looking, target: all words of either end
    place:           that of the looking end: its last word
    candidates:      places that a guess at the nearest may fall on
    """

    asked: Asked
    looking: tuple[int, ...]
    target: tuple[int, ...]
    candidates: tuple[int, ...]

    @property
    def place(self) -> int:
        return self.looking[-1]

    @property
    def offsets(self) -> frozenset[int]:
        """How many words after the looking one those of the target stand; negative: before it."""
        return frozenset(place - self.place for place in self.target)


@dataclass(frozen=True)
class Links:
    """The links of one text.

    words: ``[words]`` whether it can be looked at: special tokens and blanks cannot
    lost:  links that are not there: an end was cut off, or both ends are in one word
    """

    links: tuple[Link, ...]
    words: Booleans
    lost: int

    def mask(self, end: Literal["looking", "target"]) -> Booleans:
        """``[links, words]``: the words of one end of each."""
        mask = np.zeros((len(self.links), len(self.words)), bool)
        for row, link in zip(mask, self.links, strict=True):
            row[list(getattr(link, end))] = True
        return mask


def links(text: Related, axis: Axis, forms: Forms) -> Links:
    """The relations of a text among the words of an axis, in both directions.

    forms: of each direction the words that it looks for elsewhere: the candidates where no category is known
    """
    words = _Words(axis, text.text)
    category = {tagged.span: tagged.category for tagged in text.tagged}
    alike = {
        each: [words.of(tagged.span)[-1:] for tagged in text.tagged if tagged.category == each]
        for each in {*category.values()}
    }

    def candidates(asked: Asked, end: Span) -> tuple[int, ...]:
        if end not in category:
            return words.written(forms.get(asked, frozenset()))
        return tuple(place for places in alike[category[end]] for place in places)

    found: list[Link] = []
    for asked, source, target in asked_of(text.relations):
        looking, sought = words.of(source), words.of(target)
        if looking and sought and not {*looking} & {*sought}:
            found.append(Link(asked, looking, sought, candidates(asked, target)))
    there = np.array([core is not None for core in words.cores], bool)
    return Links(tuple(found), there, lost=2 * len(text.relations) - len(found))


def asked_of(relations: Sequence[Relation]) -> Iterator[tuple[Asked, Span, Span]]:
    """Each relation in both directions: what is asked, from where, and what should be found."""
    for relation in relations:
        yield Asked(relation.name, "to target"), relation.source, relation.target
        yield Asked(relation.name, "to source"), relation.target, relation.source


def forms_of(texts: Sequence[Related]) -> Forms:
    """The last words, in small letters, of what is looked for in some texts."""
    forms: dict[Asked, set[str]] = {}
    for text in texts:
        for asked, _, target in asked_of(text.relations):
            piece = text.text[target.start : target.stop]
            forms.setdefault(asked, set()).add(piece.split()[-1].casefold())
    return {asked: frozenset(words) for asked, words in forms.items()}


class _Words:
    """The words of an axis that are pieces of a text.

    cores: the characters of each, without blanks around them; None for special tokens and blanks
    """

    def __init__(self, axis: Axis, text: str) -> None:
        self._text = text
        self.cores = [_core(axis, place, text) for place in range(len(axis))]

    def of(self, span: Span) -> tuple[int, ...]:
        """The places of the words that hold a character of the span."""
        return tuple(
            place
            for place, core in enumerate(self.cores)
            if core is not None and core.start < span.stop and span.start < core.stop
        )

    def written(self, forms: frozenset[str]) -> tuple[int, ...]:
        """The places of the words that are among some in small letters."""
        return tuple(
            place
            for place, core in enumerate(self.cores)
            if core is not None and self._text[core.start : core.stop].casefold() in forms
        )


def _core(axis: Axis, place: int, text: str) -> Span | None:
    span = axis.spans[place]
    if span is None or axis.special[place] or span.text >= len(axis.texts) or axis.texts[span.text] != text:
        return None
    piece = text[span.start : span.stop]
    bare = piece.strip()
    start = span.start + piece.find(bare)
    return Span(0, start, start + len(bare)) if bare else None

"""Layers of two captures side by side: which of their queries and keys belong together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from attnviz.analysis.align import Pair, aligned
from attnviz.analysis.entries import Entry, Named, common_entries, distinct_axes
from attnviz.analysis.words import by_words
from attnviz.captures import Axis, Booleans, LayerMaps
from attnviz.inputs import Sample, Span

REPLACED, ABSENT = "→", "∅"
_TEXT, _NAME = "text", "name"  # what tells an entry from others

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Beside:
    """One layer of both captures, its queries and keys side by side."""

    first: LayerMaps
    second: LayerMaps
    queries: tuple[Pair, ...]
    keys: tuple[Pair, ...]

    @property
    def name(self) -> str:
        return self.first.name

    @property
    def common_text(self) -> bool:
        """Whether a token that is not special is the same in both."""
        sides = (self.queries, self.first.queries), (self.keys, self.first.keys)
        return any(
            pair.same and pair.first is not None and not axis.special[pair.first]
            for pairs, axis in sides
            for pair in pairs
        )

    def label(self, side: str, place: int) -> str:
        """What a pair of the "queries" or "keys" is called."""
        pair: Pair = getattr(self, side)[place]
        return label_of(pair, getattr(self.first, side), getattr(self.second, side))


Pairing = Callable[[Axis, Axis], tuple[Pair, ...]]


def beside(first: Sequence[LayerMaps], second: Sequence[LayerMaps], pairing: Pairing) -> tuple[Beside, ...]:
    """Layers of two captures side by side, as many of the one as of the other."""
    pairs = cache(pairing)
    return tuple(
        Beside(one, two, pairs(one.queries, two.queries), pairs(one.keys, two.keys))
        for one, two in zip(first, second, strict=True)
    )


def beside_by_entries(
    first: Sequence[LayerMaps], second: Sequence[LayerMaps], sample: Sample
) -> tuple[Beside, ...]:
    """Layers of two models that read one text, on the entries that both have (``analysis.entries``).

    Words that a token of either model joins are one in both.
    Raises ValueError if words without a text are numbered differently.
    """
    named = _named(first, second, sample)
    one, two = (_joined(layers, names) for layers, names in zip((first, second), named, strict=True))
    names, theirs = _named(one, two, sample)
    return beside(one, two, lambda axis, other: _pairs_by_entry(names[axis], theirs[other]))


def _named(
    first: Sequence[LayerMaps], second: Sequence[LayerMaps], sample: Sample
) -> tuple[dict[Axis, Named], dict[Axis, Named]]:
    """What the entries of the axes of two models are."""
    axes, theirs = distinct_axes(first), distinct_axes(second)
    named, their_named = common_entries(axes, theirs, sample)
    return dict(zip(axes, named, strict=True)), dict(zip(theirs, their_named, strict=True))


def _joined(layers: Iterable[LayerMaps], named: Mapping[Axis, Named]) -> list[LayerMaps]:
    """The layers with entries put together that are one common word."""
    axes = {axis: _numbered(axis, names) for axis, names in named.items()}
    return [
        maps
        if axes[maps.queries] == maps.queries and axes[maps.keys] == maps.keys
        else by_words(replace(maps, queries=axes[maps.queries], keys=axes[maps.keys]))
        for maps in layers
    ]


def _numbered(axis: Axis, named: Named) -> Axis:
    """The axis with one number for what is one common word."""
    number: dict[Entry, int] = {}
    words = tuple(
        number.setdefault(entry, word) if entry is not None and word >= 0 else word
        for entry, word in zip(named, axis.words, strict=True)
    )
    return replace(axis, words=words)


def _pairs_by_entry(first: Named, second: Named) -> tuple[Pair, ...]:
    """By what the entries are; what is None is in one alone."""
    one, two = (
        [(side, place) if entry is None else entry for place, entry in enumerate(named)]
        for side, named in enumerate((first, second))
    )
    return aligned(one, two, (one, two))


def common(pairs: Sequence[Pair]) -> tuple[Places, Places, Places]:
    """Of the pairs that both have: their own places, and those of their entries in the first and second."""
    found = [(place, *pair[:2]) for place, pair in enumerate(pairs) if pair.common]
    own, first, second = np.array(found, np.int64).reshape(-1, 3).T
    return own, first, second


def whole(mask: Booleans, maps: LayerMaps) -> Booleans:
    """A mask of the maps with all their queries and keys: ``[heads or 1, queries, keys]``."""
    heads = mask.shape[0] if mask.ndim == maps.weights.ndim else 1
    return np.broadcast_to(mask, (heads, *maps.weights.shape[1:]))


def cut_differently(first: LayerMaps, second: LayerMaps) -> bool:
    """Whether tokens of one text stand for other characters in the one than in the other."""
    return any(
        [key for key in _keys(one) if key[0] == _TEXT] != [key for key in _keys(two) if key[0] == _TEXT]
        for one, two in ((first.queries, second.queries), (first.keys, second.keys))
    )


def pairs_by_label(first: Axis, second: Axis) -> tuple[Pair, ...]:
    """Of two texts: by what is written; a special token is never replaced by one of the text."""
    return aligned(first.labels, second.labels, (first.special, second.special))


def pairs_by_place(first: Axis, second: Axis) -> tuple[Pair, ...]:
    """Of one text: by the characters that are stood for; nothing in it was replaced."""
    one, two = _keys(first), _keys(second)
    return aligned(one, two, (one, two))


def _keys(axis: Axis) -> list[tuple[object, ...]]:
    """What tells an entry from the others of its text: its characters, or its name where it has none."""
    return [
        (_NAME, axis.labels[entry]) if span is None or not span.text < len(axis.texts) else _piece(axis, span)
        for entry, span in enumerate(axis.spans)
    ]


def _piece(axis: Axis, span: Span) -> tuple[object, ...]:
    """The characters and their place, without the blanks around them that some tokens have."""
    piece = axis.texts[span.text][span.start : span.stop]
    before = len(piece) - len(piece.lstrip()) if piece.strip() else 0
    return _TEXT, span.text, span.start + before, piece.strip() or piece


def label_of(pair: Pair, first: Axis, second: Axis) -> str:
    """ "cat" in both, "he→she" where one was replaced, "very→∅" and "∅→very" where it is in one alone."""
    one = ABSENT if pair.first is None else first.labels[pair.first]
    two = ABSENT if pair.second is None else second.labels[pair.second]
    return one if pair.same else f"{one}{REPLACED}{two}"

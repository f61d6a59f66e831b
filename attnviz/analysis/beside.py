"""Layers of two captures side by side: which of their queries and keys belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnviz.analysis.align import Pair, aligned
from attnviz.captures import Axis, Booleans, LayerMaps
from attnviz.inputs import Span

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

"""Maps of two captures on the axes on which both have their place, and their difference."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnviz.analysis.align import Pair
from attnviz.analysis.beside import Beside, Places, label_of, whole
from attnviz.analysis.naming import Wanted
from attnviz.captures import Axis, LayerMaps, Layers


class Spread(NamedTuple):
    """Layers of both captures and their difference, all on the axes on which both have their place."""

    first: Layers
    second: Layers
    difference: Layers


def spread(layers: Sequence[Beside], heads: Wanted) -> Spread:
    """The maps of these heads, by layer, of both captures and their difference, on common axes.

    Where an entry, or the sight of it, is in one capture alone the difference can be seen but was never
    computed.
    """
    found = [_spread(layer, heads[layer.name]) for layer in layers if layer.name in heads]
    return Spread(*(Layers(maps) for maps in zip(*found, strict=True)))


def _spread(layer: Beside, heads: Sequence[int]) -> tuple[LayerMaps, LayerMaps, LayerMaps]:
    """These heads of one layer: the first, the second, and the second less the first."""
    one, two = (_placed(layer, side, heads) for side in (0, 1))
    common = np.logical_and.outer(*([pair.common for pair in pairs] for pairs in (layer.queries, layer.keys)))
    done = common & one.visible & one.computed & two.visible & two.computed
    both = replace(
        one,
        weights=np.where(done, two.weights - one.weights, np.float32(0)),
        visible=one.visible | two.visible,
        computed=done,
        queries=_both(layer, "queries"),
        keys=_both(layer, "keys"),
    )
    return one, two, both


def _placed(layer: Beside, side: int, heads: Sequence[int]) -> LayerMaps:
    """The maps of one of the captures on the common axes; what it does not have is not to be seen."""
    maps = (layer.first, layer.second)[side]
    chosen = [maps.heads.index(head) for head in heads]
    places = [
        np.array([-1 if pair[side] is None else pair[side] for pair in pairs], np.int64)
        for pairs in (layer.queries, layer.keys)
    ]

    there = np.logical_and.outer(places[0] >= 0, places[1] >= 0)

    def moved(array: NDArray[Any]) -> Any:
        some = array[chosen] if len(array) == len(maps.heads) else array
        return np.where(there, some[:, places[0]][:, :, places[1]], np.zeros((), array.dtype))

    return replace(
        maps,
        heads=tuple(heads),
        weights=moved(maps.weights),
        visible=moved(whole(maps.visible, maps)),
        computed=moved(whole(maps.computed, maps)),
        queries=_own(maps.queries, places[0]),
        keys=_own(maps.keys, places[1]),
    )


def _own(axis: Axis, places: Places) -> Axis:
    """The entries of one capture in their places; an empty label and position -1 where it has none."""
    return Axis(
        labels=tuple(axis.labels[place] if place >= 0 else "" for place in places),
        positions=tuple(axis.positions[place] if place >= 0 else -1 for place in places),
        spans=(None,) * len(places),
        words=(-1,) * len(places),
        special=tuple(place >= 0 and axis.special[place] for place in places),
        unit=axis.unit,
    )


def _both(layer: Beside, side: str) -> Axis:
    """The common axis, labelled by what stands on it in both."""
    pairs: tuple[Pair, ...] = getattr(layer, side)
    one, two = getattr(layer.first, side), getattr(layer.second, side)
    return Axis(
        labels=tuple(label_of(pair, one, two) for pair in pairs),
        positions=tuple(range(len(pairs))),
        spans=(None,) * len(pairs),
        words=(-1,) * len(pairs),
        special=(False,) * len(pairs),
        unit=one.unit,
    )

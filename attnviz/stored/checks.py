"""Whether what a file says can be true: its numbers fit each other, beyond being of the right types.

Weights are not looked at here, since they may be many gigabytes: they are when they are shown
(``analysis.select``).
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Axis, Capture, Head, Layers, Pairs, Statistics
from attnviz.facts import LayerFacts, layer_name
from attnviz.inputs import Span
from attnviz.metrics import METRICS

Facts = Mapping[str, LayerFacts]

_STACK = re.compile(r"([a-z][a-z0-9_]*)?")


def check(capture: Capture, axes: Iterable[Axis]) -> None:
    """Raises ValueError for what cannot have been captured; the message says what is wrong with it.

    axes: all that there are in it
    """
    facts = _facts(capture.model.layers)
    _expect("\0" not in capture.sample.name, "its sample has a name that no file can have")
    for axis in axes:
        _check_axis(axis)
    for layers in (capture.maps, capture.pooled, capture.means, capture.rollout, capture.words):
        _check_layers(layers, facts)
    if capture.statistics is not None:
        _check_statistics(capture, capture.statistics, facts)
    if capture.pairs is not None:
        _check_pairs(capture, capture.pairs, facts)


def _facts(layers: tuple[LayerFacts, ...]) -> Facts:
    """The model's layers by name."""
    for layer in layers:
        named = _STACK.fullmatch(layer.stack) and layer.layer >= 0
        _expect(named and layer.heads >= 0, f"its model has no such layer: {layer.name!r}")
    facts = {layer.name: layer for layer in layers}
    _expect(len(facts) == len(layers), "two layers of its model have the same name")
    return facts


def _check_axis(axis: Axis) -> None:
    length = len(axis)
    _expect(len(axis.ids) in (0, length), f"an axis of {length} labels has {len(axis.ids)} ids")
    _expect(len(axis.masks) in (0, length), f"an axis of {length} labels has {len(axis.masks)} masks")
    _expect(min(axis.positions, default=0) >= 0, "an axis has a position before its first")
    _expect(min(axis.words, default=0) >= -1, "an axis has a word before its first")
    for span in axis.spans:
        _expect(span is None or _is_in(span, axis.texts), "an axis points beyond its text")
    if axis.grid is not None:
        first, rows, columns = axis.grid
        fits = first >= 0 and rows > 0 and columns > 0 and first + rows * columns <= length
        _expect(fits, f"a grid of {rows} x {columns} does not fit an axis of {length} labels")


def _is_in(span: Span, texts: tuple[str, ...]) -> bool:
    return 0 <= span.text < len(texts) and 0 <= span.start <= span.stop <= len(texts[span.text])


def _check_layers(layers: Layers, facts: Facts) -> None:
    _expect(len(set(layers.names)) == len(layers), "two of its maps are of the same layer")
    for maps in layers:
        _check_heads([Head(maps.stack, maps.layer, head) for head in maps.heads], facts)
        _expect(maps.visible.ndim == maps.computed.ndim == 3, f"a mask of layer {maps.name} is no map")


def _check_heads(heads: Iterable[Head], facts: Facts) -> None:
    heads = list(heads)
    _expect(len(set(heads)) == len(heads), "it names a head twice")
    for head in heads:
        layer = facts.get(layer_name(head.stack, head.layer))
        _expect(layer and 0 <= head.head < layer.heads, f"its model has no head {head.name}")


def _check_statistics(capture: Capture, statistics: Statistics, facts: Facts) -> None:
    _check_heads(statistics.heads, facts)
    tables = (statistics.values, statistics.rows, statistics.baselines)
    for name, array in chain.from_iterable(table.items() for table in tables):
        _expect(name in METRICS, f"no statistic is called {name!r}")
        _expect(array.shape == (len(statistics.heads),), f"its statistic {name} is not one number a head")
        _expect(not np.isinf(array).any(), f"its statistic {name} is not finite")
    _expect(statistics.values.keys() == statistics.rows.keys(), "a statistic has no number of rows")
    _expect(statistics.baselines.keys() <= statistics.rows.keys(), "a baseline belongs to no statistic")
    _expect(all((rows >= 0).all() for rows in statistics.rows.values()), "a statistic has less than no rows")
    offsets = statistics.offsets
    _expect(offsets.ndim == 2 and offsets.shape[1] == 3, "its offsets are no list of head, offset and rows")
    _expect(_within(offsets[:, 0], 0, len(statistics.heads)), "an offset belongs to no head")
    _check_pairs(capture, statistics.evidence, facts)


def _check_pairs(capture: Capture, pairs: Pairs, facts: Facts) -> None:
    _check_heads(pairs.heads, facts)
    shape = pairs.weights.shape
    fits = (
        len(shape) == 2 and shape[0] == len(pairs.heads) and pairs.queries.shape == pairs.keys.shape == shape
    )
    _expect(fits, "its strongest pairs are not as many for each head")
    _expect(not np.isinf(pairs.weights).any(), "the weight of a pair is not finite")
    for place, head in enumerate(pairs.heads):
        axes = capture.axes.get(layer_name(head.stack, head.layer)) or capture.axes.get(head.stack)
        for side, places in enumerate((pairs.queries[place], pairs.keys[place])):
            stop = len(axes[side]) if axes else np.iinfo(np.int64).max
            _expect(_within(places, -1, stop), f"a pair of head {head.name} is not on its axes")


def _within(numbers: NDArray[np.int64], start: int, stop: int) -> bool:
    return bool(((start <= numbers) & (numbers < stop)).all())


def _expect(holds: object, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)

"""Maps of long texts made small while the model runs: neighbouring tokens put together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from attnviz.captures import Axis, Capture, LayerMaps, Layers
from attnviz.facts import LayerFacts
from attnviz.inputs import hull
from attnviz.observe.base import Axes, axes_of, sizes
from attnviz.observe.choice import Choice, chosen, for_heads, masks_of, picked, places, spanned
from attnviz.observe.memory import Need
from attnviz.observe.tiles import Tile


class PoolMaps:
    """Keeps the maps of the chosen heads of one sample, at most ``size`` rows and columns each.

    A cell is the mean over the queries of a group and the sum over the keys of one, so that a row still says
    how the attention of its queries is shared out and sums to what they do. Memory does not grow with the
    text.
    """

    def __init__(self, size: int, choice: Choice = None) -> None:
        self._size = size
        self._choice = choice
        self._axes: Axes = {}
        self._pooled: dict[LayerFacts, _Sums] = {}

    def start(self, axes: Axes) -> None:
        self._axes = axes
        self._pooled = {}

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        total = 0
        for layer, both in sizes(layers, axes):
            queries, keys = (min(length, self._size) for length in both)
            heads = len(chosen(self._choice, layer))
            total += queries * keys * (4 * heads + 8) if heads else 0
        return Need(total, what="pooled maps", instead="pool them to fewer rows and columns", device=total)

    def wanted(self, layer: LayerFacts) -> range | None:
        return spanned(self._choice, layer)

    def see(self, tile: Tile) -> None:
        if tile.layer not in self._pooled:
            self._pooled[tile.layer] = self._room(tile)
        self._pooled[tile.layer].add(tile)

    def added_to(self, capture: Capture) -> Capture:
        maps = (
            pooled.layer_maps(layer, axes_of(self._axes, layer, pooled.size))
            for layer, pooled in self._pooled.items()
        )
        notes = tuple(dict.fromkeys((*capture.notes, *self._notes())))
        return replace(capture, pooled=Layers((*capture.pooled, *maps)), notes=notes)

    def _notes(self) -> list[str]:
        factors = dict.fromkeys(pooled.factors for pooled in self._pooled.values())
        return [
            f"pooled while the model ran: groups of {queries} queries (mean) and {keys} keys (sum)"
            for queries, keys in factors
            if (queries, keys) != (1, 1)
        ]

    def _room(self, tile: Tile) -> "_Sums":
        """Zeros to which this layer's tiles will be added; masks that are alike for all heads have one."""
        heads = chosen(self._choice, tile.layer)
        by_query, by_key = (-(-length // self._size) for length in tile.size)
        pairs = (-(-tile.size[0] // by_query), -(-tile.size[1] // by_key))
        masks = (masks_of(heads, tile, mask) for mask in (tile.visible, tile.computed))
        zeros = (tile.weights.new_zeros(count, *pairs, dtype=torch.float32) for count in (len(heads), *masks))
        return _Sums(heads, tile.size, (by_query, by_key), *zeros)


@dataclass(frozen=True)
class _Sums:
    """Sums of one layer over groups of queries and of keys: ``[heads, query groups, key groups]``.

    size:    queries and keys before they are put together
    factors: queries of a group, keys of a group
    visible, computed: how many pairs of a group are
    """

    heads: tuple[int, ...]
    size: tuple[int, int]
    factors: tuple[int, int]
    weights: Tensor
    visible: Tensor
    computed: Tensor

    def add(self, tile: Tile) -> None:
        own, theirs = places(self.heads, tile)
        self._add(self.weights, own, picked(tile.weights, theirs), tile)
        for sums, mask in ((self.visible, tile.visible), (self.computed, tile.computed)):
            alike = sums.shape[0] == 1
            heads = [0] if alike else own
            seen = for_heads(mask, theirs[:1] if alike else theirs)
            self._add(sums, heads, seen.expand(len(heads), *tile.weights.shape[1:]), tile)

    def _add(self, sums: Tensor, heads: list[int], values: Tensor, tile: Tile) -> None:
        """Add ``values [heads, rows, columns]`` of a tile to the sums of those heads."""
        by_query, by_key = self.factors
        first, last = tile.columns.start // by_key, -(-tile.columns.stop // by_key)
        margins = tile.columns.start - first * by_key, last * by_key - tile.columns.stop
        by_group = pad(values.float(), margins).view(*values.shape[:2], -1, by_key).sum(-1)
        groups = torch.arange(tile.rows.start, tile.rows.stop, device=values.device) // by_query
        for head, added in zip(heads, by_group, strict=True):
            sums[head, :, first:last].index_add_(0, groups, added)

    def layer_maps(self, layer: LayerFacts, axes: tuple[Axis, Axis]) -> LayerMaps:
        """The record of this layer; axes are those of the single tokens."""
        queries, keys = axes
        starts = torch.arange(0, len(queries), self.factors[0])
        counts = (len(queries) - starts).clamp(max=self.factors[0]).to(self.weights)
        return LayerMaps(
            stack=layer.stack,
            layer=layer.layer,
            heads=self.heads,
            weights=(self.weights / counts[:, None]).cpu().numpy(),
            visible=(self.visible > 0).cpu().numpy(),
            computed=((self.computed > 0) | (self.visible == 0)).cpu().numpy(),
            queries=grouped(queries, self.factors[0]),
            keys=grouped(keys, self.factors[1]),
        )


def grouped(axis: Axis, size: int) -> Axis:
    """The axis with ``size`` neighbours put together at a time, called by first and last: ``The…mat``."""
    if size == 1:
        return axis
    groups = [slice(start, start + size) for start in range(0, len(axis), size)]
    return Axis(
        labels=tuple(_label(axis.labels[group]) for group in groups),
        positions=axis.positions[::size],
        spans=tuple(hull(axis.spans[group]) for group in groups),
        words=tuple(next((word for word in axis.words[group] if word >= 0), -1) for group in groups),
        special=tuple(all(axis.special[group]) for group in groups),
        texts=axis.texts,
        unit="group",
    )


def _label(labels: tuple[str, ...]) -> str:
    return labels[0] if len(labels) == 1 else f"{labels[0]}…{labels[-1]}"

"""The mean map over all heads of each layer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from attnviz.captures import Axis, Capture, LayerMaps, Layers
from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.observe.base import Axes, axes_of, sizes
from attnviz.observe.memory import Need
from attnviz.observe.pool import PoolMaps
from attnviz.observe.tiles import Tile

PAIR = 6  # bytes that a pair of tokens takes in a mean: a weight, whether it may be seen, whether computed


class HeadMeans:
    """Keeps one map a layer of one sample: the mean over all of its heads.

    A layer that is complete is moved off the device that the model runs on.
    """

    def __init__(self) -> None:
        self._axes: Axes = {}
        self._coming: dict[LayerFacts, HeadSum] = {}
        self._means: list[LayerMaps] = []

    def start(self, axes: Axes) -> None:
        self._axes = axes
        self._coming = {}
        self._means = []

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        pairs = [queries * keys for layer, (queries, keys) in sizes(layers, axes) if layer.heads]
        return Need(
            PAIR * sum(pairs),
            what=f"mean maps of {len(pairs)} layers",
            instead="take them pooled, or read a shorter text",
            device=PAIR * max(pairs, default=0),
        )

    def wanted(self, layer: LayerFacts) -> range | None:
        return range(layer.heads) or None

    def see(self, tile: Tile) -> None:
        if tile.layer not in self._coming:
            self._coming[tile.layer] = HeadSum.of(tile)
        sums = self._coming[tile.layer]
        sums.add(tile)
        if sums.complete:
            self._means.append(sums.mean_maps(tile.layer, self._axes))
            del self._coming[tile.layer]

    def added_to(self, capture: Capture) -> Capture:
        check_complete(self._coming)
        return replace(capture, means=Layers((*capture.means, *self._means)))


class PooledMeans:
    """Keeps the mean over the heads of each layer of one sample, at most ``size`` rows and columns.

    Neighbouring tokens are put together as PoolMaps does it. Memory does not grow with the text.
    """

    def __init__(self, size: int) -> None:
        self._pool = PoolMaps(size)

    def start(self, axes: Axes) -> None:
        self._pool.start(axes)

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        return self._pool.needs(layers, axes)

    def wanted(self, layer: LayerFacts) -> range | None:
        return self._pool.wanted(layer)

    def see(self, tile: Tile) -> None:
        self._pool.see(tile)

    def added_to(self, capture: Capture) -> Capture:
        seen = self._pool.added_to(replace(capture, pooled=Layers()))
        means = Layers((*capture.means, *map(over_heads, seen.pooled)))
        return replace(capture, means=means, notes=seen.notes)


def over_heads(maps: LayerMaps) -> LayerMaps:
    """One map: the mean over the heads of these."""
    return replace(
        maps,
        weights=maps.weights.mean(0)[None],
        visible=np.asarray(maps.visible.any(0))[None],
        computed=np.asarray(maps.computed.any(0))[None],
        mean=True,
    )


@dataclass
class HeadSum:
    """The sum over the heads of one layer's maps while the tiles come in, on their device.

    weights:  ``[queries, keys]``
    visible:  likewise: some head may see the pair
    computed: likewise: some head computed it
    left:     how many rows of how many heads are still to come
    """

    weights: Tensor
    visible: Tensor
    computed: Tensor
    left: int

    @classmethod
    def of(cls, tile: Tile) -> "HeadSum":
        """Zeros for the layer that this is the first tile of."""
        zeros = tile.weights.new_zeros(tile.size, dtype=torch.float32)
        visible, computed = (torch.zeros_like(zeros, dtype=torch.bool) for _ in range(2))
        return cls(zeros, visible, computed, tile.layer.heads * tile.size[0])

    @property
    def complete(self) -> bool:
        return self.left == 0

    def add(self, tile: Tile) -> None:
        pairs = slice(tile.rows.start, tile.rows.stop), slice(tile.columns.start, tile.columns.stop)
        self.weights[pairs] += tile.weights.sum(0, dtype=torch.float32)
        self.visible[pairs] |= tile.visible.any(0)
        self.computed[pairs] |= tile.computed.any(0)
        self.left -= len(tile.heads) * len(tile.rows)

    def mean(self, heads: int) -> Tensor:
        """The mean over so many heads ``[queries, keys]``, in the place of the sum."""
        return self.weights.div_(heads)

    def mean_maps(self, layer: LayerFacts, axes: Axes) -> LayerMaps:
        """The record of the mean; a pair that no head may see counts as computed, as everywhere."""
        weights = self.mean(layer.heads)
        computed = self.computed | ~self.visible
        return mean_maps(layer, axes_of(axes, layer, size_of(weights)), weights, self.visible, computed)


def check_complete(coming: Iterable[LayerFacts]) -> None:
    """Raises ModelError for a layer of which only a part came by."""
    for layer in coming:
        raise ModelError(f"layer {layer.name} came by in part only: there is no mean over its heads")


def size_of(weights: Tensor) -> tuple[int, int]:
    """Queries and keys of one map."""
    return weights.shape[0], weights.shape[1]


def mean_maps(
    layer: LayerFacts, axes: tuple[Axis, Axis], weights: Tensor, visible: Tensor, computed: Tensor
) -> LayerMaps:
    """The record of one map over all heads of a layer.

    weights: ``[queries, keys]``; visible, computed: broadcastable to it
    """
    return LayerMaps(
        stack=layer.stack,
        layer=layer.layer,
        heads=tuple(range(layer.heads)),
        weights=weights[None].cpu().numpy(),
        visible=visible[None].cpu().numpy(),
        computed=computed[None].cpu().numpy(),
        queries=axes[0],
        keys=axes[1],
        mean=True,
    )

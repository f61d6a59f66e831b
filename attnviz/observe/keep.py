"""Whole maps of chosen heads."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attnviz.captures import Axis, Capture, LayerFacts, LayerMaps, Layers
from attnviz.observe.base import Axes, axes_of
from attnviz.observe.choice import Choice, chosen, places, spanned
from attnviz.observe.tiles import Tile


class KeepMaps:
    """Keeps the maps of the chosen heads of one sample as they are; ``map_bytes`` says what that takes."""

    def __init__(self, choice: Choice = None) -> None:
        self._choice = choice
        self._axes: Axes = {}
        self._kept: dict[LayerFacts, _Maps] = {}

    def start(self, axes: Axes) -> None:
        self._axes = axes
        self._kept = {}

    def wanted(self, layer: LayerFacts) -> range | None:
        return spanned(self._choice, layer)

    def see(self, tile: Tile) -> None:
        if tile.layer not in self._kept:
            self._kept[tile.layer] = _room(tile, chosen(self._choice, tile.layer))
        self._kept[tile.layer].add(tile)

    def added_to(self, capture: Capture) -> Capture:
        maps = (
            kept.layer_maps(layer, *axes_of(self._axes, layer, kept.size))
            for layer, kept in self._kept.items()
        )
        return replace(capture, maps=Layers((*capture.maps, *maps)))


@dataclass(frozen=True)
class _Maps:
    """The maps of one layer while they come in: weights and masks ``[heads, queries, keys]``.

    Masks have one head where all are alike.
    """

    heads: tuple[int, ...]
    weights: Tensor
    visible: Tensor
    computed: Tensor

    @property
    def size(self) -> tuple[int, int]:
        return self.weights.shape[1], self.weights.shape[2]

    def add(self, tile: Tile) -> None:
        pairs = slice(tile.rows.start, tile.rows.stop), slice(tile.columns.start, tile.columns.stop)
        own, theirs = places(self.heads, tile)
        self.weights[(own, *pairs)] = tile.weights[theirs].to(self.weights)
        for kept, seen in ((self.visible, tile.visible), (self.computed, tile.computed)):
            if seen.shape[0] == 1:
                kept[(slice(None), *pairs)] = seen.to(kept)
            else:
                kept[(own, *pairs)] = seen[theirs].to(kept)

    def layer_maps(self, layer: LayerFacts, queries: Axis, keys: Axis) -> LayerMaps:
        return LayerMaps(
            stack=layer.stack,
            layer=layer.layer,
            heads=self.heads,
            weights=self.weights.numpy(),
            visible=self.visible.numpy(),
            computed=self.computed.numpy(),
            queries=queries,
            keys=keys,
        )


def _room(tile: Tile, heads: tuple[int, ...]) -> _Maps:
    """Room for the maps that this is the first tile of: what no tile covers is not visible, but computed."""

    def mask(seen: Tensor, *, value: bool) -> Tensor:
        return torch.full((1 if seen.shape[0] == 1 else len(heads), *tile.size), value)

    return _Maps(
        heads,
        torch.zeros(len(heads), *tile.size),
        mask(tile.visible, value=False),
        mask(tile.computed, value=True),
    )

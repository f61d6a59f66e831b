"""Whole maps of chosen heads."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attnviz.captures import Axis, Capture, LayerFacts, LayerMaps
from attnviz.observe.base import Axes
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
            self._kept[tile.layer] = _room(
                tile, chosen(self._choice, tile.layer), *self._axes[tile.layer.stack]
            )
        self._kept[tile.layer].add(tile)

    def added_to(self, capture: Capture) -> Capture:
        maps = (kept.layer_maps(layer, *self._axes[layer.stack]) for layer, kept in self._kept.items())
        return replace(capture, maps=(*capture.maps, *maps))


@dataclass(frozen=True)
class _Maps:
    """The maps of one layer while they come in: weights and masks ``[heads, queries, keys]``.

    Masks have one head where all are alike, and are a single value where all pairs are.
    """

    heads: tuple[int, ...]
    weights: Tensor
    visible: Tensor
    computed: Tensor

    def add(self, tile: Tile) -> None:
        rows = slice(tile.rows, tile.rows + tile.weights.shape[2])
        own, theirs = places(self.heads, tile)
        self.weights[own, rows] = tile.weights[0, theirs].to(self.weights)
        for kept, seen in ((self.visible, tile.visible), (self.computed, tile.computed)):
            if seen.shape[1] == 1:
                kept[:, rows if kept.shape[1] > 1 else slice(None)] = seen[0].to(kept)
            else:
                kept[own, rows] = seen[0, theirs].to(kept)

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


def _room(tile: Tile, heads: tuple[int, ...], queries: Axis, keys: Axis) -> _Maps:
    """Room for the maps that this is the first tile of."""
    pairs = (len(queries), len(keys))

    def mask(seen: Tensor) -> Tensor:
        alike = seen.shape[1] == 1
        shape = (1, 1, 1) if seen.numel() == 1 else (1 if alike else len(heads), *pairs)
        return torch.zeros(shape, dtype=torch.bool)

    return _Maps(heads, torch.zeros(len(heads), *pairs), mask(tile.visible), mask(tile.computed))

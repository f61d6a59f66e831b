"""Whole maps of chosen heads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attnviz.captures import Axis, Capture, LayerMaps, Layers
from attnviz.facts import LayerFacts
from attnviz.observe.base import Axes, axes_of, sizes
from attnviz.observe.choice import Choice, chosen, for_heads, map_bytes, masks_of, picked, places, spanned
from attnviz.observe.memory import Need
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

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        kept = [(len(chosen(self._choice, layer)), both) for layer, both in sizes(layers, axes)]
        longest = max((max(both) for heads, both in kept if heads), default=0)
        return Need(
            map_bytes(layers, self._choice, axes),
            what=f"maps of {sum(heads for heads, _ in kept)} heads over {longest:,} tokens",
            instead='keep fewer (keep="3.5,7.1"), or pooled ones (keep=None, pooled=256)',
            of="maps",
        )

    def wanted(self, layer: LayerFacts) -> range | None:
        return spanned(self._choice, layer)

    def see(self, tile: Tile) -> None:
        if tile.layer in self._kept:
            self._kept[tile.layer].add(tile)
            return
        heads = chosen(self._choice, tile.layer)
        if _is_whole(tile, heads):
            self._kept[tile.layer] = _copied(tile, heads)
            return
        self._kept[tile.layer] = _room(tile, heads)
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
        self.weights[(own, *pairs)] = picked(tile.weights, theirs).to(self.weights)
        for kept, seen in ((self.visible, tile.visible), (self.computed, tile.computed)):
            alike = kept.shape[0] == 1
            kept[([0] if alike else own, *pairs)] = for_heads(seen, theirs[:1] if alike else theirs).to(kept)

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


def _is_whole(tile: Tile, heads: tuple[int, ...]) -> bool:
    """Whether a tile holds all that is to be kept of its layer."""
    whole = (tile.rows, tile.columns) == (range(tile.size[0]), range(tile.size[1]))
    return whole and heads[0] >= tile.heads.start and heads[-1] < tile.heads.stop


def _copied(tile: Tile, heads: tuple[int, ...]) -> _Maps:
    """The maps of a layer that comes in one tile: its own, where they last."""
    if tile.lasting and len(heads) == len(tile.heads) and not tile.weights.is_cuda:
        masks = (mask.to("cpu", copy=True) for mask in (tile.visible, tile.computed))
        return _Maps(heads, tile.weights, *masks)
    theirs = [head - tile.heads.start for head in heads]
    masks = (for_heads(mask, theirs).to("cpu", copy=True) for mask in (tile.visible, tile.computed))
    weights = picked(tile.weights, theirs).to("cpu", torch.float32, copy=True)
    return _Maps(heads, weights, *masks)


def _room(tile: Tile, heads: tuple[int, ...]) -> _Maps:
    """Room for the maps that this is the first tile of: what no tile covers is not visible, but computed."""

    def mask(seen: Tensor, *, value: bool) -> Tensor:
        return torch.full((masks_of(heads, tile, seen), *tile.size), value)

    return _Maps(
        heads,
        torch.zeros(len(heads), *tile.size),
        mask(tile.visible, value=False),
        mask(tile.computed, value=True),
    )

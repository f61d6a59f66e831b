"""Maps of words: sub-tokens put together while the model runs, so that maps of tokens are never held."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from attnviz.analysis.words import word_axis, word_groups
from attnviz.captures import Axis, Capture, Integers, LayerMaps, Layers
from attnviz.facts import LayerFacts
from attnviz.observe.base import Axes, axes_of, sizes
from attnviz.observe.choice import Choice, chosen, for_heads, masks_of, picked, places, spanned
from attnviz.observe.memory import Need
from attnviz.observe.tiles import Tile

Places = Integers
"""Of each token its word's place among the words of the axis."""


class WordMaps:
    """Keeps the maps of the chosen heads of one sample, their sub-tokens put together to words.

    Weights are summed over the keys of a word and averaged over its queries, as ``analysis.words.by_words``
    does with whole maps; the model's own tokens stay apart.
    """

    def __init__(self, choice: Choice = None) -> None:
        self._choice = choice
        self._axes: Axes = {}
        self._words: dict[LayerFacts, _Words] = {}

    def start(self, axes: Axes) -> None:
        self._axes = axes
        self._words = {}

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        """Words are at most as many as tokens; how many they are is not counted."""
        total = 0
        for layer, (queries, keys) in sizes(layers, axes):
            heads = len(chosen(self._choice, layer))
            total += queries * keys * (4 * heads + 8) if heads else 0
        return Need(
            total,
            what="maps of words",
            instead="choose fewer heads, or take pooled maps",
            device=total,
            of="words",
        )

    def wanted(self, layer: LayerFacts) -> range | None:
        return spanned(self._choice, layer)

    def see(self, tile: Tile) -> None:
        if tile.layer not in self._words:
            self._words[tile.layer] = self._room(tile)
        self._words[tile.layer].add(tile)

    def added_to(self, capture: Capture) -> Capture:
        maps = [words.layer_maps(layer) for layer, words in self._words.items()]
        self._words = {}
        return replace(capture, words=Layers((*capture.words, *maps)))

    def _room(self, tile: Tile) -> "_Words":
        """Zeros to which this layer's tiles will be added; masks that are alike for all heads have one."""
        heads = chosen(self._choice, tile.layer)
        axes = axes_of(self._axes, tile.layer, tile.size)
        words = word_axis(axes[0]), word_axis(axes[1])
        masks = (masks_of(heads, tile, mask) for mask in (tile.visible, tile.computed))
        zeros = (
            tile.weights.new_zeros(count, *map(len, words), dtype=torch.float32)
            for count in (len(heads), *masks)
        )
        return _Words(heads, words, (word_groups(axes[0]), word_groups(axes[1])), *zeros)


@dataclass(frozen=True)
class _Words:
    """Sums of one layer over the words of queries and of keys: ``[heads, query words, key words]``.

    places:  of the word of each query, and of each key
    visible: how many pairs of tokens are
    missing: how many pairs of tokens the model did not compute
    """

    heads: tuple[int, ...]
    words: tuple[Axis, Axis]
    places: tuple[Places, Places]
    weights: Tensor
    visible: Tensor
    missing: Tensor

    def add(self, tile: Tile) -> None:
        own, theirs = places(self.heads, tile)
        self._add(self.weights, own, picked(tile.weights, theirs), tile)
        for sums, mask in ((self.visible, tile.visible), (self.missing, ~tile.computed)):
            alike = sums.shape[0] == 1
            self._add(sums, [0] if alike else own, for_heads(mask, theirs[:1] if alike else theirs), tile)

    def _add(self, sums: Tensor, heads: list[int], values: Tensor, tile: Tile) -> None:
        """Add ``values``, broadcastable to a tile's ``[heads, rows, columns]``, to those heads' sums."""
        queries, keys = self.places[0][_slice(tile.rows)], self.places[1][_slice(tile.columns)]
        rows, columns = _reach(queries), _reach(keys)
        by_key = _grouped(values, keys - columns.start, 2)
        sums[heads, rows, columns] += _grouped(by_key, queries - rows.start, 1)

    def layer_maps(self, layer: LayerFacts) -> LayerMaps:
        queries, keys = (np.bincount(places).astype(np.float32) for places in self.places)
        weights = self.weights.cpu().numpy()
        return LayerMaps(
            stack=layer.stack,
            layer=layer.layer,
            heads=self.heads,
            weights=np.divide(weights, queries[:, None], out=weights),
            visible=(self.visible > 0).cpu().numpy(),
            computed=self.missing.cpu().numpy() < queries[:, None] * keys,
            queries=self.words[0],
            keys=self.words[1],
        )


def _slice(numbers: range) -> slice:
    return slice(numbers.start, numbers.stop)


def _reach(places: Places) -> slice:
    """From the first to the last of the places."""
    return slice(int(places.min()), int(places.max()) + 1)


def _grouped(values: Tensor, places: Places, dim: int) -> Tensor:
    """The values summed by place along an axis; a single one there stands for all of them."""
    if values.shape[dim] == 1:
        sizes = torch.from_numpy(np.bincount(places)).to(values.device, torch.float32)
        return values * sizes.view([-1 if axis == dim else 1 for axis in range(values.dim())])
    shape = [int(places.max()) + 1 if axis == dim else length for axis, length in enumerate(values.shape)]
    zeros = values.new_zeros(shape, dtype=torch.float32)
    return zeros.index_add_(dim, torch.from_numpy(places).to(values.device), values.float())

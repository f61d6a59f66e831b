"""The strongest query-key pairs of each head."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from attnviz.captures import Axis, Capture, Head, Pairs
from attnviz.facts import LayerFacts
from attnviz.observe.base import Axes, axes_of
from attnviz.observe.choice import Choice, chosen, for_heads, picked, places, spanned
from attnviz.observe.memory import Need
from attnviz.observe.tiles import Tile

NOTHING = -torch.inf  # what stands for the weight of a pair that is none


class StrongestPairs:
    """Keeps the ``count`` largest weights of each chosen head of one sample, and whose they are.

    Of equal weights the earlier query's comes first, then the earlier key's. Only pairs that the query may
    see and the model computed count.

    special: whether the model's own tokens count, as queries and as keys
    """

    def __init__(self, count: int, choice: Choice = None, *, special: bool = True) -> None:
        self._count = count
        self._choice = choice
        self._special = special
        self._axes: Axes = {}
        self._strongest: dict[LayerFacts, _Strongest] = {}

    def start(self, axes: Axes) -> None:
        self._axes = axes
        self._strongest = {}

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:  # noqa: ARG002 - whatever the text
        size = 24 * self._count * sum(len(chosen(self._choice, layer)) for layer in layers)
        return Need(size, what="the strongest pairs", instead="ask for fewer", device=size)

    def wanted(self, layer: LayerFacts) -> range | None:
        return spanned(self._choice, layer)

    def see(self, tile: Tile) -> None:
        if tile.layer not in self._strongest:
            self._strongest[tile.layer] = self._room(tile)
        self._strongest[tile.layer].add(tile)

    def added_to(self, capture: Capture) -> Capture:
        found = [strongest.pairs(layer) for layer, strongest in self._strongest.items()]
        return replace(capture, pairs=reduce(_joined, found)) if found else capture

    def _room(self, tile: Tile) -> "_Strongest":
        heads = chosen(self._choice, tile.layer)
        axes = axes_of(self._axes, tile.layer, tile.size)
        out = None if self._special else tuple(_special(axis, tile.weights.device) for axis in axes)
        weights = tile.weights.new_full((len(heads), self._count), NOTHING, dtype=torch.float32)
        numbers = torch.full_like(weights, tile.size[0] * tile.size[1], dtype=torch.int64)
        return _Strongest(heads, tile.size[1], out, weights, numbers)


@dataclass(frozen=True)
class _Strongest:
    """The strongest pairs of one layer so far, the strongest first: ``[heads, pairs]``.

    keys:    how many there are: pair number n is of query n // keys and key n % keys
    out:     bool, the queries and the keys that do not count; None if all do
    weights: NOTHING where no pair was found yet
    numbers: of the pairs
    """

    heads: tuple[int, ...]
    keys: int
    out: tuple[Tensor, ...] | None
    weights: Tensor
    numbers: Tensor

    def add(self, tile: Tile) -> None:
        """Look at as many rows of the tile as there are pairs wanted.

        No other row can hold one: these have the largest weights, of equal ones the first.
        """
        own, theirs = places(self.heads, tile)
        weights, counts = self._counting(tile, theirs)
        best = weights.amax(2).masked_fill(~counts.any(2), NOTHING)
        if best.is_cpu and not (best >= self.weights[own, -1:]).any():
            return  # (to be asked this, a GPU would have to be waited for)
        order = best.sort(dim=1, descending=True, stable=True).indices
        rows = order[:, : self.weights.shape[1]].sort(1).values
        some = _rows(weights, rows).float().masked_fill(~_rows(counts, rows), NOTHING)
        self._put(own, *self._largest(some, rows, tile))

    def _largest(self, some: Tensor, rows: Tensor, tile: Tile) -> tuple[Tensor, Tensor]:
        """The strongest pairs and their numbers ``[heads, pairs]`` in some rows of a tile.

        some: the weights ``[heads, some, columns]``; rows: which rows these are
        """
        found, at = _largest(some.flatten(1), self.weights.shape[1])
        width = some.shape[2]
        queries = rows.gather(1, at // width) + tile.rows.start
        return found, queries * self.keys + at % width + tile.columns.start

    def _put(self, own: list[int], found: Tensor, numbers: Tensor) -> None:
        """Keep the strongest; sorted by their numbers first, so that of equal ones the first wins."""
        numbers, order = torch.cat([self.numbers[own], numbers], 1).sort(1)
        weights = torch.cat([self.weights[own], found], 1).gather(1, order)
        weights, strongest = weights.sort(dim=1, descending=True, stable=True)
        count = self.weights.shape[1]
        self.weights[own] = weights[:, :count]
        self.numbers[own] = numbers.gather(1, strongest)[:, :count]

    def _counting(self, tile: Tile, heads: list[int]) -> tuple[Tensor, Tensor]:
        """The weights of a tile, and which of them count (broadcastable)."""
        weights, counts = picked(tile.weights, heads), for_heads(tile.visible & tile.computed, heads)
        if self.out is None:
            return weights, counts
        queries, keys = self.out[0][_slice(tile.rows)], self.out[1][_slice(tile.columns)]
        return weights.masked_fill(keys, NOTHING), counts & ~queries[:, None] & ~keys

    def pairs(self, layer: LayerFacts) -> Pairs:
        weights, numbers = self.weights.cpu().double().numpy(), self.numbers.cpu().numpy()
        there = weights > NOTHING
        return Pairs(
            heads=tuple(Head(layer.stack, layer.layer, head) for head in self.heads),
            queries=np.where(there, numbers // self.keys, -1),
            keys=np.where(there, numbers % self.keys, -1),
            weights=np.where(there, weights, np.nan),
        )


def _special(axis: Axis, device: torch.device) -> Tensor:
    return torch.tensor(axis.special, dtype=torch.bool, device=device)


def _slice(numbers: range) -> slice:
    return slice(numbers.start, numbers.stop)


def _rows(values: Tensor, rows: Tensor) -> Tensor:
    """The rows of each head ``[heads, some]`` of something broadcastable to ``[heads, rows, columns]``."""
    heads = torch.arange(len(rows), device=rows.device)[:, None] if values.shape[0] > 1 else 0
    return values[heads, rows if values.shape[1] > 1 else torch.zeros_like(rows)]


def _largest(weights: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest numbers of each row of ``[heads, places]`` and their places; of equal ones the first.

    Numbers of 32 bits become whole ones of 64 that differ everywhere: above the number's own bits, in its
    order, below them the place, counted down.
    """
    bits = weights.contiguous().view(torch.int32)
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # of negative numbers the larger have the smaller bits
    down = 0xFFFFFFFF - torch.arange(weights.shape[1], device=weights.device)
    at = ((ordered.long() << 32) | down).topk(min(count, weights.shape[1]), 1).indices
    return weights.gather(1, at), at


def _joined(first: Pairs, then: Pairs) -> Pairs:
    return Pairs(
        first.heads + then.heads,
        np.concatenate([first.queries, then.queries]),
        np.concatenate([first.keys, then.keys]),
        np.concatenate([first.weights, then.weights]),
    )

"""What a tile says of each of its rows: the numbers that statistics (``metrics``) are means of."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from attnviz.models.scratch import Scratch
from attnviz.observe.keys import DENSE, Keys
from attnviz.observe.tiles import Tile

FAR = 100.0  # scores beyond it are counted from the largest of their row
CHUNK = 64  # keys that are looked through at once for the largest weight


@dataclass(frozen=True)
class Shapes:
    """Of each row, ``[heads, rows]`` each.

    sums:    what the keys have of it
    largest: its largest weight
    places:  the key of that, the first of equals (a number of the map, not of the tile)
    entropy: in bits, of the row divided by its sum
    """

    sums: Tensor
    largest: Tensor
    places: Tensor
    entropy: Tensor


def shapes(tile: Tile, scratch: Scratch) -> Shapes:
    """How a tile's rows are shared out."""
    weights, scores = tile.weights, tile.scores
    largest, places = _largest(weights)
    sums = weights.sum(-1) if tile.sink or scores is None else torch.ones_like(largest)
    if scores is None:
        logs = weights.clamp_min(torch.finfo(weights.dtype).tiny).log_()
        nats = sums.log() - scratch.dot(weights, logs) / sums
    else:
        top = scores.gather(-1, places[..., None])
        if float(top.abs().max()) > FAR:  # products of large numbers would lose what is small
            scores, top = scores - top, torch.zeros_like(top)
        nats = top[..., 0] - (largest / sums).log() - scratch.dot(weights, scores) / sums
    return Shapes(sums, largest, places + tile.columns.start, nats.clamp_min_(0).div_(math.log(2)))


def _largest(weights: Tensor) -> tuple[Tensor, Tensor]:
    """The largest weight of each row and its place, the first of equals.

    Looked for among the largest of each chunk: torch's own search for the place is ten times slower.
    """
    keys = weights.shape[-1]
    if keys < 4 * CHUNK:
        return weights.max(-1)
    whole = keys - keys % CHUNK
    chunks = weights[..., :whole].view(*weights.shape[:-1], -1, CHUNK)
    best = chunks.amax(-1).argmax(-1, keepdim=True)
    chunk = chunks.gather(-2, best[..., None].expand(*best.shape, CHUNK))[..., 0, :]
    largest, place = chunk.max(-1)
    place = place + CHUNK * best[..., 0]
    if whole < keys:
        rest, after = weights[..., whole:].max(-1)
        place = torch.where(rest > largest, after + whole, place)
        largest = torch.maximum(rest, largest)
    return largest, place


@dataclass(frozen=True)
class Measures:
    """What some rows have on which keys: the part of the statistics that adds up over keys.

    Everything that depends on the rows and columns alone is made once and serves all heads.
    """

    keys: Keys
    rows: range
    columns: range
    scratch: Scratch

    def of(self, weights: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each measure that is defined for these keys, ``[heads, rows]``, by its name in ``metrics``."""
        keys = self.keys
        yield "separator", self._on(weights, keys.separators)
        if keys.text:
            yield "punctuation", self._weighed(weights, keys.punctuation)
        if keys.own:
            yield "self", self._beside(weights, 0)
            first = weights[..., 0]  # copied: a view would keep all of the weights alive
            yield "first", first.clone() if self.columns.start == 0 else torch.zeros_like(first)
        if keys.measured:
            yield "distance", self._distance(weights) if keys.grid is None else self._far(weights)
        if keys.own and keys.text:
            yield "previous", self._beside(weights, -1)
            yield "next", self._beside(weights, 1)
            yield "duplicate", self._at(weights, self._copies)
            yield "induction", self._at(weights, self._after_copies)

    def _on(self, weights: Tensor, keys: Tensor) -> Tensor:
        """The sum over some few keys."""
        there = keys[(keys >= self.columns.start) & (keys < self.columns.stop)] - self.columns.start
        return weights.index_select(-1, there).sum(-1)

    def _weighed(self, weights: Tensor, values: Tensor) -> Tensor:
        """The sum over keys of weight times a value of the key."""
        return self._times(weights, values[self.columns.start : self.columns.stop])

    @staticmethod
    def _times(weights: Tensor, values: Tensor) -> Tensor:
        summed: Tensor = torch.mv(weights.reshape(-1, len(values)), values)
        return summed.view(weights.shape[:-1])

    def _beside(self, weights: Tensor, offset: int) -> Tensor:
        """The weight of the key that is so many places after the row's own; 0 where there is none."""
        shift = self.rows.start + offset - self.columns.start
        found = torch.diagonal(weights, shift, -2, -1)
        values = weights.new_zeros(weights.shape[:-1])
        first = max(0, -shift)
        values[..., first : first + found.shape[-1]] = found
        return values

    @cached_property
    def _copies(self) -> Tensor | tuple[Tensor, Tensor]:
        return self._indexed(*self._earlier)

    @cached_property
    def _after_copies(self) -> Tensor | tuple[Tensor, Tensor]:
        """The keys after copies, as far as they are earlier than the row."""
        row, key = self._earlier
        earlier = key + 1 < row + self.rows.start
        return self._indexed(row[earlier], key[earlier] + 1)

    @cached_property
    def _earlier(self) -> tuple[Tensor, Tensor]:
        return self.keys.copies(self.rows)

    def _indexed(self, row: Tensor, key: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Pairs as numbers in the tile; as a mask ``[rows, columns]`` of 0 and 1 where there are many."""
        there = (key >= self.columns.start) & (key < self.columns.stop)
        row, key = row[there], key[there] - self.columns.start
        if len(row) <= DENSE * len(self.rows) * len(self.columns):
            return row, key
        mask = torch.zeros(len(self.rows), len(self.columns), device=row.device)
        mask[row, key] = 1
        return mask

    def _at(self, weights: Tensor, pairs: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        """The sum over the pairs of each row."""
        if isinstance(pairs, Tensor):
            return self.scratch.dot(weights, pairs)
        row, key = pairs
        return weights.new_zeros(weights.shape[:-1]).index_add_(1, row, weights[:, row, key])

    def _distance(self, weights: Tensor) -> Tensor:
        """The sum over keys of weight times tokens between.

        Counted from the first row for the keys before and after the block that lies around the diagonal, and
        corrected by how far each row is from that.
        """
        away, side, near, inside = self._places
        rows, (start, stop) = self._row_places, near
        block = weights[..., start:stop]
        total = self._times(weights, away) + (block * inside).sum(-1)
        if self.columns.stop > self.rows.stop:
            balance = self._times(weights, side)
        else:  # nothing after the block
            balance = weights[..., :start].sum(-1)
        return total + rows * balance

    @cached_property
    def _row_places(self) -> Tensor:
        return torch.arange(len(self.rows), dtype=torch.float32, device=self.keys.ids.device)

    @cached_property
    def _places(self) -> tuple[Tensor, Tensor, tuple[int, int], Tensor]:
        """Of the columns: distance from the first row, 1 before and -1 after the block, 0 in it; the block's
        first and last column in the tile, and the distances in it ``[rows, columns of the block]``."""
        place = (
            torch.arange(self.columns.start, self.columns.stop, device=self.keys.ids.device) - self.rows.start
        )
        start, stop = (
            min(max(end - self.columns.start, 0), len(self.columns))
            for end in (self.rows.start, self.rows.stop)
        )
        away, side = place.abs().float(), -place.sign().float()
        away[start:stop] = side[start:stop] = 0
        inside = (self._row_places[:, None] - place[start:stop]).abs()
        return away, side, (start, stop), inside

    def _far(self, weights: Tensor) -> Tensor:
        """The sum over patches of weight times Euclidean distance, in patches; NaN for rows that are none."""
        assert self.keys.grid is not None
        none = self.keys.grid[self.rows.start : self.rows.stop, 0].isnan()
        return self.scratch.dot(weights, self._patches).masked_fill_(none, torch.nan)

    @cached_property
    def _patches(self) -> Tensor:
        assert self.keys.grid is not None
        here = self.keys.grid[self.rows.start : self.rows.stop]
        there = self.keys.grid[self.columns.start : self.columns.stop]
        apart: Tensor = torch.cdist(here, there)
        return apart.nan_to_num_(0)

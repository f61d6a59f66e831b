"""Weights that a model has computed itself, of all heads and rows at once, cut into tiles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from attnviz.facts import LayerFacts
from attnviz.models.calls import Place
from attnviz.models.tiling import CELLS, CELLS_ELSEWHERE, check_sums
from attnviz.observe.tiles import Tile

FAR = 1000.0
"""A score this far below the largest of its row was put there by a mask: they add -10,000 or more."""


TOLERANCES = {torch.bfloat16: 2e-2, torch.float16: 5e-3}
"""How far the sum of weights that were rounded so may be from 1."""


@dataclass(frozen=True)
class Given:
    """One attention of a model, as its module computed it.

    weights: ``[batch, heads, queries, places]``, any strides, any dtype
    scores:  what they are the softmax of, same shape, where that is known
    across:  how many keys there are
    seen:    which of them may be seen, bool, same shape, where that is known
    columns: which key each place of a row is: ``[queries, places]``, or of each head's rows
             ``[heads, queries, places]``; -1 for none; None: place i is key i
    whole:   rows that see all keys after all, by their numbers: ``[heads, keys]``
    holes:   what was not computed has a weight of 0
    """

    route: str
    weights: Tensor
    across: int
    scores: Tensor | None = None
    seen: Tensor | None = None
    columns: Tensor | None = None
    whole: Mapping[int, Tensor] = field(default_factory=dict)
    holes: bool = False

    @property
    def batch(self) -> int:
        return self.weights.shape[0]

    @property
    def heads(self) -> int:
        return self.weights.shape[1]

    @property
    def key_heads(self) -> int | None:
        return None

    @property
    def queries(self) -> int:
        return self.weights.shape[2]

    @property
    def keys(self) -> int:
        return self.across

    @property
    def in_blocks(self) -> bool:
        return self.columns is not None or self.holes

    def tiles(self, layer: LayerFacts, heads: range, place: Place) -> Iterator[Tile]:
        """The weights of the heads asked for, of one entry of the batch, a few rows at a time."""
        cells = CELLS.get(self.weights.device.type, CELLS_ELSEWHERE)
        step = max(1, cells // (len(heads) * self.keys))
        for start in range(place.queries.start, place.queries.stop, step):
            tile = self._tile(layer, heads, range(start, min(start + step, place.queries.stop)), place)
            check_sums(tile, TOLERANCES.get(self.weights.dtype, 1e-3))
            yield tile

    def _tile(self, layer: LayerFacts, heads: range, rows: range, place: Place) -> Tile:
        weights, visible, computed = self._part(place.sample, heads, rows)
        keys = slice(place.keys.start, place.keys.stop)
        first = rows.start - place.queries.start
        return Tile(
            layer=layer,
            heads=heads,
            rows=range(first, first + len(rows)),
            columns=range(len(place.keys)),
            size=(len(place.queries), len(place.keys)),
            weights=weights[..., keys],
            visible=visible[..., keys],
            computed=computed if computed.shape[-1] == 1 else computed[..., keys],
        )

    def _part(self, entry: int, heads: range, rows: range) -> tuple[Tensor, Tensor, Tensor]:
        """Weights, what may be seen and what was computed, of some rows and all keys."""
        part = entry, slice(heads.start, heads.stop), slice(rows.start, rows.stop)
        weights = self._weights(part)
        visible = self._visible(weights, part)
        weights = weights.masked_fill(~visible, 0)
        if self.columns is not None:
            return self._spread(weights, visible, heads, rows)
        return weights, visible, visible if self.holes else visible.new_ones(1, 1, 1)

    def _weights(self, part: tuple[int, slice, slice]) -> Tensor:
        """In single precision, from the scores where the weights were rounded to half of it."""
        if self.scores is None or self.weights.dtype not in TOLERANCES:
            return self.weights[part].float()
        return self.scores[part].float().softmax(-1)

    def _visible(self, weights: Tensor, part: tuple[int, slice, slice]) -> Tensor:
        """Which keys a row may see, going by its scores, else by its weights: a mask leaves exactly none.

        A row whose largest score is a mask's may see nothing.
        """
        if self.seen is not None:
            return self.seen[part]
        if self.scores is None:
            return weights != 0
        scores = self.scores[part].float()
        largest = scores.amax(-1, keepdim=True)
        masked = torch.finfo(self.scores.dtype).min / 2
        return ((weights != 0) | (scores > largest - FAR)) & ~(largest <= masked)  # NaN stays to be found

    def _spread(
        self, weights: Tensor, visible: Tensor, heads: range, rows: range
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same of rows whose places are keys of their own each."""
        places = self._places(heads, rows).to(weights.device)
        spread = _put(weights, places, self.across)
        seen = _put(visible.float(), places, self.across) > 0
        computed = _put(torch.ones_like(places, dtype=torch.float32), places, self.across) > 0
        for row in set(self.whole) & set(rows):
            at = row - rows.start
            spread[:, at] = self.whole[row][heads.start : heads.stop]
            seen[:, at] = spread[:, at] != 0
            computed[:, at] = True
        return spread, seen, computed

    def _places(self, heads: range, rows: range) -> Tensor:
        """Which key each place of some rows is: ``[1 or heads, rows, places]``."""
        assert self.columns is not None
        if self.columns.ndim == 2:
            return self.columns[None, rows.start : rows.stop]
        return self.columns[heads.start : heads.stop, rows.start : rows.stop]


def _put(values: Tensor, places: Tensor, across: int) -> Tensor:
    """Values ``[heads, rows, places]`` put where they belong, summed where several do.

    Returns ``[heads, rows, across]``.
    """
    spread = values.new_zeros(*values.shape[:-1], across + 1)  # the last for what belongs nowhere
    at = torch.where(places < 0, across, places).expand_as(values)
    return spread.scatter_add_(-1, at, values)[..., :across]

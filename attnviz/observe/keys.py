"""What statistics need to know of the keys of a layer: which are special, punctuation, or the same token."""

import unicodedata
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from attnviz.captures import Axis
from attnviz.facts import LayerFacts
from attnviz.observe.base import Axes, axes_of

DENSE = 1 / 32  # of a block's pairs: with more of the same token than this, a mask is faster than an index


@dataclass(frozen=True)
class Keys:
    """The keys of a layer, and whether the queries are the same things.

    own:         self-attention: query i is key i
    text:        the keys are tokens of a text
    separators:  ``[n]`` numbers of the special tokens other than position 0
    punctuation: ``[keys]`` 1 for tokens that are nothing but punctuation, else 0
    grid:        ``[keys, 2]`` row and column of patches of an image, NaN for what is none; None without
    ids:         ``[keys]`` token ids; -1 for what is never a copy: special tokens and masks
    measured:    the distance between places means something
    """

    own: bool
    text: bool
    separators: Tensor
    punctuation: Tensor
    grid: Tensor | None
    ids: Tensor
    measured: bool

    @cached_property
    def _order(self) -> tuple[Tensor, Tensor, Tensor]:
        """Keys by their id; for each key where its id begins there, and how many of that id are before it."""
        order = torch.argsort(self.ids, stable=True)
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=order.device)
        start = torch.searchsorted(self.ids[order], self.ids)
        before = torch.where(self.ids >= 0, place - start, 0)
        return order, start, before

    def copies(self, rows: range) -> tuple[Tensor, Tensor]:
        """The pairs of a row and an earlier key of the same token: ``(row - rows.start, key)``."""
        order, start, before = self._order
        count = before[rows.start : rows.stop]
        row = torch.arange(len(rows), device=order.device).repeat_interleave(count)
        nth = torch.arange(len(row), device=order.device) - (count.cumsum(0) - count)[row]
        return row, order[start[rows.start : rows.stop][row] + nth]


def keys_of(axes: Axes, layer: LayerFacts, size: tuple[int, int], device: torch.device) -> Keys:
    """What is known of the keys of a layer."""
    queries, keys = axes_of(axes, layer, size)
    own = not layer.stack.endswith("cross") and queries == keys
    text = keys.unit == "token" and len(keys.ids) == len(keys)
    special = [place for place, flag in enumerate(keys.special) if flag and place > 0]
    return Keys(
        own=own,
        text=text,
        separators=torch.tensor(special, dtype=torch.long, device=device),
        punctuation=torch.tensor(_punctuation(keys), dtype=torch.float32, device=device),
        grid=_grid(keys, device),
        ids=torch.tensor(_ids(keys) if text else [-1] * len(keys), dtype=torch.long, device=device),
        measured=own and (keys.grid is not None or not _is_of_image(layer, keys)),
    )


def _is_of_image(layer: LayerFacts, keys: Axis) -> bool:
    """Whether the keys are patches: between these there is a distance on a grid alone."""
    return layer.stack == "vision" or keys.unit == "patch"


def _punctuation(axis: Axis) -> list[bool]:
    """Whether each entry stands for punctuation marks alone (categories P* of Unicode)."""
    pieces = (axis.texts[span.text][span.start : span.stop].strip() if span else "" for span in axis.spans)
    return [bool(piece) and all(unicodedata.category(mark)[0] == "P" for mark in piece) for piece in pieces]


def _ids(axis: Axis) -> list[int]:
    masks = axis.masks or (False,) * len(axis)
    never = (special or mask for special, mask in zip(axis.special, masks, strict=True))
    return [-1 if no else number for number, no in zip(axis.ids, never, strict=True)]


def _grid(axis: Axis, device: torch.device) -> Tensor | None:
    if axis.grid is None:
        return None
    first, rows, columns = axis.grid
    places = torch.full((len(axis), 2), torch.nan, device=device)
    numbers = torch.arange(rows * columns, device=device)
    places[first : first + rows * columns] = torch.stack([numbers // columns, numbers % columns], 1).float()
    return places

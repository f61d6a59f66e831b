"""Masks: which query may attend to which key.

A mask is bool and broadcasts to ``[batch, heads, queries, keys]``; True may be attended to. ``&`` is what
both of two masks allow, ``|`` what either does: ``causal(7) & (window(7, 2) | tokens(7, [0]))`` is
Longformer's, for a text that is being written. Vaswani et al. 2017, 3.2.3.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from attnviz.attention.shapes import ShapeError


def causal(queries: int, keys: int | None = None, *, device: torch.device | None = None) -> Tensor:
    """Each query sees itself and what stands before it.

    keys: their number where it differs (earlier ones kept from another run): the last query sees them all.
    Returns ``[queries, keys]``.
    """
    keys = queries if keys is None else keys
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(diagonal=keys - queries)


def padding(real: Tensor) -> Tensor:
    """Nobody sees the padding.

    real: ``[batch, keys]``, True (or not 0) where a key is no padding
    Returns ``[batch, 1, 1, keys]``.
    """
    return real.bool()[:, None, None, :]


def window(length: int, reach: int, *, device: torch.device | None = None) -> Tensor:
    """Each position sees itself and the ``reach`` next to it on either side. Beltagy et al. 2020, 3.1.

    Returns ``[length, length]``. Raises ShapeError if reach is below 0.
    """
    if reach < 0:
        raise ShapeError(f"a window cannot reach {reach} positions: 0 or more")
    place = torch.arange(length, device=device)
    return (place[:, None] - place).abs() <= min(reach, length)


def tokens(length: int, places: Iterable[int], *, device: torch.device | None = None) -> Tensor:
    """Global tokens: these see everything and are seen by everybody; the others see nothing else.

    It is put together with a mask that says what the others see: ``window(n, 2) | tokens(n, [0])``.
    places: positions from 0
    Returns ``[length, length]``. Raises ShapeError for a place that is not there. Beltagy et al. 2020, 3.1.
    """
    chosen = torch.zeros(length, dtype=torch.bool, device=device)
    for place in places:
        if not 0 <= place < length:
            raise ShapeError(f"no position {place} of {length}: they are 0 to {length - 1}")
        chosen[place] = True
    return chosen[:, None] | chosen


def blocks(
    length: int,
    size: int,
    *,
    reach: int = 1,
    first: int = 1,
    random: int = 1,
    seed: int = 0,
    device: torch.device | None = None,
) -> Tensor:
    """Positions are put together to blocks; a block sees whole blocks: near ones, first ones, some by lot.

    size:   positions a block; the last one may have fewer
    reach:  blocks on either side that a block sees besides itself
    first:  so many blocks from the beginning are global: they see everything and everybody sees them
    random: so many blocks more, of those that it does not see anyway, or all that are left
    seed:   of the lots; the same seed draws the same blocks
    Returns ``[length, length]``. Raises ShapeError for a size below 1. Zaheer et al. 2020 (Big Bird), 2.
    """
    if size < 1:
        raise ShapeError(f"a block cannot have {size} positions: 1 or more")
    size = min(size, max(length, 1))  # one block has them all
    count = -(-length // size)
    seen = window(count, reach) | tokens(count, range(min(first, count)))
    lots = torch.Generator().manual_seed(seed)
    for row in seen:
        unseen = (~row).nonzero().flatten()
        row[unseen[torch.randperm(len(unseen), generator=lots)[:random]]] = True
    whole = seen.repeat_interleave(size, 0).repeat_interleave(size, 1)
    return whole[:length, :length].to(device or "cpu")

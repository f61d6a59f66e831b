"""Masks: which query may attend to which key.

A mask is bool and broadcasts to ``[batch, heads, queries, keys]``; True may be attended to. Two masks are put
together by ``&``: ``causal(7) & padding(real)``. Vaswani et al. 2017, 3.2.3.
"""

import torch
from torch import Tensor


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


def combined(*masks: Tensor | None) -> Tensor | None:
    """What all the masks allow; None allows everything."""
    present = [mask for mask in masks if mask is not None]
    if not present:
        return None
    both = present[0]
    for mask in present[1:]:
        both = both & mask
    return both

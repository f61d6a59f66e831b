"""Windowed attention in a time that grows with the length, not with its square.

Beltagy et al. 2020 ("Longformer"), 3.1: each query sees itself and the ``reach`` keys next to it on either
side (their w / 2). Queries are taken in chunks, with only those keys that one of the chunk may see.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from attnviz.attention.shapes import ShapeError
from attnviz.attention.weights import attend, attention_weights


def windowed_attention(query: Tensor, key: Tensor, value: Tensor, reach: int) -> Tensor:
    """What each query reads of the keys that stand at most ``reach`` places from it.

    query: ``[..., length, head_dim]``
    key:   ``[..., length, head_dim]``
    value: ``[..., length, value_dim]``
    Returns ``[..., length, value_dim]``: what full attention reads under the mask ``abs(i - j) <= reach``.
    For n queries about 3 n reach weights are made, where full attention makes n n.
    Raises ShapeError if there are not as many keys as queries, or if reach is below 0.
    """
    length = query.shape[-2]
    if key.shape[-2] != length:
        raise ShapeError(f"a window over {length} queries and {key.shape[-2]} keys: it takes as many of both")
    if reach < 0:
        raise ShapeError(f"a window cannot reach {reach} places: 0 or more")
    reach = min(reach, length)  # farther there is nothing to see
    size = max(reach, 1)
    chunks = -(-length // size)
    asking = _neighbours(query, size, 0, chunks)
    seen, read = (_neighbours(each, size, reach, chunks) for each in (key, value))
    near = _near(length, size, reach, chunks, device=query.device)
    return attend(attention_weights(asking, seen, near), read).flatten(-3, -2)[..., :length, :]


def _neighbours(vectors: Tensor, size: int, reach: int, chunks: int) -> Tensor:
    """What the queries of each chunk may see: ``[..., chunks, size + 2 reach, dim]``."""
    beyond = chunks * size - vectors.shape[-2]
    padded = pad(vectors, (0, 0, reach, reach + beyond))
    return padded.unfold(-2, size + 2 * reach, size).transpose(-2, -1)


def _near(length: int, size: int, reach: int, chunks: int, *, device: torch.device) -> Tensor:
    """Which of these each query may see: ``[chunks, size, size + 2 reach]``."""
    apart = torch.arange(size + 2 * reach, device=device) - reach - torch.arange(size, device=device)[:, None]
    starts = torch.arange(chunks, device=device)[:, None] * size
    places = starts + torch.arange(-reach, size + reach, device=device)
    there = (places >= 0) & (places < length)
    return (apart.abs() <= reach) & there[:, None, :]

"""Linear attention: a similarity that is a product of features, so that no query ever meets a single key.

Katharopoulos et al. 2020 ("Transformers are RNNs"), 3.2 and 3.3. A weight is f(q) . f(k), divided by the sum
of its row, with the features f(x) = elu(x) + 1, which are positive. Then what a query reads is
f(q) S / f(q) z with S = sum f(k) v and z = sum f(k), which are made once for all queries: time and memory
grow with the length, not with its square. Queries and keys are taken as they are: there is no scale.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from attnviz.attention.masks import causal as causal_mask
from attnviz.attention.scores import dot
from attnviz.attention.shapes import ShapeError, check_head_dim

CHUNK = 128
"""Positions that are taken together where each sees only what is before: within a chunk they do meet."""


def features(vectors: Tensor) -> Tensor:
    """elu(x) + 1 of each number: x + 1 from 0 on, exp(x) below (written so, it does not round to 0)."""
    return torch.where(vectors > 0, vectors + 1, vectors.clamp(max=0).exp())


def linear_attention(query: Tensor, key: Tensor, value: Tensor, *, causal: bool = False) -> Tensor:
    """What each query reads, without any weights.

    query:  ``[..., queries, head_dim]``
    key:    ``[..., keys, head_dim]``
    value:  ``[..., keys, value_dim]``
    causal: each query sees its own key and those before; with more keys than queries the last sees them all
    Returns ``[..., queries, value_dim]``: ``attend(linear_weights(query, key, mask), value)``.
    Operations (n + m) d (value_dim), memory d (value_dim) besides what goes in and out, and causal
    CHUNK (CHUNK + d) more, for n queries and m keys of head_dim d.
    Raises ShapeError if the head_dim of query and key differ, or if it is causal and has fewer keys than
    queries.
    """
    _check(query, key, causal=causal)
    query, key = features(query), features(key)
    if causal:
        return torch.cat(list(_chunks(query, key, value)), dim=-2)
    return _ratio(query @ _memory(key, value), query @ key.sum(-2)[..., None])


def linear_weights(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """The weights that linear attention implies and never makes: ``[..., queries, keys]``, n m numbers.

    mask: bool, broadcastable to them; True may be attended to
    Rows sum to 1, or are all 0 where the mask allows no key.
    Raises ShapeError if the head_dim of query and key differ.
    """
    alike = dot(features(query), features(key))
    alike = alike if mask is None else alike.masked_fill(~mask, 0.0)
    return _ratio(alike, alike.sum(-1, keepdim=True))


def _chunks(query: Tensor, key: Tensor, value: Tensor) -> Iterator[Tensor]:
    """What the queries read, CHUNK at a time: S and z are of all keys before the chunk's own."""
    earlier = key.shape[-2] - query.shape[-2]
    memory = _memory(key[..., :earlier, :], value[..., :earlier, :])
    total = key[..., :earlier, :].sum(-2)[..., None]
    for first in range(0, query.shape[-2], CHUNK):
        asking = query[..., first : first + CHUNK, :]
        own = slice(earlier + first, earlier + first + asking.shape[-2])
        order = causal_mask(asking.shape[-2], device=query.device)
        alike = dot(asking, key[..., own, :]).masked_fill(~order, 0.0)
        read = asking @ memory + alike @ value[..., own, :]
        yield _ratio(read, asking @ total + alike.sum(-1, keepdim=True))
        memory = memory + _memory(key[..., own, :], value[..., own, :])
        total = total + key[..., own, :].sum(-2)[..., None]


def _memory(key: Tensor, value: Tensor) -> Tensor:
    """S, ``[..., head_dim, value_dim]``."""
    return key.transpose(-2, -1) @ value


def _ratio(read: Tensor, total: Tensor) -> Tensor:
    """Divided by the sum of the weights, ``[..., queries, 1]``; 0 where that is 0."""
    return read / torch.where(total > 0, total, torch.inf)


def _check(query: Tensor, key: Tensor, *, causal: bool) -> None:
    check_head_dim(query, key)
    if causal and key.shape[-2] < query.shape[-2]:
        raise ShapeError(
            f"{query.shape[-2]} causal queries need as many keys or more: there are {key.shape[-2]}"
        )

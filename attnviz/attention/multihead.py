"""Multi-head attention: several attentions side by side, each in a space of its own.

Vaswani et al. 2017, 3.2.2. Their W^Q, W^K, W^V and W^O are the linear maps query, key, value and output (with
a bias, as BERT and GPT-2 have it), their h is heads, their d_k = d_v is head_dim = d_model / heads.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from attnviz.attention.embeddings import RotaryPositions
from attnviz.attention.shapes import ShapeError
from attnviz.attention.weights import attend, attention, attention_weights

_TILE = 1 << 22
"""Weights in existence at once while somebody looks: 16 MB of float32."""


class Vectors(NamedTuple):
    """What weights were made of.

    query:  ``[batch, heads, rows, head_dim]``
    key:    ``[batch, heads, keys, key_dim]``
    value:  ``[batch, heads, keys, value_dim]``, what the weights are the shares of
    score:  what a query and a key are scored by: "scaled", or with parameters "general", "additive"
    learnt: ``[batch, heads, rows, keys]``, the scores, where parameters make them
    """

    query: Tensor
    key: Tensor
    value: Tensor
    score: str = "scaled"
    learnt: Tensor | None = None


class Rows(NamedTuple):
    """What some neighbouring queries attend to, in all heads: a tile of the full weights.

    first:   number of the first query
    queries: how many there are in all
    weights: ``[batch, heads, rows, keys]``
    visible: bool, four axes, broadcastable to weights: the query may see the key
    vectors: what the weights were made of
    """

    first: int
    queries: int
    weights: Tensor
    visible: Tensor
    vectors: Vectors


Look = Callable[[Rows], None]
"""Who looks at the weights of one attention layer as they are made, a few rows at a time."""


class MultiHeadAttention(nn.Module):
    """Self-attention, or cross-attention to a memory.

    rotary: queries and keys are turned by their positions; for self-attention only
    Raises ShapeError if d_model cannot be divided into that many heads.
    """

    def __init__(self, d_model: int, heads: int, *, rotary: bool = False) -> None:
        super().__init__()
        if heads < 1 or d_model % heads:
            raise ShapeError(f"d_model {d_model} cannot be divided into {heads} heads of the same size")
        self.heads = heads
        self.turn = RotaryPositions(d_model // heads) if rotary else nn.Identity()
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(
        self,
        states: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        look: Look | None = None,
    ) -> Tensor:
        """What each state reads.

        states: ``[batch, queries, d_model]``, who asks
        memory: ``[batch, keys, d_model]``, who is asked; the states themselves without one
        mask:   bool, broadcastable to ``[batch, heads, queries, keys]``; True may be attended to
        look:   is shown all weights, a few rows at a time; without it no weights are ever made
        Returns ``[batch, queries, d_model]``.
        """
        memory = states if memory is None else memory
        query = self.turn(self._split(self.query(states)))
        key = self.turn(self._split(self.key(memory)))
        value = self._split(self.value(memory))
        if look is None:
            read = attention(query, key, value, mask)
        else:
            read = torch.cat(list(_shown(query, key, value, mask, look)), dim=-2)
        return self._join_and_mix(read)

    def with_weights(
        self, states: Tensor, memory: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As ``forward``, and the weights ``[batch, heads, queries, keys]``."""
        seen: list[Tensor] = []
        read = self(states, memory, mask, look=lambda rows: seen.append(rows.weights))
        return read, torch.cat(seen, dim=-2)

    def _split(self, states: Tensor) -> Tensor:
        """``[batch, length, d_model]`` to ``[batch, heads, length, head_dim]``."""
        batch, length, _ = states.shape
        return states.view(batch, length, self.heads, -1).transpose(1, 2)

    def _join_and_mix(self, read: Tensor) -> Tensor:
        """``[batch, heads, length, head_dim]`` to ``[batch, length, d_model]``, through W^O."""
        mixed: Tensor = self.output(read.transpose(1, 2).flatten(-2))
        return mixed


def _shown(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, look: Look) -> Iterator[Tensor]:
    """What the queries read, some rows at a time, their weights shown to who looks."""
    batch, heads, queries, _ = query.shape
    keys = key.shape[-2]
    step = max(1, _TILE // (batch * heads * keys))
    for first in range(0, queries, step):
        rows = slice(first, first + step)
        part = None if mask is None else _rows_of(mask, rows)
        asking = query[..., rows, :]
        weights = attention_weights(asking, key, part)
        visible = torch.ones((), dtype=torch.bool, device=query.device) if part is None else part
        seen = visible[(None,) * (4 - visible.dim())]
        look(Rows(first, queries, weights, seen, Vectors(asking, key, value)))
        yield attend(weights, value)


def _rows_of(mask: Tensor, rows: slice) -> Tensor:
    """A mask for some queries; one that is the same for all of them stays as it is."""
    return mask[..., rows, :] if mask.dim() > 1 and mask.shape[-2] > 1 else mask

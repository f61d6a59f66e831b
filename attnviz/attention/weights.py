"""Scaled dot-product attention: the one formula that everything else is made of.

Vaswani et al. 2017, "Attention is all you need", 3.2.1. Their Q, K and V are query, key and value, their
d_k is head_dim. The leading axes (batch, heads, ...) may be any that broadcast.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


class ShapeError(ValueError):
    """Sizes that do not fit together."""


def attention_weights(
    query: Tensor, key: Tensor, mask: Tensor | None = None, *, temperature: float = 1.0
) -> Tensor:
    """How much each query attends to each key.

    query:       ``[..., queries, head_dim]``
    key:         ``[..., keys, head_dim]``
    mask:        bool, broadcastable to ``[..., queries, keys]``; True may be attended to
    temperature: what the scores are divided by; below 1 sharpens the rows, above 1 flattens them
    Returns ``[..., queries, keys]``: rows sum to 1, or are all 0 where the mask allows no key.
    Raises ShapeError if the head_dim of query and key differ, ValueError if temperature is not positive.
    """
    if query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            f"a query of head_dim {query.shape[-1]} cannot meet a key of head_dim {key.shape[-1]}"
        )
    if temperature <= 0:
        raise ValueError(f"temperature {temperature} is not positive")
    scores = query @ key.transpose(-2, -1) / (math.sqrt(query.shape[-1]) * temperature)
    if mask is None:
        return scores.softmax(dim=-1)
    # -inf would make a row without a key NaN; the lowest float makes it uniform, and the second fill zeros.
    lowest = torch.finfo(scores.dtype).min
    return scores.masked_fill(~mask, lowest).softmax(dim=-1).masked_fill(~mask, 0.0)


def attend(weights: Tensor, value: Tensor) -> Tensor:
    """What each query reads: the values, averaged by its weights.

    weights: ``[..., queries, keys]``
    value:   ``[..., keys, head_dim]``
    Returns ``[..., queries, head_dim]``.
    """
    return weights @ value


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """``attend(attention_weights(query, key, mask), value)`` by the fused kernel, which keeps no weights."""
    if mask is None:
        return scaled_dot_product_attention(query, key, value)
    # Kernels disagree on a row that may see nothing: let it see everything, then take back what it read.
    blind = ~mask.any(dim=-1, keepdim=True)
    read = scaled_dot_product_attention(query, key, value, attn_mask=mask | blind)
    return torch.where(blind, 0.0, read)

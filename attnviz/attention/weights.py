"""Scaled dot-product attention: the one formula that everything else is made of.

Vaswani et al. 2017, "Attention is all you need", 3.2.1. Their Q, K and V are query, key and value, their
d_k is head_dim. The leading axes (batch, heads, ...) may be any that broadcast.
"""

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from attnviz.attention.scores import scaled_dot


def attention_weights(
    query: Tensor, key: Tensor, mask: Tensor | None = None, *, temperature: float = 1.0
) -> Tensor:
    """How much each query attends to each key: ``weights_of(scaled_dot(query, key), mask)``.

    query:       ``[..., queries, head_dim]``
    key:         ``[..., keys, head_dim]``
    mask:        bool, broadcastable to ``[..., queries, keys]``; True may be attended to
    temperature: what the scores are divided by; below 1 sharpens the rows, above 1 flattens them
    Returns ``[..., queries, keys]``: rows sum to 1, or are all 0 where the mask allows no key.
    Raises ShapeError if the head_dim of query and key differ, ValueError if temperature is below 0.
    """
    return weights_of(scaled_dot(query, key), mask, temperature=temperature)


def weights_of(scores: Tensor, mask: Tensor | None = None, *, temperature: float = 1.0) -> Tensor:
    """The softmax of each row over the keys that it may see.

    scores:      ``[..., queries, keys]``, of any kind (``scores``)
    mask:        bool, broadcastable to scores; True may be attended to
    temperature: what the scores are divided by; 0 is the limit, a hard lookup: the key with the largest score
                 has all the weight, and several that are exactly alike share it
    Returns ``[..., queries, keys]``: rows sum to 1, or are all 0 where the mask allows no key.
    Raises ValueError if temperature is below 0, or no number.
    """
    if not temperature >= 0:
        raise ValueError(f"temperature {temperature} is not 0 or more")
    scores = _masked(scores, mask)
    if temperature != 1:
        scores = _masked(_tempered(scores, temperature), mask)
    weights = scores.softmax(dim=-1)
    return weights if mask is None else weights.masked_fill(~mask, 0.0)


def _masked(scores: Tensor, mask: Tensor | None) -> Tensor:
    """With the lowest number where nothing may be seen.

    (-inf would make a row without a key NaN; the lowest float makes it uniform, which zeros then replace.)
    """
    return scores if mask is None else scores.masked_fill(~mask, torch.finfo(scores.dtype).min)


def _tempered(scores: Tensor, temperature: float) -> Tensor:
    """Divided by the temperature, the largest of each row being 0: so none can become infinite."""
    below = scores - scores.detach().amax(dim=-1, keepdim=True)
    if temperature == 0:
        return below.masked_fill(below < 0, torch.finfo(scores.dtype).min)
    return below / max(temperature, torch.finfo(scores.dtype).tiny)  # a smaller one would be 0, and 0 / 0


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

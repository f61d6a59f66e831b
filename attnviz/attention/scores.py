"""Scores: six ways to say how well a query and a key go together, before any softmax.

q and k are one query and one key; n and m the number of queries and keys, d their head_dim, w the width of a
hidden layer. Operations are multiplications, memory is numbers held at once besides what goes in. The leading
axes (batch, heads, ...) may be any that broadcast.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from attnviz.attention.shapes import ShapeError, check_head_dim


def dot(query: Tensor, key: Tensor) -> Tensor:
    """q . k: large where both are long and point the same way.

    query: ``[..., queries, head_dim]``
    key:   ``[..., keys, head_dim]``
    Returns ``[..., queries, keys]``. Operations nmd, memory nm. Luong et al. 2015, 3.1 ("dot").
    Raises ShapeError if the head_dim of query and key differ.
    """
    check_head_dim(query, key)
    return query @ key.transpose(-2, -1)


def scaled_dot(query: Tensor, key: Tensor) -> Tensor:
    """q . k / sqrt(d): as spread out for long vectors as for short ones.

    Shapes, cost and errors as of ``dot``. Vaswani et al. 2017, 3.2.1.
    """
    return dot(query, key) / math.sqrt(query.shape[-1])


def cosine(query: Tensor, key: Tensor) -> Tensor:
    """q . k / (|q| |k|): the direction alone, from -1 to 1; 0 where one of them is 0.

    Shapes and errors as of ``dot``. Operations nmd + (n + m)d, memory nm + (n + m)d. Graves et al. 2014
    (Neural Turing Machines), 3.3.1.
    """
    return dot(normalize(query, dim=-1), normalize(key, dim=-1))


class General(nn.Module):
    """q W k: a dot product after a learnt map from the space of queries into that of keys.

    W is ``[query_dim, key_dim]``; their h_t is the query, their h_s the key. Luong et al. 2015, 3.1
    ("general").
    """

    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__()
        self.turn = nn.Linear(query_dim, key_dim, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """The score of each query with each key.

        query: ``[..., queries, query_dim]``
        key:   ``[..., keys, key_dim]``
        Returns ``[..., queries, keys]``. Operations n(query_dim)(key_dim) + nm(key_dim), memory
        nm + n(key_dim).
        Raises ShapeError if one of them has another size.
        """
        _check(query, key, self.turn.in_features, self.turn.out_features)
        return dot(self.turn(query), key)


class Additive(nn.Module):
    """v . tanh(W q + U k): a small network with one hidden layer says how well they go together.

    Bahdanau et al. 2015, 3.1 and A.1.2; their s_{i-1} is the query, their h_j the key.
    """

    def __init__(self, query_dim: int, key_dim: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_dim, width, bias=False)
        self.key = nn.Linear(key_dim, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """The score of each query with each key.

        query: ``[..., queries, query_dim]``
        key:   ``[..., keys, key_dim]``
        Returns ``[..., queries, keys]``. Operations n(query_dim)w + m(key_dim)w + nmw, memory nmw.
        Raises ShapeError if one of them has another size.
        """
        _check(query, key, self.query.in_features, self.key.in_features)
        return self.against(query, self.projected(key))

    def projected(self, key: Tensor) -> Tensor:
        """U k, ``[..., keys, width]``: the same for every query, so made once where these ask one by one."""
        projected: Tensor = self.key(key)
        return projected

    def against(self, query: Tensor, projected: Tensor) -> Tensor:
        """As ``forward``, with keys that ``projected`` was given before. Operations n(query_dim)w + nmw."""
        return _through_hidden(self.query(query), projected, self.score)


class Concat(nn.Module):
    """v . tanh(W [q; k]): query and key are put end to end and go through one hidden layer.

    Luong et al. 2015, 3.1 ("concat"). A matrix over both ends is a matrix for each, summed: what
    is computed is ``Additive``'s formula, with the two matrices kept as one.
    """

    def __init__(self, query_dim: int, key_dim: int, width: int) -> None:
        super().__init__()
        self.query_dim = query_dim
        self.hidden = nn.Linear(query_dim + key_dim, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """The score of each query with each key.

        query: ``[..., queries, query_dim]``
        key:   ``[..., keys, key_dim]``
        Returns ``[..., queries, keys]``. Cost and errors as of ``Additive``: no pair is ever put end to end.
        """
        _check(query, key, self.query_dim, self.hidden.in_features - self.query_dim)
        over_query, over_key = torch.split(self.hidden.weight, [self.query_dim, key.shape[-1]], dim=1)
        return _through_hidden(query @ over_query.T, key @ over_key.T, self.score)


def _through_hidden(query: Tensor, key: Tensor, score: nn.Module) -> Tensor:
    """Each projected query with each projected key, ``[..., width]``: summed, bent and weighed."""
    scores: Tensor = score(torch.tanh(query[..., :, None, :] + key[..., None, :, :])).squeeze(-1)
    return scores


def _check(query: Tensor, key: Tensor, query_dim: int, key_dim: int) -> None:
    """Raises ShapeError if what comes is of another size than what was trained."""
    if (query.shape[-1], key.shape[-1]) != (query_dim, key_dim):
        raise ShapeError(
            f"a query of {query.shape[-1]} and a key of {key.shape[-1]} numbers cannot be scored: "
            f"the learnt map is for {query_dim} and {key_dim}"
        )

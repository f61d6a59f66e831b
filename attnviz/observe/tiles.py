"""Tiles: attention weights on their way from a running model to whoever looks at them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from attnviz.facts import LayerFacts


@dataclass(frozen=True)
class Vectors:
    """What one head made the weights of a tile of.

    query:  ``[rows, head_dim]``, as they meet the keys: turned by their positions where a model does that
    key:    ``[columns, head_dim]``; heads that share keys have the same
    value:  ``[columns, value_dim]``
    scale:  what q . k is multiplied by
    cap:    c of a soft cap, c tanh(score / c), if there is one
    bias:   ``[rows, columns]``, what is added to the scores by position, where anything is
    sink:   the score of a place in the softmax that is no key, where there is one
    score:  what a query and a key are scored by: "scaled", or with parameters of its own "general", "concat",
            "additive"
    learnt: ``[rows, columns]``, the scores, where parameters make them: all that can be said of them here
    """

    query: Tensor
    key: Tensor
    value: Tensor
    scale: float
    cap: float | None = None
    bias: Tensor | None = None
    sink: float | None = None
    score: str = "scaled"
    learnt: Tensor | None = None


@dataclass(frozen=True)
class Tile:
    """Some heads, some queries and the keys that these may see, of one layer and one sample.

    layer:    which layer; every call of a module that is several layers has a number of its own
    heads:    numbers of the heads, one an entry of axis 0
    rows:     numbers of the queries, one an entry of axis 1
    columns:  numbers of the keys, one an entry of axis 2; the rows see no key that is not among them
    size:     queries and keys of the whole map
    weights:  ``[heads, rows, columns]``, rows summing to 1 over the visible keys (less a model's sink)
    visible:  bool, three axes, broadcastable to weights: the query may see the key
    computed: bool, likewise: the model computed this pair at all
    scores:   where they are at hand, what the weights are the softmax of, finite, same shape; of what is not
              visible any number
    sink:     whether the softmax has a place of its own that takes weight from the keys
    lasting:  the weights lie in memory that nobody writes into again: who keeps them need not copy
    vectors:  tells of a head by its number what its weights were made of (None where that is not to be had);
              None where it is not known of any
    Padding is no part of a tile: rows and columns are numbered without it.
    Else the tensors live only until the observers return: who keeps something copies it.
    """

    layer: LayerFacts
    heads: range
    rows: range
    columns: range
    size: tuple[int, int]
    weights: Tensor
    visible: Tensor
    computed: Tensor
    scores: Tensor | None = None
    sink: bool = False
    lasting: bool = False
    vectors: Callable[[int], Vectors | None] | None = None


class Watch(Protocol):
    """Who looks at a running model. A Source asks first, then hands over what is wanted."""

    def wanted(self, layer: LayerFacts) -> range | None:
        """The heads wanted of a layer, None for none: what nobody wants is not computed."""
        ...

    def see(self, tile: Tile) -> None:
        """Take what is needed of a tile."""
        ...

"""Tiles: attention weights on their way from a running model to whoever looks at them."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from attnviz.captures import LayerFacts


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


class Watch(Protocol):
    """Who looks at a running model. A Source asks first, then hands over what is wanted."""

    def wanted(self, layer: LayerFacts) -> range | None:
        """The heads wanted of a layer, None for none: what nobody wants is not computed."""
        ...

    def see(self, tile: Tile) -> None:
        """Take what is needed of a tile."""
        ...

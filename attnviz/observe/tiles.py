"""Tiles: attention weights on their way from a running model to whoever looks at them."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from attnviz.captures import LayerFacts


@dataclass(frozen=True)
class Tile:
    """Some heads and some query rows of one layer.

    layer:    which layer
    call:     which call of it, from 0 (a shared module is called several times)
    heads:    numbers of the heads, one an entry of axis 1
    rows:     the first query row; the tile holds ``weights.shape[2]`` of them
    weights:  ``[batch, heads, rows, keys]``, rows summing to 1 over the visible keys (less a model's sink)
    visible:  bool, broadcastable to weights: the query may see the key
    computed: bool, likewise: the model computed this pair at all
    real:     ``[batch, rows]`` bool: the query is no padding
    The tensors live only until the observers return: who keeps something copies it.
    """

    layer: LayerFacts
    call: int
    heads: range
    rows: int
    weights: Tensor
    visible: Tensor
    computed: Tensor
    real: Tensor


class Watch(Protocol):
    """Who looks at a running model. A Source asks first, then hands over what is wanted."""

    def wanted(self, layer: LayerFacts) -> range | None:
        """The heads wanted of a layer, None for none: what nobody wants is not computed."""
        ...

    def see(self, tile: Tile) -> None:
        """Take what is needed of a tile."""
        ...

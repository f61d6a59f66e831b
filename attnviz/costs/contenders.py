"""What is measured: layers of one width that mix the positions of a text, each in its own way.

All are whole layers, ``[1, length, d_model]`` to the same: a recurrent network has no core that could be
taken out of its linear maps, and a layer is what one would put in another's place. Those of attention have
the same four maps of d_model by d_model (queries, keys, values, output) and differ in their core alone; a GRU
has six.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from attnviz.attention import attend, attention, attention_weights, linear_attention, windowed_attention

NUMBER = 4  # bytes of a float32

Core = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries, keys and values, each ``[1, heads, length, head_dim]``, to what is read, of the same shape."""


@dataclass(frozen=True)
class Size:
    """d_model: the width of a layer; heads: of attention; reach: positions on either side of a window."""

    d_model: int = 256
    heads: int = 8
    reach: int = 64


@dataclass(frozen=True)
class Contender:
    """One way to mix positions.

    name:  as people read it
    of:    what it does, for a note; {reach} stands for that of its window
    build: a layer of it, with random weights
    needs: bytes that it takes at most for a text so long, an upper estimate
    order: the power of the length that its time approaches
    """

    name: str
    of: str
    build: Callable[[Size], nn.Module]
    needs: Callable[[int, Size], int]
    order: int


class AttentionLayer(nn.Module):
    """Multi-head attention around any core."""

    def __init__(self, size: Size, core: Core) -> None:
        super().__init__()
        self.heads = size.heads
        self.core = core
        self.query = nn.Linear(size.d_model, size.d_model)
        self.key = nn.Linear(size.d_model, size.d_model)
        self.value = nn.Linear(size.d_model, size.d_model)
        self.output = nn.Linear(size.d_model, size.d_model)

    def forward(self, states: Tensor) -> Tensor:
        """``[1, length, d_model]`` to the same."""
        maps = (self.query, self.key, self.value)
        query, key, value = (made(states).unflatten(-1, (self.heads, -1)).transpose(1, 2) for made in maps)
        mixed: Tensor = self.output(self.core(query, key, value).transpose(1, 2).flatten(-2))
        return mixed


class RecurrentLayer(nn.Module):
    """A gated recurrent unit (Cho et al. 2014): one position after the other."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.unit = nn.GRU(size.d_model, size.d_model, batch_first=True)

    def forward(self, states: Tensor) -> Tensor:
        """``[1, length, d_model]`` to the same."""
        read: Tensor = self.unit(states)[0]
        return read


def materialised(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Every weight is made, and then the values are averaged."""
    return attend(attention_weights(query, key), value)


def vectors(length: int, size: Size, count: int = 1) -> int:
    """Bytes of so many vectors of d_model at each position."""
    return count * length * size.d_model * NUMBER


def _blocks(length: int, size: Size) -> int:
    """Blocks of 256 queries by 512 keys, one for each thread of the processor."""
    block = 256 * (514 + size.d_model // size.heads) * NUMBER
    return vectors(length, size, count=6) + torch.get_num_threads() * block


def _every_weight(length: int, size: Size) -> int:
    """Scores and weights, at once."""
    return vectors(length, size, count=5) + 2 * size.heads * length**2 * NUMBER


def _near_weights(length: int, size: Size) -> int:
    """Those of a chunk that its queries may see, and three copies of keys and values."""
    reach = min(size.reach, length)
    weights = 3 * size.heads * (length + reach) * (3 * reach + 1) * NUMBER
    return vectors(length + 3 * reach, size, count=10) + weights


CONTENDERS = (
    Contender(
        "materialised",
        "full attention that makes every weight",
        lambda size: AttentionLayer(size, materialised),
        _every_weight,
        order=2,
    ),
    Contender(
        "fused",
        "full attention by torch's kernel, which keeps none",
        lambda size: AttentionLayer(size, attention),
        _blocks,
        order=2,
    ),
    Contender(
        "linear",
        "sums of features elu(x) + 1, no weights",
        lambda size: AttentionLayer(size, linear_attention),
        partial(vectors, count=9),
        order=1,
    ),
    Contender(
        "windowed",
        "weights within {reach} tokens on either side alone, in chunks",
        lambda size: AttentionLayer(size, partial(windowed_attention, reach=size.reach)),
        _near_weights,
        order=1,
    ),
    Contender(
        "GRU", "torch.nn.GRU, one position after the other", RecurrentLayer,
        partial(vectors, count=6), order=1,
    ),
)  # fmt: skip

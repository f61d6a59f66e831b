"""The blocks that stacks are made of: attention and a feed-forward network, each added to what it read.

Vaswani et al. 2017, 3.1 (norm "post": after each addition); Xiong et al. 2020 (norm "pre": before).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from attnviz.attention.multihead import Look, MultiHeadAttention

Activation = Literal["relu", "gelu", "gelu_tanh"]

_ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
}


@dataclass(frozen=True)
class BlockConfig:
    """The sizes and habits of one block.

    d_ff:    width of the feed-forward network's middle
    norm:    where a sub-layer is normalised: "pre" before it, "post" after it was added
    eps:     what layer normalisation adds to the variance
    rotary:  self-attention knows positions by itself; the embedding then needs none
    dropout: share of each sub-layer's output that is dropped in training
    """

    d_model: int
    heads: int
    d_ff: int
    norm: Literal["pre", "post"] = "pre"
    activation: Activation = "gelu"
    eps: float = 1e-5
    rotary: bool = False
    dropout: float = 0.0


class FeedForward(nn.Module):
    """Two linear maps with a bend between them, at each position by itself. Vaswani et al. 2017, 3.3."""

    def __init__(self, d_model: int, d_ff: int, activation: Activation = "gelu") -> None:
        super().__init__()
        self.widen = nn.Linear(d_model, d_ff)
        self.bend = _ACTIVATIONS[activation]()
        self.narrow = nn.Linear(d_ff, d_model)

    def forward(self, states: Tensor) -> Tensor:
        """``[..., d_model]`` to the same."""
        changed: Tensor = self.narrow(self.bend(self.widen(states)))
        return changed


class Residual(nn.Module):
    """The frame around a sub-layer: what it returns is added to what it was given, and that normalised."""

    def __init__(self, config: BlockConfig) -> None:
        super().__init__()
        self.pre = config.norm == "pre"
        self.norm = nn.LayerNorm(config.d_model, eps=config.eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """``[..., d_model]`` to the same."""
        if self.pre:
            summed: Tensor = states + self.dropout(sublayer(self.norm(states)))
            return summed
        normed: Tensor = self.norm(states + self.dropout(sublayer(states)))
        return normed


class EncoderBlock(nn.Module):
    """Self-attention, then a feed-forward network."""

    def __init__(self, config: BlockConfig) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(config.d_model, config.heads, rotary=config.rotary)
        self.around_attention = Residual(config)
        self.feed_forward = FeedForward(config.d_model, config.d_ff, config.activation)
        self.around_feed_forward = Residual(config)

    def forward(self, states: Tensor, mask: Tensor | None = None, *, look: Look | None = None) -> Tensor:
        """``[batch, length, d_model]`` to the same; mask and look as in MultiHeadAttention."""
        states = self.around_attention(states, lambda x: self.attention(x, mask=mask, look=look))
        changed: Tensor = self.around_feed_forward(states, self.feed_forward)
        return changed


class DecoderBlock(nn.Module):
    """Self-attention, attention to a memory, then a feed-forward network.

    Without a memory (``cross=False``: GPT-2) it is the EncoderBlock, and a causal mask makes the difference.
    """

    def __init__(self, config: BlockConfig, *, cross: bool = True) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(config.d_model, config.heads, rotary=config.rotary)
        self.around_attention = Residual(config)
        self.cross_attention = MultiHeadAttention(config.d_model, config.heads) if cross else None
        self.around_cross_attention = Residual(config) if cross else None
        self.feed_forward = FeedForward(config.d_model, config.d_ff, config.activation)
        self.around_feed_forward = Residual(config)

    def forward(
        self,
        states: Tensor,
        mask: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        *,
        look: Look | None = None,
        look_cross: Look | None = None,
    ) -> Tensor:
        """``[batch, length, d_model]`` to the same.

        mask, look:              of the self-attention, as in MultiHeadAttention
        memory:                  ``[batch, keys, d_model]``, what an encoder made of the other text
        memory_mask, look_cross: of the attention to the memory
        """
        states = self.around_attention(states, lambda x: self.attention(x, mask=mask, look=look))
        if self.cross_attention is not None and self.around_cross_attention is not None:
            cross = self.cross_attention
            states = self.around_cross_attention(
                states, lambda x: cross(x, memory, memory_mask, look=look_cross)
            )
        changed: Tensor = self.around_feed_forward(states, self.feed_forward)
        return changed

"""Whole transformers: stacks of blocks, from embedded tokens to hidden states.

Vaswani et al. 2017, figure 1. Whoever wants to see the attention gives a ``watch`` to forward: it is asked,
layer by layer, who looks, and that one is shown the layer's weights a few rows at a time, so that all weights
of a run never exist at once. A layer that nobody looks at never makes its weights.
"""

from collections.abc import Callable

from torch import Tensor, nn

from attnviz.attention.blocks import BlockConfig, DecoderBlock, EncoderBlock
from attnviz.attention.masks import causal
from attnviz.attention.multihead import Look
from attnviz.attention.shapes import ShapeError

Watch = Callable[[str, int], Look | None]
"""Asked by a stack's name and a layer's number: who looks at this layer, None for nobody."""


class TransformerEncoder(nn.Module):
    """Blocks in which every position may see every other.

    stack: the name under which it is watched
    """

    def __init__(self, config: BlockConfig, layers: int, *, stack: str = "") -> None:
        super().__init__()
        self.stack = stack
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(layers))
        self.norm = _last_norm(config)

    def forward(self, states: Tensor, mask: Tensor | None = None, *, watch: Watch | None = None) -> Tensor:
        """Hidden states of the last layer.

        states: ``[batch, length, d_model]``, embedded tokens
        mask:   bool, broadcastable to ``[batch, heads, length, length]``; True may be attended to
        Returns ``[batch, length, d_model]``.
        """
        for layer, block in enumerate(self.blocks):
            states = block(states, mask, look=watch(self.stack, layer) if watch else None)
        normed: Tensor = self.norm(states)
        return normed


class TransformerDecoder(nn.Module):
    """Blocks in which a position sees itself and those before it, and all of a memory if there is one.

    cross: whether it attends to a memory; GPT-2 does not
    stack: the name under which its self-attention is watched; the attention to the memory is "cross"
    """

    def __init__(self, config: BlockConfig, layers: int, *, cross: bool = True, stack: str = "") -> None:
        super().__init__()
        self.cross = cross
        self.stack = stack
        self.blocks = nn.ModuleList(DecoderBlock(config, cross=cross) for _ in range(layers))
        self.norm = _last_norm(config)

    def forward(
        self,
        states: Tensor,
        mask: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        *,
        watch: Watch | None = None,
    ) -> Tensor:
        """Hidden states of the last layer.

        states:      ``[batch, length, d_model]``, embedded tokens
        mask:        what may be seen besides what is causal anyway (padding), as in TransformerEncoder
        memory:      ``[batch, keys, d_model]``, if it has cross-attention
        memory_mask: bool, broadcastable to ``[batch, heads, length, keys]``
        Returns ``[batch, length, d_model]``.
        Raises ShapeError if a memory is missing, or given to a decoder that attends to none.
        """
        if self.cross != (memory is not None):
            raise ShapeError(
                "a decoder with cross-attention needs a memory"
                if self.cross
                else "this decoder takes no memory"
            )
        order = causal(states.shape[1], device=states.device)
        mask = order if mask is None else order & mask
        for layer, block in enumerate(self.blocks):
            look = watch(self.stack, layer) if watch else None
            look_cross = watch("cross", layer) if watch and self.cross else None
            states = block(states, mask, memory, memory_mask, look=look, look_cross=look_cross)
        normed: Tensor = self.norm(states)
        return normed


class EncoderDecoder(nn.Module):
    """An encoder that reads one text and a decoder that writes another, looking at the first."""

    def __init__(self, config: BlockConfig, encoder_layers: int, decoder_layers: int) -> None:
        super().__init__()
        self.encoder = TransformerEncoder(config, encoder_layers, stack="encoder")
        self.decoder = TransformerDecoder(config, decoder_layers, stack="decoder")

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
        *,
        watch: Watch | None = None,
    ) -> Tensor:
        """Hidden states of the decoder's last layer.

        source:      ``[batch, source_length, d_model]``, embedded tokens
        target:      ``[batch, target_length, d_model]``, likewise
        source_mask: which source positions may be seen (``masks.padding``), by both stacks
        target_mask: which target positions may be seen, besides what is causal anyway
        watch:       is asked for the stacks "encoder", "decoder" and "cross"
        Returns ``[batch, target_length, d_model]``.
        """
        memory = self.encoder(source, source_mask, watch=watch)
        written: Tensor = self.decoder(target, target_mask, memory, source_mask, watch=watch)
        return written


def _last_norm(config: BlockConfig) -> nn.Module:
    """Pre-norm blocks leave their sum as it is: it is normalised once, at the end."""
    return nn.LayerNorm(config.d_model, eps=config.eps) if config.norm == "pre" else nn.Identity()

"""The project's own attention: plain torch, readable as a text-book; imports nothing of attnviz.

In reading order: weights (the formula), masks, embeddings, multihead, blocks, stacks.
"""

from attnviz.attention.blocks import BlockConfig, DecoderBlock, EncoderBlock, FeedForward
from attnviz.attention.embeddings import (
    LearnedPositions,
    RotaryPositions,
    SinusoidalPositions,
    TokenEmbedding,
)
from attnviz.attention.masks import causal, combined, padding
from attnviz.attention.multihead import Look, MultiHeadAttention, Rows
from attnviz.attention.stacks import EncoderDecoder, TransformerDecoder, TransformerEncoder, Watch
from attnviz.attention.weights import ShapeError, attend, attention, attention_weights

__all__ = [
    "BlockConfig",
    "DecoderBlock",
    "EncoderBlock",
    "EncoderDecoder",
    "FeedForward",
    "LearnedPositions",
    "Look",
    "MultiHeadAttention",
    "RotaryPositions",
    "Rows",
    "ShapeError",
    "SinusoidalPositions",
    "TokenEmbedding",
    "TransformerDecoder",
    "TransformerEncoder",
    "Watch",
    "attend",
    "attention",
    "attention_weights",
    "causal",
    "combined",
    "padding",
]

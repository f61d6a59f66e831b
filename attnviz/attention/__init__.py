"""The project's own attention: plain torch, readable as a text-book; imports nothing of attnviz.

In reading order: scores, weights (the formula), masks, linear (another formula), windowed (the first
within a window), embeddings, multihead, blocks, stacks, recurrent.
"""

from attnviz.attention.blocks import BlockConfig, DecoderBlock, EncoderBlock, FeedForward
from attnviz.attention.embeddings import (
    LearnedPositions,
    RotaryPositions,
    SinusoidalPositions,
    TokenEmbedding,
)
from attnviz.attention.linear import linear_attention, linear_weights
from attnviz.attention.masks import blocks, causal, padding, tokens, window
from attnviz.attention.multihead import Look, MultiHeadAttention, Rows
from attnviz.attention.recurrent import BahdanauDecoder, BidirectionalEncoder, LuongDecoder, RecurrentDecoder
from attnviz.attention.scores import Additive, Concat, General, cosine, dot, scaled_dot
from attnviz.attention.shapes import ShapeError
from attnviz.attention.stacks import EncoderDecoder, TransformerDecoder, TransformerEncoder, Watch
from attnviz.attention.weights import attend, attention, attention_weights, weights_of
from attnviz.attention.windowed import windowed_attention

__all__ = [
    "Additive",
    "BahdanauDecoder",
    "BidirectionalEncoder",
    "BlockConfig",
    "Concat",
    "DecoderBlock",
    "EncoderBlock",
    "EncoderDecoder",
    "FeedForward",
    "General",
    "LearnedPositions",
    "Look",
    "LuongDecoder",
    "MultiHeadAttention",
    "RecurrentDecoder",
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
    "blocks",
    "causal",
    "cosine",
    "dot",
    "linear_attention",
    "linear_weights",
    "padding",
    "scaled_dot",
    "tokens",
    "weights_of",
    "window",
    "windowed_attention",
]

"""Small captures made by hand."""

import numpy as np

from attnviz.captures import Axis, Capture, LayerMaps
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span, words_of

SENTENCE = "The cat sat unbelievably still"
LABELS = ("[CLS]", "The", "cat", "sat", "un", "+believ", "+ably", "still", "[SEP]")


def sentence_axis() -> Axis:
    """[CLS] The cat sat un +believ +ably still [SEP]."""
    starts = [(0, 3), (4, 7), (8, 11), (12, 14), (14, 20), (20, 24), (25, 30)]
    spans = (None, *(Span(0, start, stop) for start, stop in starts), None)
    return Axis(
        labels=LABELS,
        positions=tuple(range(9)),
        spans=spans,
        words=words_of(spans, [SENTENCE]),
        special=tuple(span is None for span in spans),
        ids=tuple(range(100, 109)),
        texts=(SENTENCE,),
    )


def layer_maps(layer: int, heads: int = 3, *, causal: bool = False, stack: str = "") -> LayerMaps:
    """Random weights; rows sum to 1."""
    axis = sentence_axis()
    weights = np.random.default_rng(layer).random((heads, 9, 9), np.float32)
    visible = np.tril(np.ones((1, 9, 9), bool)) if causal else np.ones((1, 1, 1), bool)
    weights = np.where(visible, weights, 0)
    weights /= weights.sum(-1, keepdims=True)
    return LayerMaps(
        stack, layer, tuple(range(heads)), weights, visible, np.ones((1, 1, 1), bool), axis, axis
    )


def small_capture(layers: int = 5, heads: int = 3, *, causal: bool = False) -> Capture:
    facts = tuple(LayerFacts("", layer, heads) for layer in range(layers))
    maps = tuple(layer_maps(layer, heads, causal=causal) for layer in range(layers))
    return Capture(ModelFacts("small", "hand", facts, "00ff"), Sample(SENTENCE), maps)

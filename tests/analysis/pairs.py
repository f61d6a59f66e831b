"""Captures of small texts, to be compared: a token a word, or cut otherwise."""

import numpy as np

from attnviz.captures import Axis, Booleans, Capture, Floats, LayerMaps
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span, words_of


def axis_of(text: str, pieces: str | None = None) -> Axis:
    """[CLS], the pieces of a text (its words, unless they are given, apart by blanks), [SEP]."""
    spans: list[Span | None] = [None]
    for piece in (pieces or text).split():
        start = text.index(piece, spans[-1].stop if spans[-1] else 0)
        spans.append(Span(0, start, start + len(piece)))
    spans.append(None)
    labels = ("[CLS]", *(text[span.start : span.stop] for span in spans if span), "[SEP]")
    return Axis(
        labels=labels,
        positions=tuple(range(len(spans))),
        spans=tuple(spans),
        words=words_of(spans, [text]),
        special=tuple(span is None for span in spans),
        texts=(text,),
    )


def capture_of(
    text: str,
    weights: Floats | None = None,
    *,
    pieces: str | None = None,
    shape: tuple[int, int] = (2, 3),
    model: str = "one",
    causal: bool = False,
    seed: int = 0,
    name: str = "text",
) -> Capture:
    """Of a model of ``shape`` layers and heads; weights: ``[layers, heads, queries, keys]``, else random."""
    axis = axis_of(text, pieces)
    visible: Booleans = np.ones((1, len(axis), len(axis)), np.bool_)
    visible = np.tril(visible) if causal else visible
    if weights is None:
        drawn = np.random.default_rng(seed).random((*shape, len(axis), len(axis)), np.float32) * visible
        weights = drawn / drawn.sum(-1, keepdims=True)
    facts = tuple(LayerFacts("", layer, len(heads)) for layer, heads in enumerate(weights))
    computed = np.ones((1, 1, 1), np.bool_)
    maps = tuple(
        LayerMaps("", layer, tuple(range(len(heads))), heads, visible, computed, axis, axis)
        for layer, heads in enumerate(weights)
    )
    return Capture(ModelFacts(model, "hand", facts, f"00{model}"), Sample(text, name=name), maps)

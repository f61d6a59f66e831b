"""A translation made by hand: what was read, what was written, and cross maps in which every row differs."""

from dataclasses import replace

import numpy as np

from attnviz.captures import Capture, LayerMaps, Layers
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span
from attnviz.models.labels import Tokens, token_axis

SOURCE, TARGET = "The black cat", "Le chat noir"

READ = token_axis(
    Tokens(
        ids=[5, 6, 7, 8, 1],
        pieces=["The", "bla", "ck", "cat", "</s>"],
        spans=[Span(0, 0, 3), Span(0, 4, 7), Span(0, 7, 9), Span(0, 10, 13), None],
        special=[False, False, False, False, True],
        segments=[0] * 5,
        texts=(SOURCE,),
    )
)
WRITTEN = token_axis(
    Tokens(
        ids=[0, 4, 5, 6, 7, 8],
        pieces=["<s>", "<fr>", "Le", "ch", "at", "noir"],
        spans=[None, None, Span(0, 0, 2), Span(0, 3, 5), Span(0, 5, 7), Span(0, 8, 12)],
        special=[True, True, False, False, False, False],
        segments=[0] * 6,
        texts=(TARGET,),
    )
)

ROWS = {  # by the token that is read; what is written from it stands behind
    "<s>": [0.96, 0.01, 0.01, 0.01, 0.01],  # <fr>
    "<fr>": [0.50, 0.02, 0.03, 0.25, 0.20],  # Le
    "Le": [0.10, 0.05, 0.05, 0.60, 0.20],  # ch
    "ch": [0.10, 0.15, 0.15, 0.40, 0.20],  # at
    "at": [0.10, 0.25, 0.35, 0.20, 0.10],  # noir
    "noir": [0.01, 0.01, 0.01, 0.01, 0.96],  # the end
}


def translation(*, layers: int = 3, heads: int = 2, best: str | None = None) -> Capture:
    """A capture in which head 1 of layer 1 has these rows, and every other head looks at all tokens alike."""
    facts = tuple(
        LayerFacts(stack, layer, heads)
        for stack in ("encoder", "decoder", "cross")
        for layer in range(layers)
    )
    model = ModelFacts("interpreter", "hand", facts, fingerprint="h4nd", best=best)
    maps = tuple(_maps(layer, heads) for layer in range(layers))
    axes = {"encoder": (READ, READ), "decoder": (WRITTEN, WRITTEN), "cross": (WRITTEN, READ)}
    return Capture(model, Sample(SOURCE, pair=TARGET), Layers(maps), axes=axes)


def _maps(layer: int, heads: int) -> LayerMaps:
    weights = np.full((heads, len(WRITTEN), len(READ)), 1 / len(READ), np.float32)
    if layer == 1:
        weights[1] = list(ROWS.values())
    every = np.ones((1, 1, 1), bool)
    return LayerMaps("cross", layer, tuple(range(heads)), weights, every, every, WRITTEN, READ)


def without_words(capture: Capture) -> Capture:
    """The same by a tokenizer that does not say where its tokens stand."""
    queries, keys = (
        replace(axis, spans=(None,) * len(axis), words=(-1,) * len(axis)) for axis in (WRITTEN, READ)
    )
    maps = tuple(replace(layer, queries=queries, keys=keys) for layer in capture.maps)
    return replace(capture, maps=Layers(maps))

"""Comparisons worked by hand, to draw in tests."""

import math
from collections.abc import Sequence

import numpy as np

from attnviz.analysis.comparison import Change, Comparison, Estimate, Match, Similarity, Verdict
from attnviz.captures import Head, Numbers
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample

SAMPLES = (Sample("One cat sat.", name="text-1"), Sample("Two dogs <b>ran</b>.", name="text-2"))


def model(name: str, layers: int, heads: int) -> ModelFacts:
    return ModelFacts(
        name=name,
        family="bert",
        layers=tuple(LayerFacts("", layer, heads) for layer in range(layers)),
        fingerprint=f"{name} weights",
    )


def heads_of(facts: ModelFacts) -> tuple[Head, ...]:
    return tuple(
        Head(layer.stack, layer.layer, head) for layer in facts.layers for head in range(layer.heads)
    )


def comparison(
    similarity: Numbers | Sequence[Sequence[float]],
    *,
    pairs: Sequence[tuple[int, int]] = (),
    verdicts: Sequence[Verdict] = (),
    shapes: tuple[tuple[int, int], tuple[int, int]] = ((2, 2), (1, 3)),
    names: tuple[str, str] = ("first", "second"),
    changes: Sequence[float] = (),
    **others: object,
) -> Comparison:
    """A comparison with these similarities; matches are these pairs of places, each with a verdict."""
    models = tuple(model(name, *shape) for name, shape in zip(names, shapes, strict=True))
    first, second = map(heads_of, models)
    values = np.array(similarity, float)
    words = verdicts or ["match"] * len(pairs)
    return Comparison(
        models=models,  # type: ignore[arg-type]
        samples=SAMPLES,
        measure="js",
        matching="one-to-one",
        as_is=False,
        seed=0,
        first=first,
        second=second,
        similarity=Similarity(values, first, second),
        matches=tuple(
            Match(
                first[one],
                second[other],
                Estimate(values[one, other], math.nan, math.nan, 2),
                0.5,
                0.25,
                0.004,
                word,
            )
            for (one, other), word in zip(pairs, words, strict=True)
        ),
        changes=tuple(
            Change(head, Estimate(value, samples=2)) for head, value in zip(first, changes, strict=False)
        ),
        versions={"attnviz": "0.1.0"},
        **others,  # type: ignore[arg-type]
    )


SMALL = comparison(
    [[0.1, 0.9, 0.2], [0.4, 0.3, 0.1], [0.2, 0.1, math.nan], [0.3, 0.2, 0.7]],
    pairs=[(0, 1), (1, 0), (3, 2)],
    verdicts=["match", "position", "chance"],
    notes=("a note",),
    testing="a null",
)
"""Four heads of one model beside three of another: 0.0 is 0.1, 0.1 like 0.0, 1.1 like 0.2; 1.0 like none."""

SAME = comparison(
    np.eye(4),
    pairs=[(head, head) for head in range(4)],
    shapes=((2, 2), (2, 2)),
    changes=[0.0, 0.25, 0.002, math.nan],
    notes=("a note",),
    testing="a null",
)
"""Two models of one architecture, of which one head changed."""

"""Captures with statistics put in by hand, of a model of two layers: two heads and one."""

import numpy as np

from attnviz.captures import Capture, Head, Pairs, Statistics, numbered
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample

HEADS = (Head("", 0, 0), Head("", 0, 1), Head("", 1, 0))
LAYERS = (LayerFacts("", 0, 2), LayerFacts("", 1, 1))
MISSING = float("nan")


def facts(
    layers: tuple[LayerFacts, ...] = LAYERS, name: str = "small", fingerprint: str = "00ff"
) -> ModelFacts:
    return ModelFacts(name, "fake", layers, fingerprint)


def seen(
    values: dict[str, list[float]],
    *,
    name: str = "text",
    heads: tuple[Head, ...] = HEADS,
    model: ModelFacts | None = None,
    rows: dict[str, list[int]] | None = None,
    baselines: dict[str, list[float]] | None = None,
    offsets: list[tuple[int, int, int]] | None = None,
    pairs: list[tuple[int, int, float]] | None = None,
    length: int = 7,
    notes: tuple[str, ...] = (),
) -> Capture:
    """values, rows, baselines: by statistic, one entry a head; pairs: the strongest one of each head."""
    strongest = np.array(pairs or [(0, head, 0.5) for head in range(len(heads))])
    axis = numbered(length)
    return Capture(
        model=model or facts(),
        sample=Sample(f"what {name} says", name=name),
        notes=notes,
        versions={"attnviz": "0"},
        axes={"": (axis, axis)},
        statistics=Statistics(
            heads=heads,
            values={metric: np.array(entries, float) for metric, entries in values.items()},
            rows={
                metric: np.array((rows or {}).get(metric, [length] * len(heads)), np.int64)
                for metric in values
            },
            baselines={metric: np.array(entries, float) for metric, entries in (baselines or {}).items()},
            offsets=np.array(offsets or [], np.int64).reshape(-1, 3),
            evidence=Pairs(
                heads, strongest[:, :1].astype(np.int64), strongest[:, 1:2].astype(np.int64), strongest[:, 2:]
            ),
        ),
    )


def several(count: int, spread: float = 0.1) -> list[Capture]:
    """Samples whose "previous" lies around 0.5, 0.6 and 0.7, evenly spread."""
    steps = np.linspace(-spread, spread, count)
    return [
        seen({"previous": [0.5 + step, 0.6 + step, 0.7 + step]}, name=f"text-{number}")
        for number, step in enumerate(steps, 1)
    ]

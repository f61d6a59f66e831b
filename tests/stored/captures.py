"""Captures with something in every field, by hand and by chance, and whether two are equal to the bit."""

import struct
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from attnviz.captures import Axis, Capture, Grid, Head, LayerMaps, Layers, Pairs, Statistics
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span, printable
from tests.analysis.maps import sentence_axis, small_capture

STACKS = ("", "encoder", "cross")
KEPT = ("maps", "pooled", "means", "rollout", "words")

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)  # lone surrogates too
labels = texts.map(printable)
numbers = st.integers(-1, 50)


@st.composite
def axes(draw: st.DrawFn, text: str) -> Axis:
    """An axis with any of its fields filled or left out."""
    length = draw(st.integers(0, 5))
    places = st.integers(0, len(text))
    spans = st.one_of(st.none(), st.tuples(places, places).map(lambda ends: Span(0, min(ends), max(ends))))

    def each(values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return draw(st.tuples(*[values] * length))

    return Axis(
        labels=each(labels),
        positions=each(st.integers(0, 2**40)),
        spans=each(spans),
        words=each(numbers),
        special=each(st.booleans()),
        ids=each(st.integers(0, 2**31)) if draw(st.booleans()) else (),
        texts=(text,),
        unit=draw(st.sampled_from(["token", "word", "group", "patch", "position"])),
        masks=each(st.booleans()) if draw(st.booleans()) else (),
        grid=Grid(1, 1, length - 1) if length > 1 and draw(st.booleans()) else None,
    )


@st.composite
def layer_maps(draw: st.DrawFn, facts: LayerFacts, sides: tuple[Axis, Axis]) -> LayerMaps:
    """Maps of some heads of a layer; masks of any shape that fits, some arrays not contiguous."""
    heads = tuple(sorted(draw(st.sets(st.integers(0, facts.heads - 1), max_size=facts.heads))))
    mean = draw(st.booleans())
    shape = (1 if mean else len(heads), len(sides[0]), len(sides[1]))
    weights = draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    masks = [
        draw(arrays.arrays(np.bool_, [draw(st.sampled_from([1, size])) for size in shape])) for _ in range(2)
    ]
    if draw(st.booleans()):
        weights = np.asfortranarray(weights)
    return LayerMaps(facts.stack, facts.layer, heads, weights, *masks, *sides, mean=mean)


@st.composite
def pairs(draw: st.DrawFn, heads: tuple[Head, ...]) -> Pairs:
    shape = (len(heads), draw(st.integers(0, 3)))
    weights = st.one_of(st.just(np.nan), st.floats(0, 1))
    nowhere = np.full(shape, -1)
    return Pairs(heads, nowhere, nowhere.copy(), draw(arrays.arrays(np.float64, shape, elements=weights)))


@st.composite
def statistics(draw: st.DrawFn, heads: tuple[Head, ...]) -> Statistics:
    def each(dtype: type, values: st.SearchStrategy[Any]) -> dict[str, Any]:
        each_head = arrays.arrays(dtype, len(heads), elements=values)
        return {name: draw(each_head) for name in ("focus", "previous")}

    values = st.one_of(st.just(np.nan), st.floats(0, 99))
    offsets = draw(st.lists(st.tuples(st.just(0), numbers, st.integers(1, 9)), max_size=3)) if heads else []
    return Statistics(
        heads=heads,
        values=each(np.float64, values),
        rows=each(np.int64, st.integers(0, 99)),
        baselines={"previous": np.full(len(heads), 0.25)},
        offsets=np.array(offsets, np.int64).reshape(-1, 3),
        evidence=draw(pairs(heads)),
    )


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    """A capture with anything in it that there can be."""
    layers = tuple(
        LayerFacts(stack, layer, draw(st.integers(1, 3)), draw(st.none() | st.just(128)))
        for stack in STACKS
        for layer in range(2)
    )
    text = draw(texts)
    known = {stack: (draw(axes(text)), draw(axes(text))) for stack in STACKS}
    heads = tuple(Head(layer.stack, layer.layer, 0) for layer in layers)
    kept = {
        name: Layers(draw(layer_maps(layer, known[layer.stack])) for layer in layers if draw(st.booleans()))
        for name in KEPT
    }
    return Capture(
        model=ModelFacts("small", "hand", layers, "00ff", draw(st.none() | texts), positions=7),
        sample=Sample(text, draw(st.none() | texts), draw(st.booleans()), "text-1"),
        notes=tuple(draw(st.lists(labels, max_size=2))),
        versions={"attnviz": draw(texts)},
        axes=known,
        statistics=draw(st.none() | statistics(heads)),
        pairs=draw(st.none() | pairs(heads)),
        **kept,
    )


def full_capture() -> Capture:
    """One with something in every field."""
    seen = small_capture(layers=2, heads=3)
    heads = (Head("", 0, 1), Head("", 1, 2))
    pairs = Pairs(heads, np.array([[4], [0]]), np.array([[3], [-1]]), np.array([[0.5], [np.nan]]))
    table = {"focus": np.array([0.25, np.nan])}
    numbers = Statistics(heads, table, {"focus": np.array([7, 0])}, {}, np.array([[0, -1, 5]]), pairs)
    return replace(
        seen,
        notes=("cut to 9 of 12 tokens",),
        axes={"": (sentence_axis(), sentence_axis())},
        pooled=seen.maps,
        means=seen.maps[:1],
        statistics=numbers,
        pairs=pairs,
    )


def checkpoint() -> bytes:
    """A model's weights, in the same format."""
    header = b'{"__metadata__":{"format":"pt"},"wte":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return struct.pack("<Q", len(header)) + header + bytes(4)


def same(one: Any, other: Any) -> bool:
    """Whether two records are equal to the bit, NaN being equal to itself."""
    if isinstance(one, np.ndarray):
        alike = one.dtype == other.dtype and one.shape == other.shape
        return bool(alike and one.tobytes() == other.tobytes())
    if is_dataclass(one):
        entries = [entry.name for entry in fields(one)]
        return type(one) is type(other) and all(same(getattr(one, e), getattr(other, e)) for e in entries)
    if isinstance(one, tuple):
        alike = type(one) is type(other) and len(one) == len(other)
        return alike and all(same(*each) for each in zip(one, other, strict=True))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other

"""Attention that somebody else took, as a capture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Axis, Booleans, Capture, LayerMaps, Layers, Numbers
from attnviz.errors import InputError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, printable

MOST_OFF = {2: 2e-2, 4: 1e-3, 8: 1e-3}  # what the sum of a row may be off by, by the bytes of a number
CAUSAL = "no weight lies after the diagonal: taken as causal, later tokens as out of sight"

Given = NDArray[np.floating]


def from_arrays(
    attention: Any, tokens: Sequence[str], *, name: str = "arrays", copied: bool = True
) -> Capture:
    """A capture of self-attention that is already there.

    attention: ``[layers, heads, queries, keys]``, rows summing to 1; rows of 0 see nothing
    tokens:    what the model read, one for each query and key
    name:      what the model is called
    copied:    False where nobody else has the array
    Assumed, since nobody says otherwise: each token is a word and none is special; where no layer has any
    weight after the diagonal, every query sees only itself and what is before it (a note says so).
    Raises InputError for what is no attention over these tokens.
    """
    off = _most_off(attention)
    attention, tokens = _array(attention), list(tokens)
    _check(attention, tokens)
    axis = _axis(tokens)
    causal = len(axis) > 1 and not any(np.triu(head, 1).any() for layer in attention for head in layer)
    sight = np.tri(len(axis), dtype=bool) if causal else np.ones((len(axis), len(axis)), bool)
    if copied:
        attention = attention.copy()
    for layer, weights in enumerate(attention):
        _check_sums(layer, weights, off)
    maps = Layers(_layer(layer, weights, sight, axis) for layer, weights in enumerate(attention))
    facts = tuple(LayerFacts("", maps.layer, len(maps.heads)) for maps in maps)
    return Capture(
        model=ModelFacts(name, "arrays", facts, fingerprint=""),
        sample=Sample(" ".join(tokens), name=name),
        maps=maps,
        notes=(CAUSAL,) if causal else (),
        axes={"": (axis, axis)},
    )


def _array(attention: Any) -> Given:
    """What was given as an array; a tensor of torch, which is none where it has gradients or is bfloat16."""
    if callable(getattr(attention, "detach", None)):
        attention = attention.detach().cpu()
        attention = attention.float() if attention.is_floating_point() else attention
    try:
        return np.asarray(attention)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"attention is {type(attention).__name__}, of which no array can be made: give one array "
            "[layers, heads, queries, keys]"
        ) from error


def _check(attention: Given, tokens: list[str]) -> None:
    """Raises InputError for types or shapes that do not fit."""
    if attention.dtype.kind != "f":
        raise InputError(f"attention is of type {attention.dtype}: it must be of floating-point numbers")
    if attention.ndim != 4 or 0 in attention.shape:
        raise InputError(
            f"attention has the shape {attention.shape}: it must be [layers, heads, queries, keys]"
        )
    queries, keys = attention.shape[2:]
    if not queries == keys == len(tokens):
        raise InputError(
            f"attention has {queries} queries and {keys} keys for {len(tokens)} tokens: they must agree"
        )
    if strange := [token for token in tokens if not isinstance(token, str)]:
        raise InputError(f"{strange[0]!r} is no token: tokens must be text")


def _axis(tokens: Sequence[str]) -> Axis:
    count = len(tokens)
    return Axis(
        labels=tuple(printable(token) for token in tokens),
        positions=tuple(range(count)),
        spans=(None,) * count,
        words=tuple(range(count)),
        special=(False,) * count,
    )


def _layer(layer: int, weights: Given, sight: Booleans, axis: Axis) -> LayerMaps:
    blind = weights.sum(-1, dtype=np.float64) < 0.5
    return LayerMaps(
        stack="",
        layer=layer,
        heads=tuple(range(len(weights))),
        weights=np.ascontiguousarray(weights, np.float32),
        visible=sight & ~blind[:, :, None] if blind.any() else sight[None],
        computed=np.ones((1, 1, 1), bool),
        queries=axis,
        keys=axis,
    )


def _most_off(attention: Any) -> float:
    """What the sum of a row may be off by, for the type that was given."""
    return MOST_OFF.get(getattr(getattr(attention, "dtype", None), "itemsize", 8), 1e-3)


def _check_sums(layer: int, weights: Given, off: float) -> None:
    """Raises InputError unless all rows of a layer sum to 1 or 0."""
    sums: Numbers = weights.sum(-1, dtype=np.float64)
    good = ((np.abs(sums - 1) <= off) | (sums == 0)) & (weights.min(-1) >= 0)  # never of what is NaN
    if not good.all():
        head, row = np.argwhere(~good)[0]
        raise InputError(
            f"row {row} of layer {layer}, head {head} sums to {sums[head, row]:.4g}, from "
            f"{weights[head, row].min():.4g} up: attention is a softmax, whose rows sum to 1 (or to 0 where "
            "nothing is seen) and are never negative"
        )

"""Captured maps against a model's own weights: one to one, whatever form a model gives to its weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]
Real = Mapping[int, NDArray[np.bool_]]
"""By the length of an axis: which of its places are no padding."""
NEAR = 1e-4
NOT_THE_SAME = 0.05  # a difference above it is a different layer's


@dataclass(frozen=True)
class Comparison:
    """How a capture and the model's own weights compare.

    difference: the largest between two weights, over all rows that are not padding
    layers:     layers captured, each found among the model's own
    heads:      heads captured
    wanting:    what is missing or too much, in words; empty if nothing is
    """

    difference: float
    layers: int
    heads: int
    wanting: tuple[str, ...] = ()


def compared(
    captured: Sequence[tuple[str, Weights]],
    own: Sequence[tuple[str, Weights]],
    besides: Sequence[tuple[str, Weights]],
    real: Real,
) -> Comparison:
    """Every captured layer with one of the model's own.

    captured: name and weights ``[heads, queries, keys]`` of each layer
    own:      name and weights ``[batch, heads, queries, keys]``: all of them must have been captured
    besides:  weights that may have been captured
    real:     by the length of an axis: which of its places are no padding
    """
    left, spare = list(own), list(besides)
    largest, wanting = 0.0, []
    for name, weights in captured:
        found = _closest(weights, left, real)
        if found is None or found[1] > NEAR:
            others = _closest(weights, spare, real)
            found = min((one for one in (found, others) if one), key=lambda one: one[1], default=None)
        if found is None:
            wanting.append(f"{name} {list(weights.shape)} is none of the model's own weights")
            continue
        place, difference, among = found
        largest = max(largest, difference)
        if difference > NOT_THE_SAME:
            wanting.append(f"{name} differs from {among[place][0]}")
        del among[place]
    wanting += [f"{name} {list(weights.shape)} was not captured" for name, weights in left]
    heads = sum(weights.shape[0] for _, weights in captured)
    return Comparison(largest, len(captured), heads, tuple(wanting))


def _closest(weights: Weights, among: list[Any], real: Real) -> Any:
    """Place, difference and list of the nearest; the first of those that are as near as rounding is."""
    best = None
    for place, (_, own) in enumerate(among):
        value = difference(weights, own, real)
        if value is not None and (best is None or value < best[1]):
            best = (place, value, among)
        if best is not None and best[1] < NEAR / 10:
            break
    return best


def difference(captured: Weights, own: Weights, real: Real) -> float | None:
    """The largest difference between a captured layer and the model's own; None if their forms do not agree.

    Own weights of one entry of a batch are compared as they are, with or without padding; those of several
    images or windows with their places in the whole, or where these are in another order, in bands or in
    blocks, each row by its numbers in the order of their size.
    """
    values: list[float] = []
    for form in _arranged(own, len(captured)):
        found = (_plain(captured, form, real), _side_by_side(captured, form))
        values += [value for value in found if value is not None]
    if own.ndim != 4 or own.shape[0] > 1 or not values:
        values += [
            value
            for form in _arranged(own, len(captured))
            if (value := _row_by_row(captured, form, real, blocks=own.ndim != 4)) is not None
        ]
    return min(values) if values else None


def _arranged(own: Weights, heads: int) -> Iterator[Weights]:
    """The weights as ``[batch, heads, queries, keys]``; models differ in the order of their axes.

    Of three axes the first is the batch and its heads; of five some are the heads' queries in blocks, others
    the levels and points of deformable attention.
    """
    if own.ndim == 3 and len(own) % heads == 0:
        yield own.reshape(-1, heads, *own.shape[1:])
    if own.ndim == 4:
        yield own
        yield own.swapaxes(1, 2)
    if own.ndim == 5:
        yield own.reshape(*own.shape[:2], -1, own.shape[4])
        yield own.reshape(*own.shape[:3], -1).swapaxes(1, 2)
        yield own.swapaxes(1, 2).reshape(own.shape[0], own.shape[2], -1, own.shape[4])


def _plain(captured: Weights, own: Weights, real: Real) -> float | None:
    if own.shape[0] != 1:
        return None
    whole = own[0]
    rows, keys = real.get(whole.shape[1]), real.get(whole.shape[2])
    if captured.shape == whole.shape:
        return _largest(captured - whole if rows is None else (captured - whole)[:, rows])
    cut = whole if rows is None else whole[:, rows]
    both = cut if keys is None else cut[..., keys]
    return next((_largest(captured - form) for form in (both, cut) if form.shape == captured.shape), None)


def _side_by_side(captured: Weights, own: Weights) -> float | None:
    """Several entries that see nothing of each other, one after another on both axes."""
    entries, heads, queries, keys = own.shape
    if captured.shape != (heads, entries * queries, entries * keys):
        return None
    whole = np.zeros_like(captured)
    for entry, weights in enumerate(own):
        rows, columns = slice(entry * queries, (entry + 1) * queries), slice(entry * keys, (entry + 1) * keys)
        whole[:, rows, columns] = weights
    return _largest(captured - whole)


def _row_by_row(captured: Weights, own: Weights, real: Real, *, blocks: bool) -> float | None:
    entries, heads, queries, keys = own.shape
    if captured.shape[0] != heads:
        return None
    rows = own.transpose(1, 0, 2, 3).reshape(heads, entries * queries, keys)
    if entries == 1 and queries in real and captured.shape[1] < queries:
        rows = rows[:, real[queries]]
    most = min(keys, captured.shape[2])
    ordered = entries == 1 and not blocks
    if rows.shape[1] < captured.shape[1] or (ordered and rows.shape[1] != captured.shape[1]):
        return None
    mine, theirs = _descending(captured), _descending(rows)
    if max(_rest(mine, most), _rest(theirs, most)) > NOT_THE_SAME:
        return None
    mine, theirs = mine[..., :most], theirs[..., :most]
    if ordered:
        return _largest(mine - theirs)
    return _nearest_rows(mine, theirs)


def _nearest_rows(mine: Weights, theirs: Weights) -> float:
    """The largest distance of a captured row from the nearest of the model's own (padding has rows, too)."""
    worst = 0.0
    for head, others in zip(mine, theirs, strict=True):
        for start in range(0, len(head), 64):
            distances = np.abs(head[start : start + 64, None] - others[None]).max(-1)
            worst = max(worst, float(distances.min(-1).max()))
    return worst


def _descending(weights: Weights) -> Weights:
    return -np.sort(-weights, axis=-1)


def _rest(weights: Weights, most: int) -> float:
    return float(weights[..., most:].max()) if weights.shape[-1] > most else 0.0


def _largest(differences: Weights) -> float:
    return float(np.abs(differences).max()) if differences.size else 0.0

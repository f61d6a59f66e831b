"""How alike two heads' maps of one text are.

js:  1 - the Jensen-Shannon distance (the root of the divergence, in bits; Endres & Schindelin 2003), the mean
     over rows
cka: linear centred kernel alignment (Kornblith et al. 2019, 3; their X and Y are the two maps, with a query a
     row and a key a column, centred over the queries; a row without weight stays 0)
"""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from attnviz.analysis.common import Block, Shared, beside
from attnviz.analysis.comparison import Measure
from attnviz.captures import Booleans, Floats, Numbers

TOGETHER = 262_144  # numbers of a temporary: in the processor's cache, and enough for threads to work beside
KEYS = 64  # that are added up in float32
NEAR = 1 / 64  # bits; a smaller divergence is computed again in float64, for the root makes its error larger
NOTHING, NONE = np.float32(1e-30), 1e-300  # change no weight, and have a logarithm


class Likeness(NamedTuple):
    """How a measure is computed.

    across: all heads of the first beside all of the second: ``[first, second]``, NaN without a row to compare
    along:  the first's head i beside the second's head i: ``[heads]``, likewise
    lacking: what two models lack of which no heads can be compared; lacking_one: what a head lacks
    """

    across: Callable[[Shared], Numbers]
    along: Callable[[Shared], Numbers]
    lacking: str
    lacking_one: str


def similarities(
    first: Iterable[Block],
    second: Iterable[Block],
    measure: Measure,
    shape: tuple[int, int],
    *,
    as_is: bool = False,
) -> tuple[Numbers, Numbers]:
    """How alike all heads of two models are over one text (or over two): ``[first, second]`` of that shape.

    NaN where they have nothing in common. With it ``[2, 2]``: of the first's weight and of the second's what
    was not compared, and what there was.
    """
    alike, hidden = np.full(shape, np.nan), np.zeros((2, 2))
    theirs = tuple(second)
    for one in first:
        for other in theirs:
            shared = beside(one, other, as_is=as_is)
            if shared is not None:
                alike[np.ix_(one.heads, other.heads)] = MEASURES[measure].across(shared)
                hidden += shared.hidden * ((len(other.heads),), (len(one.heads),))
    return alike, hidden


def _js_across(shared: Shared) -> Numbers:
    shape = len(shared.first), len(shared.second)
    total, room = np.zeros(shape), _room(shape[1])
    there, theirs = _there(shared.first), _there(shared.second)
    every = there.all() and theirs.all()
    for some in _batches(*shape, shared.seen):
        keys = shared.seen[some].any(0)
        one, other = (side[:, some][:, :, keys].swapaxes(0, 1) for side in (shared.first, shared.second))
        distances = _distances(one, other, room)
        if not every:
            distances *= there.T[some, :, None] & theirs.T[some, None]
        total += distances.sum(0)
    return _one_less(total, there.astype(np.float64) @ theirs.T)


def _there(rows: Numbers) -> Booleans:
    """Whether there is any weight, over the last axis."""
    return np.asarray(rows.any(-1))


def _room(others: int) -> Floats:
    """Two temporaries, used again and again: memory that is new every time has to be found and cleared."""
    return np.empty((2, max(TOGETHER, KEYS * others)), np.float32)


def _batches(heads: int, others: int, seen: Booleans) -> Iterator[slice]:
    """Rows that are compared at once."""
    step = max(1, TOGETHER // (heads * others * seen.shape[1]))
    yield from (slice(row, row + step) for row in range(0, len(seen), step))


def _js_along(shared: Shared) -> Numbers:
    there = _there(shared.first) & _there(shared.second)
    distances = np.sqrt(divergences(shared.first, shared.second))
    return _one_less((distances * there).sum(-1), there.sum(-1).astype(np.float64))


def _one_less(total: Numbers, rows: Numbers) -> Numbers:
    """1 - the mean, NaN without rows."""
    mean: Numbers = np.divide(total, rows, out=np.full_like(total, np.nan), where=rows > 0)
    return 1 - mean


def _distances(first: Numbers, second: Numbers, room: Floats) -> Numbers:
    """Row by row all of ``[rows, first, keys]`` beside all of ``[rows, second, keys]``, in root bits.

    With s = p + q the divergence is 1 + (sum p log p + sum q log q - sum s log s) / 2.
    """
    one, other = (side.swapaxes(1, 2).astype(np.float32) + NOTHING for side in (first, second))
    divergence = _mixed(one, other, room)
    np.subtract(_information(first)[:, :, None] + _information(second)[:, None], divergence, out=divergence)
    divergence /= 2
    divergence += 1
    near = np.nonzero(divergence < NEAR)
    step = TOGETHER // first.shape[2] + 1
    for start in range(0, len(near[0]), step):
        rows, heads, others = (places[start : start + step] for places in near)
        divergence[rows, heads, others] = divergences(first[rows, heads], second[rows, others])
    distances: Numbers = np.sqrt(divergence, out=divergence)
    return distances


def _mixed(first: Floats, second: Floats, room: Floats) -> Numbers:
    """The sum over keys of s log2 s, s = p + q, for all p of ``[rows, keys, first]``, q of another such.

    A sum in float32 is short enough to be exact.
    """
    rows, keys, heads = first.shape
    total = np.zeros((rows, heads, second.shape[2]))
    step = max(1, TOGETHER // (rows * min(keys, KEYS) * second.shape[2]))
    for key, head in product(range(0, keys, KEYS), range(0, heads, step)):
        one, other = first[:, key : key + KEYS, head : head + step, None], second[:, key : key + KEYS, None]
        shape = (*one.shape[:3], second.shape[2])
        sums, logs = (each[: math.prod(shape)].reshape(shape) for each in room)
        np.log(np.add(one, other, out=sums), out=logs)
        total[:, head : head + step] += np.multiply(sums, logs, out=logs).sum(1)
    total /= np.log(2)
    return total


def divergences(first: Numbers, second: Numbers) -> Numbers:
    """The Jensen-Shannon divergence in bits, over the last axis, in float64; 0 for what is the same."""
    apart = _information(first) + _information(second) - 2 * _information((first + second) / 2)
    divergence: Numbers = np.maximum(apart / 2, 0)
    return divergence


def _information(weights: Numbers) -> Numbers:
    """The sum of p log2 p over the last axis: minus the entropy in bits."""
    logs = np.log(weights + NONE)
    information: Numbers = np.einsum("...k,...k->...", weights, logs)
    information /= np.log(2)
    return information


def _cka_across(shared: Shared) -> Numbers:
    one, other = _centred(shared.first), _centred(shared.second)
    alignment = np.zeros((len(one), len(other)))
    norm, their_norm = np.zeros(len(one)), np.zeros(len(other))
    for row in range(one.shape[1]):
        gram, theirs = ((side @ side[:, row, :, None])[..., 0] for side in (one, other))
        alignment += gram @ theirs.T
        norm, their_norm = norm + (gram**2).sum(-1), their_norm + (theirs**2).sum(-1)
    return _aligned(alignment, norm[:, None] * their_norm)


def _cka_along(shared: Shared) -> Numbers:
    one, other = (side @ side.transpose(0, 2, 1) for side in map(_centred, (shared.first, shared.second)))
    norms = (one**2).sum((1, 2)) * (other**2).sum((1, 2))
    return _aligned((one * other).sum((1, 2)), norms)


def _centred(maps: Numbers) -> Numbers:
    """Less the mean over the queries; exactly 0 where all rows are the same but for rounding."""
    centred: Numbers = maps - maps.mean(1, keepdims=True)
    alike: Booleans = np.abs(centred).max((1, 2)) < 1e-7
    centred[alike] = 0
    return centred


def _aligned(alignment: Numbers, norms: Numbers) -> Numbers:
    """NaN for a map of which all rows are the same: nothing varies that could be aligned."""
    roots = np.sqrt(norms)
    return np.divide(alignment, roots, out=np.full_like(alignment, np.nan), where=roots > 0)


MEASURES: dict[Measure, Likeness] = {
    "js": Likeness(
        _js_across,
        _js_along,
        "no query sees two keys in both",
        "with none of B's they see two keys in common",
    ),
    "cka": Likeness(
        _cka_across,
        _cka_along,
        "no two queries see two keys in both and look at them differently",
        "with none of B's they have two queries that see two keys in common and look at them differently",
    ),
}

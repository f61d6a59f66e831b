"""How alike two heads' maps of one text are.

js:  1 - the Jensen-Shannon distance (the root of the divergence, in bits; Endres & Schindelin 2003), the mean
     over rows
cka: linear centred kernel alignment (Kornblith et al. 2019, 3; their X and Y are the two maps, with a query a
     row and a key a column, centred over the queries; a row without weight stays 0)
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from attnviz.analysis.common import Block, Shared, beside
from attnviz.analysis.comparison import Measure
from attnviz.captures import Booleans, Floats, Numbers

CACHED = 32_768  # numbers of a temporary: with a second one they stay in the processor's cache
KEYS = 64  # that are added up in float32
NEAR = 1 / 64  # bits; a smaller divergence is computed again in float64, for the root makes its error larger
NOTHING = np.float32(1e-30)  # beside which every weight is exact, and which has a logarithm


class Likeness(NamedTuple):
    """How a measure is computed.

    across: all heads of the first beside all of the second: ``[first, second]``, NaN without a row to compare
    along:  the first's head i beside the second's head i: ``[heads]``, likewise
    """

    across: Callable[[Shared], Numbers]
    along: Callable[[Shared], Numbers]


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
    there = [np.asarray(side.any(-1)) for side in (shared.first, shared.second)]
    total = np.zeros((len(shared.first), len(shared.second)))
    for row, keys in enumerate(shared.seen):
        distance = _distances(shared.first[:, row, keys], shared.second[:, row, keys])
        one, other = (side[:, row] for side in there)
        total += distance if one.all() and other.all() else np.where(one[:, None] & other, distance, 0)
    rows = there[0].astype(np.float64) @ there[1].T
    return _one_less(total, rows)


def _js_along(shared: Shared) -> Numbers:
    there = shared.first.any(-1) & shared.second.any(-1)
    distances = np.sqrt(divergences(shared.first, shared.second))
    return _one_less((distances * there).sum(-1), there.sum(-1).astype(np.float64))


def _one_less(total: Numbers, rows: Numbers) -> Numbers:
    """1 - the mean, NaN without rows."""
    mean: Numbers = np.divide(total, rows, out=np.full_like(total, np.nan), where=rows > 0)
    return 1 - mean


def _distances(first: Numbers, second: Numbers) -> Numbers:
    """Of one row: all of ``[first, keys]`` beside all of ``[second, keys]``, in root bits.

    With s = p + q the divergence is 1 + (sum p log p + sum q log q - sum s log s) / 2.
    """
    one, other = (side.T.astype(np.float32, order="C") + NOTHING for side in (first, second))
    mixed = _mixed(one, other)
    apart = _information(first)[:, None] + _information(second) - mixed
    divergence: Numbers = 1 + apart / 2
    near = np.nonzero(divergence < NEAR)
    for some in range(0, len(near[0]), CACHED // first.shape[1] + 1):
        rows, columns = (side[some : some + CACHED // first.shape[1] + 1] for side in near)
        divergence[rows, columns] = divergences(first[rows], second[columns])
    return np.sqrt(divergence, out=divergence)


def _mixed(first: Floats, second: Floats) -> Numbers:
    """The sum over keys of s log2 s, s = p + q, for all p of ``[keys, first]`` and q of ``[keys, second]``.

    A temporary is small enough to stay in the cache, and a sum in float32 short enough to be exact.
    """
    keys, heads, others = *first.shape, second.shape[1]
    total = np.zeros((heads, others))
    step = max(1, CACHED // (min(keys, KEYS) * others))
    room = np.empty((2, min(keys, KEYS), step, others), np.float32)
    for start in range(0, keys, KEYS):
        some = slice(start, start + KEYS)
        for head in range(0, heads, step):
            which = slice(head, head + step)
            one, other = first[some, which, None], second[some, None]
            sums, logs = room[:, : one.shape[0], : one.shape[1]]
            np.log(np.add(one, other, out=sums), out=logs)
            total[which] += np.multiply(sums, logs, out=logs).sum(0)
    bits: Numbers = total / np.log(2)
    return bits


def divergences(first: Numbers, second: Numbers) -> Numbers:
    """The Jensen-Shannon divergence in bits, over the last axis, in float64; 0 for what is the same."""
    apart = _information(first) + _information(second) - 2 * _information((first + second) / 2)
    divergence: Numbers = np.maximum(apart / 2, 0)
    return divergence


def _information(weights: Numbers) -> Numbers:
    """The sum of p log2 p over the last axis: minus the entropy in bits."""
    logs = np.log2(weights, out=np.zeros_like(weights), where=weights > 0)
    information: Numbers = np.einsum("...k,...k->...", weights, logs)
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
    "js": Likeness(_js_across, _js_along),
    "cka": Likeness(_cka_across, _cka_along),
}

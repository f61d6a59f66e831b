"""Every head of one model beside every head of another, over many texts, and how sure the best matches are.

Captures are gone through once, in order, and what is compared of them is put aside in a file; all that comes
after reads that. Samples are compared by several threads; sums are made in the samples' order, so that their
number changes nothing.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from attnviz.analysis.chance import (
    FEWEST_DRAWS,
    best_of,
    chances,
    drawn_pairs,
    false_shares,
    null_points,
    verdict,
)
from attnviz.analysis.common import Block, shared_rows
from attnviz.analysis.comparison import (
    Change,
    Comparison,
    Estimate,
    Match,
    Matching,
    Measure,
    Similarity,
    of_one_architecture,
)
from attnviz.analysis.gather import Gathered, check_numbers, gathered
from attnviz.analysis.matching import matched
from attnviz.analysis.reduce import share_of
from attnviz.analysis.resample import FEWEST_SAMPLES, mean_of, resampled
from attnviz.analysis.shelf import Shelf
from attnviz.analysis.similarity import MEASURES, similarities
from attnviz.captures import Capture, Integers, Numbers
from attnviz.errors import InputError
from attnviz.inputs import printable

MOST_THREADS = 8
AHEAD = 16  # samples that are compared before the first of them is taken

Pair = tuple[Integers, Integers]
Item = TypeVar("Item")
Result = TypeVar("Result")


def compare(
    first: Sequence[Capture],
    second: Sequence[Capture],
    *,
    measure: Measure = "js",
    matching: Matching = "one-to-one",
    as_is: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compares the heads of two models that have read the same samples, in the same order.

    first, second: captures of one model each, with maps of words or of tokens; each is asked for once
    measure:  "js" or "cka" (``attnviz.analysis.similarity``)
    matching: "one-to-one" or each head's "nearest"
    as_is:    also compare keys that only one of the two may see
    seed:     of what is drawn: pairs of samples for the null, samples for the intervals
    Raises InputError for fewer than two samples, samples that are not the same, captures of several models in
    one sequence, and models that have nothing in common.
    """
    check_numbers(first, second)
    with Shelf() as shelf, ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        work = _Work(gathered(first, second, shelf), shelf, pool, measure, as_is)
        return _compared(work, matching, seed)


@dataclass(frozen=True)
class _Work:
    """What is compared, and how."""

    seen: Gathered
    shelf: Shelf
    pool: ThreadPoolExecutor
    measure: Measure
    as_is: bool

    @property
    def shape(self) -> tuple[int, int]:
        """How many heads the models have."""
        one, other = self.seen.heads
        return len(one), len(other)

    def across(self, samples: tuple[int, int]) -> tuple[Numbers, Numbers]:
        """All heads of the first on one sample beside all of the second on one, and what is hidden."""
        one, other = samples
        first: tuple[Block, ...] = self.shelf.take(self.seen.kept[one][0])
        second: tuple[Block, ...] = self.shelf.take(self.seen.kept[other][1])
        return similarities(first, second, self.measure, self.shape, as_is=self.as_is)

    def in_order(self, do: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """What several threads make of the items, in their order; few are made before they are taken."""
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(self.pool.submit(do, item))
            if len(pending) > AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _compared(work: _Work, matching: Matching, seed: int) -> Comparison:
    seen = work.seen
    similarity, hidden, kept = _similarity(work)
    if np.isnan(similarity).all():
        names = " and ".join(printable(model.name) for model in seen.models)
        raise InputError(
            f"nothing of {names} can be compared: {MEASURES[work.measure].lacking}; give longer texts"
        )
    pair = matched(similarity, matching)
    draws = _draws(work, drawn_pairs(seen.words, seen.texts, seed))
    floor = mean_of(_rows(work.in_order(partial(_floor, work, pair), range(len(kept))))).whole()
    values = _rows(work.shelf.take(number)[pair] for number in kept)
    rows, columns = seen.places()
    first, second = (
        tuple(heads[place] for place in places)
        for heads, places in zip(seen.heads, (rows, columns), strict=True)
    )
    return Comparison(
        models=seen.models,
        samples=tuple(seen.samples),
        measure=work.measure,
        matching=matching,
        as_is=work.as_is,
        seed=seed,
        first=first,
        second=second,
        similarity=Similarity(similarity[np.ix_(rows, columns)], first, second),
        matches=tuple(_matches(seen, pair, _estimates(values, seed), draws[:, pair[0]], floor)),
        changes=tuple(_changes(work, kept, seed)),
        hidden=(float(hidden[0]), float(hidden[1])),
        notes=(*_alone(work, similarity[rows]), *_notes(work, hidden)),
        testing=_testing(draws, seed),
        versions=seen.versions,
    )


def _similarity(work: _Work) -> tuple[Numbers, Numbers, list[int]]:
    """The mean over samples of all heads beside all, the shares hidden, and where the samples' own are."""
    total, count, hidden = np.zeros(work.shape), np.zeros(work.shape), np.zeros((2, 2))
    kept = []
    same = ((sample, sample) for sample in range(len(work.seen.kept)))
    for similarity, weight in work.in_order(work.across, same):
        kept.append(work.shelf.put(similarity))
        there = ~np.isnan(similarity)
        total[there] += similarity[there]
        count += there
        hidden += weight
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean, np.array([share_of(part, whole) for part, whole in hidden]), kept


def _draws(work: _Work, pairs: Sequence[tuple[int, int]]) -> Numbers:
    """The best that each head of the first finds in another text: ``[draws, heads]``."""
    best = [best_of(similarity) for similarity, _ in work.in_order(work.across, pairs)]
    return np.array(best).reshape(-1, work.shape[0])


def _floor(work: _Work, pair: Pair, sample: int) -> Numbers:
    """In one sample, how alike each match is to the first head's profile ``[matches]``."""
    floors = np.full(len(pair[0]), np.nan)
    first, second = (work.shelf.take(number) for number in work.seen.kept[sample])
    for one in first:
        for other in second:
            both = np.flatnonzero(np.isin(pair[0], one.heads) & np.isin(pair[1], other.heads))
            if not len(both):
                continue
            shared = shared_rows(
                _profiled(work, one, pair[0][both]), _chosen(other, pair[1][both]), as_is=work.as_is
            )
            if shared is not None:
                floors[both] = MEASURES[work.measure].along(shared)
    return floors


def _profiled(work: _Work, block: Block, heads: Integers) -> Block:
    """What the heads would look at in this block if place were all, as they do in the other samples."""
    profile = work.seen.profile.maps(heads, block.queries, block.keys, without=block)
    maps = profile.astype(np.float32)
    return replace(block, heads=heads, weights=maps, totals=maps.sum(-1))


def _chosen(block: Block, heads: Integers) -> Block:
    """The heads, some of them more than once."""
    at = {head: place for place, head in enumerate(block.heads.tolist())}
    places = [at[head] for head in heads.tolist()]
    return replace(block, heads=heads, weights=block.weights[places], totals=block.totals[places])


def _rows(numbers: Iterable[Numbers]) -> Numbers:
    return np.array(list(numbers))


def _estimates(values: Numbers, seed: int) -> list[Estimate]:
    """The means over samples of values ``[samples, things]``, with their intervals."""
    means = mean_of(values)
    columns = (
        means.whole().tolist(),
        *means.interval(resampled(len(values), seed)).tolist(),
        (means.below > 0).sum(0).tolist(),
    )
    return [Estimate(*numbers) for numbers in zip(*columns, strict=True)]


def _matches(
    seen: Gathered, pair: Pair, estimates: Sequence[Estimate], draws: Numbers, floor: Numbers
) -> Iterator[Match]:
    """draws: of the matched heads alone, ``[draws, matches]``"""
    values = np.array([estimate.value for estimate in estimates])
    shares = false_shares(chances(values, draws))
    columns = (*null_points(draws).tolist(), floor.tolist(), shares.tolist())
    heads = (np.asarray(places).tolist() for places in pair)
    for first, second, estimate, null, middle, low, share in zip(*heads, estimates, *columns, strict=True):
        yield Match(
            first=seen.heads[0][first],
            second=seen.heads[1][second],
            similarity=estimate,
            null=null,
            floor=low,
            q=share,
            verdict=verdict(estimate.value, null, low, share, middle),
        )


def _changes(work: _Work, kept: Sequence[int], seed: int) -> Iterator[Change]:
    """Head by head, where both models are of one architecture and have the same ones."""
    if not of_one_architecture(*work.seen.models):
        return
    heads, _ = work.seen.heads
    rows, columns = work.seen.places()
    both = np.intersect1d(rows, columns)
    values = 1 - _rows(work.shelf.take(number)[both, both] for number in kept)
    for place, estimate in zip(both.tolist(), _estimates(values, seed), strict=True):
        if estimate.samples:
            yield Change(heads[place], estimate)


def _alone(work: _Work, similarity: Numbers) -> Iterator[str]:
    """How many heads of the first are like none of the second, which are not to be counted."""
    alone = int(np.isnan(similarity).all(1).sum())
    if alone:
        heads = f"{alone} head{'s' * (alone > 1)} of A cannot be compared"
        yield f"{heads}: {MEASURES[work.measure].lacking_one}"


def _notes(work: _Work, hidden: Numbers) -> Iterator[str]:
    seen = work.seen
    yield from seen.notes(as_is=work.as_is)
    if hidden.max() > 0.0005:
        shares = (
            f"{share:.1%} of the weight of {printable(model.name)}".replace("%", " %")
            for share, model in zip(hidden, seen.models, strict=True)
        )
        yield f"not compared, over all pairs of heads: {' and '.join(shares)}, on what only one has or sees"
    if len(seen.samples) < FEWEST_SAMPLES:
        yield f"{len(seen.samples)} samples: no intervals, which need {FEWEST_SAMPLES}"


def _testing(draws: Numbers, seed: int) -> str:
    """How matches are told from chance, or why they are not."""
    found = f"{len(draws)} pairs of different texts"
    if len(draws) < FEWEST_DRAWS:
        return f"matches are not tested: {found}, and a null needs {FEWEST_DRAWS}"
    return f"null: {found} of nearest length (seed {seed})"

"""What is found where there is nothing to find, and how sure a match is beside it.

Where there is nothing to find: a head's map of one sample beside the second model's maps of another, of which
the most alike counts, as the best of many is what a match is. The two samples are as long as can be had, and
are cut to the shorter. A draw is of a single pair of samples and varies more than the mean that is tested:
what beats it is no small excess that any two models have for reading the same text.

As few draws as there are samples cannot tell chances that are rarer than one in so many, which a test of many
heads needs. So the draws of all heads are put together, each less its head's mean and divided by its head's
spread (Storey & Tibshirani 2003 pool their null statistics likewise).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from attnviz.analysis.comparison import Verdict
from attnviz.captures import Numbers

DRAWS = 200  # at least, where there are so many pairs of samples
FEWEST_DRAWS = 20  # of which the 95 % point is one
LEVEL = 0.05  # of the share of false matches among those called
LEAST_ABOVE = 0.01  # of similarity: what is no more above the profile's is as good as the profile
LEAST_SPREAD = 1e-3  # of draws: smaller differences in similarity are none


def drawn_pairs(words: Sequence[int], texts: Sequence[str], seed: int) -> list[tuple[int, int]]:
    """Which sample of the first model is put beside which of the second: different texts of nearest length.

    words: how long each sample is; texts: what it says, "" where that is not known: then each is another
    As many as there are samples, and at least 200 where there are so many.
    """
    order = sorted(range(len(words)), key=lambda sample: (words[sample], sample))
    wanted = max(len(words), DRAWS)
    drawn: list[tuple[int, int]] = []
    for apart in range(1, len(words)):
        found = [pair for pair in _apart(order, apart) if not _same(texts, pair)]
        if len(drawn) + len(found) > wanted:
            some = np.random.default_rng(seed).choice(len(found), wanted - len(drawn), replace=False)
            return drawn + [found[place] for place in sorted(some)]
        drawn += found
    return drawn


def _same(texts: Sequence[str], pair: tuple[int, int]) -> bool:
    return texts[pair[0]] == texts[pair[1]] != ""


def _apart(order: Sequence[int], apart: int) -> Iterator[tuple[int, int]]:
    """Samples so many places from each other when sorted by length, either one first."""
    for one, other in zip(order, order[apart:], strict=False):
        yield from ((one, other), (other, one))


def best_of(similarity: Numbers) -> Numbers:
    """The largest similarity of each head of the first ``[first]``, NaN where there is none."""
    best: Numbers = np.fmax.reduce(similarity, axis=1)
    return best


def null_points(draws: Numbers) -> Numbers:
    """The 95 % point and the median of each head's draws, of ``[draws, heads]``: ``[2, heads]``.

    NaN with fewer than twenty draws.
    """
    points = np.full((2, draws.shape[1]), np.nan)
    enough = (~np.isnan(draws)).sum(0) >= FEWEST_DRAWS
    if enough.any():
        points[:, enough] = np.nanquantile(draws[:, enough], (1 - LEVEL, 0.5), axis=0)
    return points


def chances(values: Numbers, draws: Numbers) -> Numbers:
    """How likely each head's value is by chance ``[heads]``; NaN with too few draws ``[draws, heads]``."""
    tested = ~np.isnan(null_points(draws)[0]) & ~np.isnan(values)
    found = np.full(len(values), np.nan)
    if tested.any():
        some = draws[:, tested]
        middle, spread = np.nanmean(some, axis=0), np.maximum(np.nanstd(some, axis=0), LEAST_SPREAD)
        scores = np.sort(((some - middle) / spread)[~np.isnan(some)])
        larger = len(scores) - np.searchsorted(scores, (values[tested] - middle) / spread)
        found[tested] = (1 + larger) / (1 + len(scores))
    return found


def false_shares(chances: Numbers) -> Numbers:
    """q of each p (Benjamini & Hochberg 1995): the share of false ones where all as small are called.

    NaN are no tests.
    """
    shares = np.full(len(chances), np.nan)
    tested = np.flatnonzero(~np.isnan(chances))
    order = tested[np.argsort(chances[tested], kind="stable")]
    steps = chances[order] * len(order) / np.arange(1, len(order) + 1)
    shares[order] = np.minimum(1, np.minimum.accumulate(steps[::-1])[::-1])
    return shares


def verdict(similarity: float, null: float, floor: float, q: float, middle: float) -> Verdict:
    """What a best match is called.

    null, middle: the 95 % point and the median of what is found by chance
    """
    if np.isnan(null):
        return "untested"
    by_place = similarity - floor <= LEAST_ABOVE
    if q <= LEVEL and similarity > null and not by_place:
        return "match"
    return "position" if by_place and middle - floor <= LEAST_ABOVE else "chance"

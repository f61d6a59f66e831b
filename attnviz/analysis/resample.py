"""How sure a mean over samples is: the percentile bootstrap (Efron & Tibshirani 1993, 13.3).

A mean over the samples that have a value, and a share of what all samples hold together, are both quotients
of sums over samples. So all heads and all resamples are two matrix products.
"""

from typing import NamedTuple

import numpy as np

from attnviz.captures import Numbers

FEWEST_SAMPLES = 10  # for an interval
RESAMPLES = 2_000
LEVEL = 0.95


class Quotients(NamedTuple):
    """One number of each of many things: the sum over samples of ``above`` divided by that of ``below``.

    ``[samples, things]`` each, 0 in both where a sample has none.
    """

    above: Numbers
    below: Numbers

    def over(self, weights: Numbers) -> Numbers:
        """With samples taken so often ``[resamples, samples]``: ``[resamples, things]``, NaN for 0 / 0."""
        above, below = weights @ self.above, weights @ self.below
        quotients: Numbers = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
        return quotients

    def whole(self) -> Numbers:
        """Each sample taken once: ``[things]``."""
        whole: Numbers = self.over(np.ones((1, len(self.above))))[0]
        return whole

    def interval(self, weights: Numbers | None) -> Numbers:
        """``[2, things]``: the lower and the upper end; NaN where fewer than ten samples have a value."""
        enough = (self.below > 0).sum(0) >= FEWEST_SAMPLES
        ends = np.full((2, len(enough)), np.nan)
        if weights is not None and enough.any():
            drawn = Quotients(self.above[:, enough], self.below[:, enough]).over(weights)
            quantile = np.nanquantile if np.isnan(drawn).any() else np.quantile
            ends[:, enough] = quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
        return ends


def mean_of(values: Numbers) -> Quotients:
    """The mean over the samples in which a value is there, of values ``[samples, things]`` with NaN."""
    there = ~np.isnan(values)
    return Quotients(np.where(there, values, 0.0), there.astype(np.float64))


def resampled(samples: int, seed: int) -> Numbers | None:
    """How often each sample is drawn when as many are drawn anew: ``[resamples, samples]``; None under 10."""
    if samples < FEWEST_SAMPLES:
        return None
    draws = np.random.default_rng(seed).multinomial(samples, np.full(samples, 1 / samples), RESAMPLES)
    return draws.astype(np.float64)

"""Time and memory as a text grows: what was measured, the powers of the length that fit, where they cross."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

Quantity = Literal["seconds", "bytes"]

LEVEL = 0.95
_FEWEST = 3  # points for an interval


@dataclass(frozen=True)
class Measured:
    """One contender at one length.

    seconds:   of a call, the median over the repeats; NaN if it was skipped
    low, high: the middle half of the repeats, in seconds
    bytes:     in use at most, above weights and input; NaN if skipped, or where the device does not tell
    skipped:   why it was not tried, in words; "" if it was
    """

    contender: str
    length: int
    seconds: float = math.nan
    low: float = math.nan
    high: float = math.nan
    repeats: int = 0
    bytes: float = math.nan
    skipped: str = ""


@dataclass(frozen=True)
class Setting:
    """What was measured, and on what.

    contenders: name to what it is
    reach:      positions on either side that the windowed one sees
    processor:  as it calls itself; threads: of it that torch used
    """

    contenders: Mapping[str, str]
    lengths: tuple[int, ...]
    d_model: int
    heads: int
    reach: int
    device: str
    processor: str
    threads: int
    seed: int
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """What ``attnviz.cost`` measured: a record for each contender and length, by length."""

    setting: Setting
    points: tuple[Measured, ...] = field(repr=False)

    def curve(self, contender: str) -> tuple[Measured, ...]:
        """What was measured of one, the shortest text first."""
        return tuple(each for each in self.points if each.contender == contender and not each.skipped)

    def fit(self, contender: str, quantity: Quantity) -> "Fit":
        """The power of the length that fits what one takes."""
        curve = self.curve(contender)
        return fit([each.length for each in curve], [getattr(each, quantity) for each in curve])

    def crossings(self, quantity: Quantity) -> dict[tuple[str, str], "Crossing"]:
        """Which of two is cheaper where, for every two of which lengths in common were measured."""
        curves = {name: self.curve(name) for name in self.setting.contenders}
        both = {pair: crossing(*(_bands(curves[name], quantity) for name in pair))
                for pair in combinations(curves, 2)}  # fmt: skip
        return {pair: found for pair, found in both.items() if found is not None}


class Fit(NamedTuple):
    """The power of the length that a cost grows with, by least squares on logarithms.

    exponent:  over all lengths; NaN below two
    low, high: of its 95 % interval (Student's t); NaN below three lengths. Where the cost is no single power,
               as for short texts, this is wide: it tells how well one describes it
    last:      between the two longest texts alone, which is nearer to the power that it approaches
    """

    exponent: float = math.nan
    low: float = math.nan
    high: float = math.nan
    last: float = math.nan


def fit(lengths: Sequence[float], values: Sequence[float]) -> Fit:
    """The power that fits; lengths grow, and missing values (NaN) and zeros are left out."""
    there = [(length, value) for length, value in zip(lengths, values, strict=True) if value > 0]
    if len(there) < 2:
        return Fit()
    x, y = np.log(np.array(there, float)).T
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / spread)
    last = float((y[-1] - y[-2]) / (x[-1] - x[-2]))
    if len(there) < _FEWEST:
        return Fit(slope, last=last)
    rest = y - y.mean() - slope * (x - x.mean())
    half = _student(len(there) - 2) * math.sqrt(float((rest**2).sum()) / (len(there) - 2) / spread)
    return Fit(slope, slope - half, slope + half, last)


def _student(freedom: int) -> float:
    """The quantile that a two-sided interval reaches to."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))


class Band(NamedTuple):
    """A cost at a length, and the range that it was surely in."""

    length: int
    value: float
    low: float
    high: float


class Crossing(NamedTuple):
    """Which of two curves is the lower one, and where that changes.

    first:   whether the first of them is below at the shortest length; None if they never surely differ
    lengths: where they cross, interpolated on logarithms
    """

    first: bool | None
    lengths: tuple[float, ...]


def crossing(first: Sequence[Band], second: Sequence[Band]) -> Crossing | None:
    """Where two curves cross; None if no length of both was measured.

    Lengths at which their ranges overlap decide nothing: a crossing lies between two lengths at which they
    surely differ, each the other way.
    """
    others = {each.length: each for each in second}
    pairs = [(each, others[each.length]) for each in first if each.length in others]
    if not pairs:
        return None
    sure = [pair for pair in pairs if pair[0].high < pair[1].low or pair[1].high < pair[0].low]
    below = [one.value < other.value for one, other in sure]
    changes = (place for place in range(1, len(sure)) if below[place] != below[place - 1])
    lengths = tuple(_between(sure[place - 1], sure[place]) for place in changes)
    return Crossing(below[0] if below else None, lengths)


def _between(before: tuple[Band, Band], after: tuple[Band, Band]) -> float:
    """Where lines through the logarithms meet."""
    start, end = (math.log(one.value / other.value) for one, other in (before, after))
    x, z = (math.log(one.length) for one, _ in (before, after))
    return math.exp(x + (z - x) * start / (start - end))


def _bands(curve: Sequence[Measured], quantity: Quantity) -> list[Band]:
    return list(_banded(curve, quantity))


def _banded(curve: Sequence[Measured], quantity: Quantity) -> Iterator[Band]:
    """Memory is the same in every run: its range is the number itself."""
    for each in curve:
        value = each.seconds if quantity == "seconds" else each.bytes
        low, high = (each.low, each.high) if quantity == "seconds" else (value, value)
        if not math.isnan(value):
            yield Band(each.length, value, low, high)

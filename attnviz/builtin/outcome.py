"""What a check of a trained model says: figures, each with its interval and what it has to reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from attnviz.analysis.resample import mean_of, resampled
from attnviz.captures import Numbers


class Estimate(Protocol):
    """A figure with its 95 % interval, measured on ``of`` cases (``analysis.shares.Share`` is one)."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def of(self) -> int: ...


@dataclass(frozen=True)
class Measured:
    """A figure that is no share of cases, with its 95 % interval."""

    value: float
    low: float
    high: float
    of: int


def mean(values: Numbers, *, seed: int = 0) -> Measured:
    """The mean over cases, at least ten; its interval is that of the percentile bootstrap."""
    found = mean_of(values[:, None])
    low, high = found.interval(resampled(len(values), seed))[:, 0]
    return Measured(float(found.whole()[0]), float(low), float(high), len(values))


@dataclass(frozen=True)
class Figure:
    """One figure of a model.

    what:    what was measured, "verb-subject"
    head:    whose it is, "2.4"; "" for the whole model's
    beside:  what something simpler reaches on the same cases, by its name: {"nearest": 0.1}
    needed:  what the lower end of the interval has to reach; None where it is only shown
    at_most: less is better: what the upper end may not be above
    """

    what: str
    found: Estimate
    head: str = ""
    beside: Mapping[str, float] = field(default_factory=dict)
    needed: float | None = None
    at_most: bool = False

    @property
    def passed(self) -> bool:
        if self.needed is None:
            return True
        return self.found.high <= self.needed if self.at_most else self.found.low >= self.needed


class Outcome(Protocol):
    """All that was asked of a model."""

    @property
    def figures(self) -> Sequence[Figure]: ...


def failed(outcome: Outcome) -> tuple[str, ...]:
    """What was not reached."""
    return tuple(figure.what for figure in outcome.figures if not figure.passed)

"""How the statistics of heads grow over a training."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from attnviz.analysis.rank import NUMBERS
from attnviz.captures import Head
from attnviz.errors import InputError
from attnviz.facts import ModelFacts
from attnviz.render.rows import HeadRow

HALF = 0.5


@dataclass(frozen=True)
class Moment:
    """What every head was like after so many steps."""

    step: int
    rows: tuple[HeadRow, ...] = field(repr=False)


@dataclass(frozen=True)
class Growth:
    """A training from its first snapshot to its last.

    model:  what was trained, as it was at the last; called as its directory
    read:   what the heads read, in words
    sample: the same for a recipe
    notes:  what must be known of single samples
    """

    model: ModelFacts
    moments: tuple[Moment, ...]
    read: str
    sample: dict[str, object]
    versions: dict[str, str]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        heads = {tuple(row.head for row in moment.rows) for moment in self.moments}
        if len(heads) > 1:
            raise InputError(
                "these snapshots are of models with different heads: they are of no one training"
            )

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(moment.step for moment in self.moments)

    @property
    def last(self) -> tuple[HeadRow, ...]:
        """What the heads have become."""
        return self.moments[-1].rows

    def course(self, head: Head, name: str) -> tuple[float, ...]:
        """One number of a head at each step (``analysis.rank.NUMBERS``); NaN where it is missing."""
        rows = (next(row for row in moment.rows if row.head == head) for moment in self.moments)
        return tuple(NUMBERS[name](row) for row in rows)


def turned(steps: Sequence[int], course: Sequence[float], least: float = 0.0) -> int | None:
    """The first step from which on a course stays in the upper half of the way it went; None if it went none.

    For one that falls: in the lower half. It is a step that was looked at: nothing is interpolated.
    least: what lies between the first and the last value of one that went anywhere
    """
    there = [(step, value) for step, value in zip(steps, course, strict=True) if not math.isnan(value)]
    if len(there) < 2:
        return None
    begin, end = there[0][1], there[-1][1]
    if begin == end or abs(end - begin) < least:
        return None
    middle = begin + HALF * (end - begin)
    late = [step for step, value in there if (value < middle) == (begin < middle)]
    return next(step for step, _ in there if step > max(late))

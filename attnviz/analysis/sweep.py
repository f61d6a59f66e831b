"""What models that differ in their number of heads have learnt from the same training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from attnviz.builtin.outcome import Estimate, Figure, Measured
from attnviz.captures import Numbers


@dataclass(frozen=True)
class Trained:
    """One model of a sweep.

    heads:    of each layer
    accuracy: share of the answers on held-out texts that are right, after the last round
    figures:  what its check says
    patterns: how many of its heads are called what
    apart:    how different two of its heads are: the Jensen-Shannon distance of their rows, 0 alike .. 1, the
              mean over all two of them; NaN for a model of one head
    """

    heads: int
    accuracy: float
    figures: tuple[Figure, ...]
    patterns: Mapping[str, int]
    apart: float = math.nan

    def figure(self, what: str) -> Figure:
        """The one of that name."""
        return next(figure for figure in self.figures if figure.what == what)

    def as_json(self) -> dict[str, Any]:
        """What ``from_json`` reads."""
        numbers = ("value", "low", "high", "of")
        figures = [
            {**vars(figure), "found": {name: getattr(figure.found, name) for name in numbers}}
            for figure in self.figures
        ]
        return {**vars(self), "figures": figures, "apart": None if math.isnan(self.apart) else self.apart}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Trained":
        """What was written down. Raises KeyError or TypeError for anything else."""
        figures = tuple(
            Figure(**{**each, "found": Measured(**each["found"])}) for each in document["figures"]
        )
        apart = math.nan if document["apart"] is None else document["apart"]
        return cls(**{**document, "figures": figures, "apart": apart})


@dataclass(frozen=True)
class Sweep:
    """Models of one task, trained alike, from the fewest heads to the most.

    task:  what they were trained for, and how, as it is written down; the heads are those of the first
    texts: how many the patterns and the distances are of
    """

    name: str
    task: Mapping[str, Any]
    models: tuple[Trained, ...]
    texts: int
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        """What all of them were asked."""
        return tuple(figure.what for figure in self.models[0].figures)

    def course(self, what: str) -> tuple[Estimate, ...]:
        """One figure of all models."""
        return tuple(model.figure(what).found for model in self.models)


class Lack(NamedTuple):
    """A question at which the model with the fewest heads is surely worse than the best.

    best: heads of that
    """

    what: str
    fewest: Estimate
    best: int
    found: Estimate


def lacks(sweep: Sweep) -> tuple[Lack, ...]:
    """What the model with the fewest heads surely does worse: intervals that do not overlap."""
    return tuple(lack for what in sweep.asked if (lack := _lack(sweep, what)) is not None)


def _lack(sweep: Sweep, what: str) -> Lack | None:
    course, down = sweep.course(what), sweep.models[0].figure(what).at_most
    values = [found.value for found in course]
    place = values.index(min(values) if down else max(values))
    first, best = course[0], course[place]
    worse = best.high < first.low if down else first.high < best.low
    return Lack(what, first, sweep.models[place].heads, best) if worse else None


def distance(similarity: Numbers) -> float:
    """The mean distance of two different heads. similarity: ``[heads, heads]``, 1 - the distance."""
    others = ~np.eye(len(similarity), dtype=bool)
    return float(np.nanmean(1 - similarity[others])) if len(similarity) > 1 else math.nan


def counted(words: Sequence[str], order: Sequence[str]) -> dict[str, int]:
    """How often each word is there, in that order."""
    return {word: words.count(word) for word in order if word in words}

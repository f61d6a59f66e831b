"""What a comparison of two models' heads has found: the records that tables, figures and scripts read."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from attnviz import frames
from attnviz.captures import Head, Numbers
from attnviz.errors import SelectionError, UsageError
from attnviz.facts import ModelFacts
from attnviz.inputs import Sample, printable

Measure = Literal["js", "cka"]
Matching = Literal["one-to-one", "nearest"]
Rows = Literal["matches", "changes"]
Verdict = Literal["match", "position", "chance", "untested"]


def of_one_architecture(first: ModelFacts, second: ModelFacts) -> bool:
    """Whether two models have the same heads, so that what changed can be told head by head."""
    return first.family == second.family and _heads(first) == _heads(second)


def _heads(model: ModelFacts) -> list[tuple[str, int, int]]:
    return [(layer.stack, layer.layer, layer.heads) for layer in model.layers if layer.heads]


@dataclass(frozen=True)
class Estimate:
    """A mean over samples with its 95 % interval; NaN where it is missing, or with fewer than ten samples.

    samples: how many have a value
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    samples: int = 0


@dataclass(frozen=True)
class Match:
    """A head of the first model, the head of the second that is most like it, and how sure that is.

    similarity: 0 to 1, the mean over samples
    null:       the 95 % point of what is found where there is nothing to find: the first head's map of one
                sample beside the maps of another, the largest over all heads of the second model
    floor:      the similarity that the first head's positional profile, which knows no content, has; in each
                sample that of the others
    q:          the share of false ones among matches as sure as this (Benjamini & Hochberg 1995)
    verdict:    "match": it beats the null, and the floor by 0.01; "position": it does not beat the floor,
                which half of what chance finds does not beat either; "chance": else; "untested": there are
                too few samples for a null
    """

    first: Head
    second: Head
    similarity: Estimate
    null: float
    floor: float
    q: float
    verdict: Verdict


MATCH_FIELDS = (
    "first", "second", "similarity", "low", "high", "samples", "null", "floor", "q", "verdict",
)  # fmt: skip


def fields_of(match: Match) -> dict[str, Any]:
    """A match as a row of a table: by ``MATCH_FIELDS``."""
    found = match.similarity
    return {
        "first": match.first.name,
        "second": match.second.name,
        "similarity": found.value,
        "low": found.low,
        "high": found.high,
        "samples": found.samples,
        "null": match.null,
        "floor": match.floor,
        "q": match.q,
        "verdict": match.verdict,
    }


@dataclass(frozen=True)
class Change:
    """One head in both of two models of the same architecture: 1 - similarity, 0 for no change."""

    head: Head
    change: Estimate


CHANGE_FIELDS = ("head", "stack", "layer", "number", "change", "low", "high", "samples")


def change_fields_of(one: Change) -> dict[str, Any]:
    """A change as a row of a table: by ``CHANGE_FIELDS``."""
    head, found = one.head, one.change
    return {
        "head": head.name,
        "stack": head.stack,
        "layer": head.layer,
        "number": head.head,
        "change": found.value,
        "low": found.low,
        "high": found.high,
        "samples": found.samples,
    }


@dataclass(frozen=True, repr=False)
class Similarity:
    """A number for every head of the first model beside every head of the second.

    ``similarity["5.1", "3.0"]`` is one of them, ``similarity["5.1"]`` a row; places and slices go as in
    numpy, which takes it for the array that it holds.

    values: ``[first, second]``; first, second: the heads of rows and columns
    """

    values: Numbers
    first: tuple[Head, ...] = field(repr=False)
    second: tuple[Head, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.first), len(self.second)):
            raise ValueError(
                f"values of shape {self.values.shape} for {len(self.first)} and {len(self.second)} heads"
            )

    def __getitem__(self, place: Any) -> Any:
        """Raises SelectionError for a head that is not there."""
        both = place if isinstance(place, tuple) else (place,)
        sides = zip(both, (self.first, self.second), strict=False)
        return self.values[tuple(_place(one, heads) for one, heads in sides)]

    def __repr__(self) -> str:
        return f"<Similarity of {len(self.first)} by {len(self.second)} heads>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Numbers:
        return np.array(self.values, dtype, copy=copy)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame``, labelled by the names of the heads. Raises OutputError without pandas."""
        made = frames.library("pandas")
        rows, columns = ([head.name for head in heads] for heads in (self.first, self.second))
        return made.DataFrame(self.values, index=rows, columns=columns)


def _place(one: Any, heads: tuple[Head, ...]) -> Any:
    """A head's place by its name; anything else as it is."""
    if not isinstance(one, str):
        return one
    names = [head.name for head in heads]
    if one not in names:
        raise SelectionError(f"no head {one}: there are {names[0]} to {names[-1]}")
    return names.index(one)


@dataclass(frozen=True, repr=False)
class Comparison:
    """Every head of one model beside every head of another, over some samples.

    models:     the first and the second
    samples:    what both read, without the maps
    measure:    "js": 1 - Jensen-Shannon distance in bits, row by row; "cka": linear CKA of the maps
    matching:   "one-to-one" by the Hungarian method, or each head's "nearest"
    as_is:      nothing was restricted to the keys that both models may see
    first, second: their heads, in the models' order
    similarity: ``[first, second]``, the mean over samples, by the heads' names too; NaN where two heads have
                no axis in common
    matches:    one a head of the first that has one, in the model's order (tables have the most alike first)
    changes:    head by head, where both are of one architecture with the same layers and heads; else empty
    hidden:     the share of the first's and of the second's weight that lies on what is not compared, over
                all pairs of heads
    notes:      what a reader of any number of it must know
    testing:    what a reader of matches must know besides: what they are told from chance by, or why not
    """

    models: tuple[ModelFacts, ModelFacts]
    samples: tuple[Sample, ...] = field(repr=False)
    measure: Measure
    matching: Matching
    as_is: bool
    seed: int
    first: tuple[Head, ...] = field(repr=False)
    second: tuple[Head, ...] = field(repr=False)
    similarity: Similarity = field(repr=False)
    matches: tuple[Match, ...] = field(repr=False)
    changes: tuple[Change, ...] = field(default=(), repr=False)
    hidden: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()
    testing: str = ""
    versions: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def matched(self) -> int:
        """How many heads of the first have a match in the second."""
        return sum(match.verdict == "match" for match in self.matches)

    @property
    def comparable(self) -> int:
        """How many heads of the first have a similarity to any of the second: no others can have a match."""
        return int((~np.isnan(self.similarity.values)).any(1).sum())

    def __repr__(self) -> str:
        names = " and ".join(printable(model.name) for model in self.models)
        heads = f"{self.matched} of {len(self.first)} heads matched"
        return f"<Comparison of {names}: {heads}, {len(self.samples)} samples, {self.measure}>"

    def to_pandas(self, rows: Rows = "matches") -> Any:
        """The matches as a ``pandas.DataFrame``, in the order of the first's heads; or the changes.

        Raises OutputError if pandas is not installed.
        """
        return frames.frame(self._columns(rows), "pandas")

    def to_polars(self, rows: Rows = "matches") -> Any:
        """The same as a ``polars.DataFrame``. Raises OutputError if polars is not installed."""
        return frames.frame(self._columns(rows), "polars")

    def _columns(self, rows: Rows) -> dict[str, list[Any]]:
        if rows not in get_args(Rows):
            raise UsageError(f"a data frame of {rows!r}: there are {' and '.join(get_args(Rows))}")
        found: list[dict[str, Any]] = (
            [change_fields_of(change) for change in self.changes]
            if rows == "changes"
            else [fields_of(match) for match in self.matches]
        )
        names = CHANGE_FIELDS if rows == "changes" else MATCH_FIELDS
        return {name: [entry[name] for entry in found] for name in names}

    def _repr_html_(self) -> str:
        from attnviz.render.notebook import comparison_html

        return comparison_html(self)

    def _repr_png_(self) -> bytes:
        from attnviz.render.notebook import comparison_png

        return comparison_png(self)

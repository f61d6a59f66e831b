"""Rows of words and numbers, as terminal, figures and files are all made from them. No drawing here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from attnviz.captures import Head
from attnviz.recipes import Recipe
from attnviz.render.recorded import Pictured, Recorded


class _Rows(Pictured):
    """What notebooks show as a table."""

    def _repr_html_(self) -> str:
        from attnviz.render.notebook import table_html

        return table_html(cast("Tabular", self))


@dataclass(frozen=True)
class Statistic:
    """One statistic of one head over some samples; NaN where it is missing.

    value:    its mean over the samples in which it is present, which count equally; "positional": over all
              their rows together
    baseline: what a head that looks at all visible keys alike would have, likewise
    rows:     eligible rows, of all samples together
    samples:  how many of them it is present in
    low, high: of a 95 % interval of the mean
    """

    value: float = math.nan
    baseline: float = math.nan
    rows: int = 0
    samples: int = 0
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Evidence:
    """The strongest pair of tokens of a head, by their labels and their places from 0, and its sample."""

    query: str
    key: str
    weight: float
    query_position: int
    key_position: int
    sample: str


@dataclass(frozen=True)
class HeadRow:
    """What is known of one head.

    pattern:    what it does, in a word; score: the number that the word was given for, NaN for "mixed"
    scored:     the statistic that the score is, "" for "mixed"
    statistics: by name
    offset:     key minus query where its largest weights lie most often; None if unknown
    window:     keys that its rows see at most, where that is fewer than there are; None if they see all
    """

    head: Head
    pattern: str
    score: float
    scored: str
    statistics: Mapping[str, Statistic]
    offset: int | None = None
    evidence: Evidence | None = None
    window: int | None = None


@dataclass(frozen=True)
class HeadTable(_Rows):
    """A row a head.

    columns: names of those to be shown, in order
    asked:   the columns were chosen: none is left out for want of room
    kept:    names of columns that are left out last: what the rows were sorted and chosen by
    samples: how many the numbers are means over
    of:      how many heads there were to choose from
    """

    title: str
    rows: tuple[HeadRow, ...] = field(repr=False)
    columns: tuple[str, ...]
    asked: bool = False
    kept: tuple[str, ...] = ()
    samples: int = 1
    of: int = 0
    notes: tuple[str, ...] = ()
    cmap: str = "viridis"
    recipe: Recipe | None = field(default=None, repr=False)


Cell = str | float | int | None
"""Of a table: a text, a number (NaN where it is missing), a whole number, or nothing."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    name:   as scripts call it: "similarity.low"
    short:  as people read it above the column
    kind:   "text" of ours; "token", foreign text; "number", shown with two digits; "whole"
    shown:  whether people see it; files for scripts hold every column
    rank:   those with the largest leave first where there is no room; 0 never leaves
    digits: of a number, behind the point
    tinted: its numbers, 0 to 1, are tinted in a figure by how large they are
    least:  a number below is shown as less than that: "<0.001"
    """

    name: str
    short: str
    kind: Literal["text", "token", "number", "whole"] = "number"
    shown: bool = True
    rank: int = 0
    digits: int = 2
    tinted: bool = False
    least: float = -math.inf


@dataclass(frozen=True)
class Table(_Rows):
    """Rows of texts and numbers: matches of heads, findings about relations.

    what:     what a row is, as a script calls them: "matches"
    document: what else the JSON holds, by name
    """

    title: str
    what: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cmap: str = "viridis"
    recipe: Recipe | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if wrong := [row for row in self.rows if len(row) != len(self.columns)]:
            raise ValueError(f"a row of {len(wrong[0])} cells under {len(self.columns)} columns")


@dataclass(frozen=True)
class Steps(Recorded):
    """How one number came about, step by step: tables to be followed with a pencil.

    notes:    what is said before the first table
    document: what the JSON holds: every number, where tables show the largest
    """

    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    recipe: Recipe | None = field(default=None, repr=False)


Tabular = HeadTable | Table
"""What is drawn as rows of words and numbers."""

"""Curves over an axis, as terminal, figures and files are all made from them. No drawing here."""

from dataclasses import dataclass, field
from typing import Literal

from attnviz.recipes import Recipe
from attnviz.render.recorded import Pictured
from attnviz.render.rows import Table


@dataclass(frozen=True)
class Curve:
    """One line of a plot, from left to right; the ink: y at x, and around it what lies between low and high.

    y:         NaN where there is nothing
    low, high: of a range at each x; empty for none
    faint:     one of many that are there to be compared with, without a name in the legend
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    faint: bool = False

    def __post_init__(self) -> None:
        for name in ("y", "low", "high"):
            if len(entries := getattr(self, name)) not in (len(self.x), 0 if name != "y" else len(self.x)):
                raise ValueError(f"a curve of {len(self.x)} x has {len(entries)} {name}")


SHARES = (-0.03, 1.03)
"""The span of shares: points at 0 and at 1 lie inside the frame."""


@dataclass(frozen=True)
class Plot:
    """Curves on one pair of axes.

    across, up: what x and y are, with their unit
    scales:     of x and of y; "symlog" is log with 0 at its left
    ticks:      where x is numbered; empty for where it suits
    span:       of y; None for what suits
    """

    title: str
    curves: tuple[Curve, ...]
    across: str
    up: str
    scales: tuple[Literal["linear", "log", "symlog"], Literal["linear", "log"]] = ("linear", "linear")
    ticks: tuple[float, ...] = ()
    span: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chart(Pictured):
    """Curves side by side; a terminal shows the same as tables.

    tables:  what a terminal shows, one below the other
    numbers: what a file for scripts holds
    """

    title: str
    plots: tuple[Plot, ...]
    tables: tuple[Table, ...] = field(repr=False)
    numbers: Table = field(repr=False)
    notes: tuple[str, ...] = ()
    recipe: Recipe | None = field(default=None, repr=False)

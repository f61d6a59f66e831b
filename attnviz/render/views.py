"""What the ink of maps means: records that terminal, figures and numbers are made from. No drawing here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Booleans, Floats, Numbers, Unit
from attnviz.recipes import Recipe
from attnviz.render.plots import Chart
from attnviz.render.recorded import Pictured
from attnviz.render.rows import HeadTable, Steps, Table

LOG_FLOOR = 1e-4

DIFFERENCE = "difference of attention weight (second - first)"
JS = "similarity (1 - Jensen-Shannon distance)"
CKA = "similarity (centred kernel alignment)"
SHORTER = {
    DIFFERENCE: ("difference of weight (second - first)", "second - first"),
    JS: ("similarity",),
    CKA: ("similarity",),
}
"""What is measured, in fewer and fewer words, for bars that are too short for all of them."""


@dataclass(frozen=True)
class Scale:
    """Which weight gets which place on the colour map, the same for every map of a page.

    A weight of ``vmax`` or more is at the top. On the log scale weights below 0.0001 share the lowest colour.
    "diverging" is for differences: 0 is in the middle, ``-vmax`` or less at the bottom.
    """

    kind: Literal["linear", "log", "sqrt", "diverging"] = "linear"
    vmax: float = 1.0

    def place(self, weights: Floats) -> Floats:
        """The weights' places on the colour map, 0 to 1; NaN stays NaN."""
        places: Floats = np.clip(self._curve(np.asarray(weights, np.float32)), 0, 1).astype(np.float32)
        return places

    def ticks(self) -> list[tuple[float, str]]:
        """Where a colour bar is numbered: (place, text), from the lowest colour to the highest."""
        if self.kind == "log":
            low = round(math.log10(LOG_FLOOR))
            weights = [10.0**power for power in range(low, 1) if 10.0**power < self.vmax] + [self.vmax]
        elif self.kind == "diverging":
            weights = [self.vmax * part for part in (-1.0, -0.5, 0.0, 0.5, 1.0)]
        else:
            weights = [self.vmax * part for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
        places = self.place(np.array(weights, np.float32))
        return [(float(place), self._number(weight)) for place, weight in zip(places, weights, strict=True)]

    def _number(self, weight: float) -> str:
        return f"{weight:+.3g}" if self.kind == "diverging" and weight else f"{weight:.3g}"

    def _curve(self, weights: Floats) -> NDArray[np.floating]:
        if self.kind == "sqrt":
            return np.sqrt(np.maximum(weights, 0) / self.vmax)
        if self.kind == "log":
            low, high = math.log10(LOG_FLOOR), math.log10(self.vmax)
            return (np.log10(np.maximum(weights, LOG_FLOOR)) - low) / (high - low)
        if self.kind == "diverging":
            return (weights / self.vmax + 1) / 2
        return weights / self.vmax


@dataclass(frozen=True)
class Heatmap:
    """One map, labelled. The ink of row i, column j: how much query i attends to key j, 0 to 1.

    name:     as scripts call it: "3.5", or "3.mean" for a mean over heads
    title:    as people read it: "layer 3, head 5"
    weights:  ``[queries, keys]``
    visible:  the query may see the key; computed: the model computed the pair. Same shape; where either
              is false nothing is painted, which is not the colour of 0.
    unit:     what the labels are: tokens, words, or groups of neighbours; of other numbers than weights heads
              or layers
    query_positions, key_positions: where each starts in the model's own sequence, in tokens from 0; left
              out: they are simply counted
    sides:    of a difference, the maps that it is of, the second less the first, on the same axes; where one
              of them has no such query or key its label is empty and its position is -1
    additive: neighbouring keys that are put together have the sum of their weights, their queries the mean;
              else, of similarities, the largest of all
    foot:     what is said beneath it, in more words and in fewer: "entropy 1.52 bits", "1.52 bits"
    facts:    what scripts are told of it, by name
    marked:   ``(query, key)`` of the cells with a dot, whose meaning the page says
    divided:  before which rows and which columns a figure has a line: where another layer begins
    """

    name: str
    title: str
    weights: Floats
    visible: Booleans
    computed: Booleans
    query_labels: tuple[str, ...]
    key_labels: tuple[str, ...]
    unit: Unit | Literal["head", "layer"] = "token"
    query_positions: tuple[int, ...] = ()
    key_positions: tuple[int, ...] = ()
    sides: "tuple[Heatmap, Heatmap] | None" = None
    additive: bool = True
    foot: tuple[str, ...] = ()
    facts: Mapping[str, str | float | None] = field(default_factory=dict)
    marked: tuple[tuple[int, int], ...] = ()
    divided: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())

    def __post_init__(self) -> None:
        for axis in ("query", "key"):
            labels, positions = getattr(self, f"{axis}_labels"), getattr(self, f"{axis}_positions")
            if not positions:
                object.__setattr__(self, f"{axis}_positions", tuple(range(len(labels))))
            elif len(positions) != len(labels):
                raise ValueError(f"{len(positions)} {axis} positions under {len(labels)} labels")
        shape = (len(self.query_labels), len(self.key_labels))
        for array in (self.weights, self.visible, self.computed):
            if array.shape != shape:
                raise ValueError(f"an array of shape {array.shape} under labels of shape {shape}")

    def reads(self, query: int, key: int) -> bool:
        """Whether that key is the query itself."""
        same = self.query_positions[query] == self.key_positions[key]
        return same and self.query_labels[query] == self.key_labels[key]

    @property
    def painted(self) -> Booleans:
        """``[queries, keys]``: the cells that have a weight."""
        return self.visible & self.computed & ~np.isnan(self.weights)

    @property
    def missing(self) -> Booleans:
        """``[queries, keys]``: the cells that could have a weight, but that the model never computed."""
        return self.visible & ~self.painted


@dataclass(frozen=True)
class Atlas:
    """Small maps of many heads, layers downwards and heads to the right, on one scale and without labels.

    layers: name of each row; maps: ``(row, head number, map)``
    """

    layers: tuple[str, ...]
    maps: tuple[tuple[int, int, Heatmap], ...]

    @property
    def heads(self) -> int:
        """How many columns there are."""
        return 1 + max((head for _, head, _ in self.maps), default=-1)

    @property
    def title(self) -> str:
        """As people read it."""
        counts = (len(self.layers), "layer"), (self.heads, "head")
        return " × ".join(f"{count} {name}{'s' if count != 1 else ''}" for count, name in counts)


@dataclass(frozen=True)
class Page(Pictured):
    """What one picture shows.

    title:  the model and what was put in
    notes:  what was averaged, hidden, rescaled, pooled or cut, in sentences for the reader
    cmap:   name of the colour map
    recipe: how it was made, to be put into the file
    measured: what the colours are
    missing: what it means that a cell could have a weight and has none
    table:  what else was found, above the maps; a figure has none
    axes:   what rows and columns are
    across: so many maps stand side by side in a figure; None for as many as look well
    beside: a terminal puts them side by side too, where they have room: they are of the same tokens
    marked: what a dot on a cell means
    numbered: a figure writes its number into each cell, where all have room
    document: what else the JSON holds, by name
    """

    title: str
    heatmaps: tuple[Heatmap, ...]
    atlas: Atlas | None = None
    scale: Scale = Scale()
    cmap: str = "viridis"
    notes: tuple[str, ...] = ()
    recipe: Recipe | None = None
    measured: str = "attention weight"
    missing: str = "never computed"
    table: "Table | None" = None
    axes: tuple[str, str] = ("query", "key")
    across: int | None = None
    beside: bool = False
    marked: str = ""
    numbered: bool = False
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def noted(self, *notes: str) -> "Page":
        """The page with these notes too, on it and in its recipe; those that are there are not said twice."""
        every = tuple(dict.fromkeys((*self.notes, *notes)))
        if every == self.notes:
            return self
        recipe = self.recipe and replace(
            self.recipe, reduction={**self.recipe.reduction, "notes": list(every)}
        )
        return replace(self, notes=every, recipe=recipe)


@dataclass(frozen=True)
class _Shown:
    """The maps of a page, shown in another way."""

    page: Page

    @property
    def title(self) -> str:
        return self.page.title

    @property
    def notes(self) -> tuple[str, ...]:
        return self.page.notes

    @property
    def recipe(self) -> Recipe | None:
        return self.page.recipe

    @property
    def recipe_json(self) -> str:
        return self.page.recipe_json


@dataclass(frozen=True)
class HeadLines(_Shown):
    """Each map as lines from its queries to its keys; the ink of a line: the weight of that pair."""


@dataclass(frozen=True)
class TokenStrip(_Shown):
    """Each map as its keys in running lines; the ink behind one: how much the only query attends to it."""

    def __post_init__(self) -> None:
        if any(len(heatmap.query_labels) != 1 for heatmap in self.page.heatmaps):
            raise ValueError("a strip shows one query of each map")


@dataclass(frozen=True)
class GridStack:
    """One stack of layers: the number of a head is its column.

    layers: number of each row; values: ``[layers, heads]``, NaN where a head is not there or has none
    """

    name: str
    layers: tuple[int, ...]
    values: Numbers

    @property
    def heads(self) -> int:
        return int(self.values.shape[1])


@dataclass(frozen=True)
class HeadGrid(Pictured):
    """One statistic of every head as a colour: layers downwards and heads to the right, stacks apart.

    measured: what the colour means, with its unit
    """

    title: str
    metric: str
    measured: str
    stacks: tuple[GridStack, ...]
    scale: Scale = Scale()
    cmap: str = "viridis"
    notes: tuple[str, ...] = ()
    recipe: Recipe | None = None


View = Page | HeadLines | TokenStrip | HeadTable | HeadGrid | Table | Chart | Steps
"""Everything that can be drawn, printed and saved."""

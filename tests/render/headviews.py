"""Tables and grids of heads to draw in tests."""

import numpy as np

from attnviz.captures import Head
from attnviz.recipes import Recipe
from attnviz.render.rows import Evidence, HeadRow, HeadTable, Statistic
from attnviz.render.views import GridStack, HeadGrid

RECIPE = Recipe("heads", model={"name": "a model"}, sample={"text": "caf\u00e9 --> (\\)"})
USUAL = ("head", "pattern", "score", "focus", "distance", "previous", "first", "separator", "evidence")


def row(
    head: str = "3.5",
    pattern: str = "previous",
    score: float = 0.93,
    *,
    query: str = "it",
    key: str = "cat",
    window: int | None = None,
    **values: float,
) -> HeadRow:
    layer, number = head.rsplit(".", 1)
    stack, _, layer = layer.rpartition(".")
    return HeadRow(
        head=Head(stack, int(layer), int(number)),
        pattern=pattern,
        score=score,
        scored=pattern if pattern in values else "",
        statistics={name: Statistic(value, value / 4, 7, 1) for name, value in values.items()},
        offset=-1,
        evidence=Evidence(query, key, 0.742, 3, 1, "text"),
        window=window,
    )


ROWS = (
    row(previous=0.93, focus=0.8, distance=1.25, first=0.0, separator=float("nan")),
    row("3.11", "mixed", float("nan"), previous=0.04, focus=0.15, distance=12.449, first=0.5, window=128),
)


def table(*rows: HeadRow, columns: tuple[str, ...] = USUAL, **others: object) -> HeadTable:
    rows = rows or ROWS
    return HeadTable("a model  “a text”", rows, columns, of=len(rows), recipe=RECIPE, **others)  # type: ignore[arg-type]


def big(layers: int, heads: int) -> HeadTable:
    return table(
        *(
            row(f"{layer}.{head}", previous=(layer * head % 7) / 7, focus=0.2, distance=3.0, first=0.1)
            for layer in range(layers)
            for head in range(heads)
        )
    )


def grid(*sizes: tuple[str, int, int], metric: str = "previous", **others: object) -> HeadGrid:
    """A grid of stacks, each with so many layers and heads; the last head of each has no value."""
    stacks = []
    for name, layers, heads in sizes or (("", 2, 3),):
        values = np.arange(layers * heads).reshape(layers, heads) / (layers * heads)
        values[-1, -1] = np.nan
        stacks.append(GridStack(name, tuple(range(layers)), values))
    return HeadGrid("a model  “a text”", metric, metric, tuple(stacks), recipe=RECIPE, **others)  # type: ignore[arg-type]

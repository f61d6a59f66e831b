"""One statistic of every head as a matplotlib figure: layers downwards, heads to the right, stacks apart."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.colours import colours
from attnviz.render.columns import cell_text
from attnviz.render.layout import (
    COLUMN,
    LARGEST_CELL,
    PAGE,
    SHORTEST_BAR,
    SMALLEST_CELL,
    TALLEST_BAR,
    Box,
    around,
    bar_room,
)  # fmt: skip
from attnviz.render.lettering import Lettering
from attnviz.render.pen import GREY, INK, Pen, house_style, painted_where
from attnviz.render.views import GridStack, HeadGrid
from attnviz.venues import SIZES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def grid_figure(view: HeadGrid, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """The grid as a figure, and what its maker should be told.

    Raises UsageError for a colour map that is not there, and for a width that leaves no room.
    """
    from matplotlib.figure import Figure

    letters = Lettering.of(style, (view.title, view.measured, *view.notes, "·…"))
    left, right = letters.margin + _left(view, letters), bar_room(letters, view.scale) + letters.margin
    cell = _cell(view, style, left + right)
    width = style.width or max(left + _heads(view) * cell + right, COLUMN)
    title = letters.fonts.wrapped(letters.fonts.shown(view.title), letters.title, width - 2 * letters.margin)
    caption = letters.fonts.wrapped(
        letters.fonts.shown(" · ".join(view.notes)), letters.small, width - 2 * letters.margin
    )
    top = letters.margin + len(title) * letters.title_line + (letters.gap / 2 if title else 0)
    boxes = list(_boxes(view, letters, Box(left, top, cell, cell)))
    below = max(
        boxes[-1].bottom + 2 * letters.small_line + letters.pad, boxes[0].top + SHORTEST_BAR * letters.grown
    )
    caption_top = below + (letters.gap / 2 if caption else 0)
    height = caption_top + len(caption) * letters.small_line + letters.margin
    with house_style():
        drawn = Figure(figsize=(width, height), dpi=style.dpi, facecolor="white")
        pen = Pen(drawn, letters)
        pen.lines(title, letters.margin, letters.title, INK)
        for stack, box in zip(view.stacks, boxes, strict=True):
            _draw_stack(pen, view, stack, box)
        frame = around(boxes)
        tall = min(
            max(boxes[-1].bottom - boxes[0].top, SHORTEST_BAR * letters.grown), TALLEST_BAR * letters.grown
        )
        bar = Box(frame.right + letters.gap, frame.top, letters.bar, tall)
        pen.bar(bar, colours(view.cmap), view.scale, (view.measured,))
        pen.lines(caption, caption_top, letters.small, GREY)
    return drawn, letters.fonts.notes


def _draw_stack(pen: Pen, view: HeadGrid, stack: GridStack, box: Box) -> None:
    values = stack.values.astype(np.float32)
    paint = painted_where(values, view.scale, colours(view.cmap))
    axes = pen.cells(box, paint)
    if stack.name:
        pen.title(box, stack.name)
    rows = pen.letters.at_the_side([str(layer) for layer in stack.layers], box.height / len(stack.layers))
    columns = pen.letters.numbers([str(head) for head in range(stack.heads)], box.width / stack.heads)
    pen.labels(axes.yaxis, rows, range(len(stack.layers)))
    pen.labels(axes.xaxis, columns, range(stack.heads))
    last = stack is view.stacks[-1]
    pen.axis_names(box, ("layer", rows.room), ("head" if last else "", columns.room))
    texts = [[cell_text(view, value) for value in row] for row in stack.values.tolist()]
    pen.numbers(box, texts, paint)


def _boxes(view: HeadGrid, letters: Lettering, cell: Box) -> Iterator[Box]:
    """Of the cells of each stack, one below the other. cell: the first one's place and size."""
    top = cell.top
    for stack in view.stacks:
        top += letters.line + letters.pad if stack.name else 0
        box = Box(cell.left, top, stack.heads * cell.width, len(stack.layers) * cell.height)
        yield box
        top = box.bottom + letters.small_line + letters.pad + letters.gap


def _heads(view: HeadGrid) -> int:
    return max(stack.heads for stack in view.stacks)


def _left(view: HeadGrid, letters: Lettering) -> float:
    """Room for the names of the layers, and for that of their axis."""
    numbers = (str(layer) for stack in view.stacks for layer in stack.layers)
    return letters.widest(numbers) + letters.pad + letters.small_line


def _cell(view: HeadGrid, style: Style, taken: float) -> float:
    """The side of a cell, in what the labels leave of the width."""
    grown = SIZES[style.medium].factor
    cell = ((style.width or PAGE * grown) - taken) / _heads(view)
    if cell < SMALLEST_CELL:
        raise UsageError(
            f"a figure {style.width:g} inches wide has no room for its cells beside their labels"
        )
    return cell if style.width else min(cell, LARGEST_CELL * grown)

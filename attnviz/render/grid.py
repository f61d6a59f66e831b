"""One statistic of every head as text: a line a layer, a cell a head, numbers in the cells that have room."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from attnviz.render.columns import cell_text
from attnviz.render.ink import Ink, ink_of, levels_in
from attnviz.render.labels import placed
from attnviz.render.legend import bar_lines
from attnviz.render.views import GridStack, HeadGrid

_BOLD, _DIM = Style(bold=True), Style(dim=True)
_BARE = 2  # columns of a cell without a number in it: such a cell is about as wide as high
_HEAD = "head"


def grid(view: HeadGrid) -> RenderableType:
    """The grid, to be printed on any rich console: it fits itself to the width and the colours it finds."""
    return _Printed(view)


@dataclass(frozen=True)
class _Printed:
    view: HeadGrid

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        view, ink = self.view, ink_of(console, self.view.cmap)
        left = 1 + max(len(_name(layer)) for stack in view.stacks for layer in stack.layers)
        yield Text(view.title, style=_BOLD)
        yield Segment.line()
        for stack in view.stacks:
            for line in _lines(view, stack, ink, left, options.max_width):
                yield from (part for part in line if not part.control)
                yield Segment.line()
            yield Segment.line()
        for line in bar_lines(view.scale, ink, left, options.max_width - left, (view.measured, view.metric)):
            yield from line
            yield Segment.line()
        for note in view.notes:
            yield Text(note, style=_DIM)


def _lines(view: HeadGrid, stack: GridStack, ink: Ink, left: int, columns: int) -> Iterator[list[Segment]]:
    """A stack; heads that do not fit beside go below."""
    texts = [[cell_text(view, value) for value in row] for row in stack.values.tolist()]
    cell, across = _cells(texts, columns - left)
    levels = levels_in(stack.values.astype(np.float32), view.scale).tolist()
    if stack.name:
        yield list(placed([(left, stack.name)], _BOLD))
    for first in range(0, stack.heads, across):
        heads = range(first, min(first + across, stack.heads))
        yield list(_numbers(heads, left, cell))
        for layer, some, words in zip(stack.layers, levels, texts, strict=True):
            cells = [_cell(ink, some[head], words[head], cell) for head in heads]
            yield [Segment(f"{_name(layer):>{left - 1}} ", _DIM), *cells]


def _numbers(heads: range, left: int, cell: int) -> Iterator[Segment]:
    """The numbers of the heads above their cells; of narrow cells every fifth."""
    step = 1 if cell > len(str(heads[-1])) else 5
    shown = [head for head in heads if head % step == 0]
    inset = (cell - 1) // 2 if step == 1 else 0
    numbers = [(left + (head - heads.start) * cell + inset, str(head)) for head in shown]
    yield from placed([(left - 1 - len(_HEAD), _HEAD), *numbers], _DIM)


def _cell(ink: Ink, level: int, text: str, columns: int) -> Segment:
    return (
        ink.text(level, columns, text)
        if columns > len(text) + 1 and columns > _BARE
        else ink.fill(level, columns)
    )


def _cells(texts: list[list[str]], room: int) -> tuple[int, int]:
    """Columns of a cell, and how many heads stand side by side: with their numbers, if all have room."""
    heads, wide = len(texts[0]), 2 + max(len(text) for row in texts for text in row)
    if heads * wide <= room:
        return max(wide, _BARE), heads
    bands = ceil(heads / max(room // _BARE, 1))
    return min(_BARE, max(room, 1)), ceil(heads / bands)


def _name(layer: int) -> str:
    return f"layer {layer}"

"""Token strips, and the strongest lines between tokens, as text on a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from attnviz.render.ink import Ink, ink_of, levels_of
from attnviz.render.labels import cut, width
from attnviz.render.legend import bar_lines
from attnviz.render.views import HeadLines, Heatmap, TokenStrip

_BOLD, _DIM, _ASKED = Style(bold=True), Style(dim=True), Style(bold=True, underline=True)
_LONGEST = 24  # columns of a token
_KEYS = 4  # of each query, at most
_LEAST = 0.05  # that a key must have to be listed


@dataclass(frozen=True)
class PrintedStrip:
    """Tokens in running lines, on the colour of the weight that one query gives them."""

    view: TokenStrip

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, ink = self.view.page, ink_of(console, self.view.page.cmap)
        yield Text(page.title, style=_BOLD)
        for heatmap in page.heatmaps:
            yield Text("")
            yield Text(cut(heatmap.title, options.max_width), style=_BOLD)
            levels = levels_of(heatmap, page.scale)[0].tolist()
            for line in _wrapped(_tokens(heatmap, levels, ink), options.max_width):
                yield from line
                yield Segment.line()
        yield Text("")
        for bar in bar_lines(page.scale, ink, 0, max(options.max_width - 2, 1), (page.measured,)):
            yield from bar
            yield Segment.line()
        for note in page.notes:
            yield Text(note, style=_DIM)


@dataclass(frozen=True)
class PrintedLines:
    """A line for each query with the keys that it looks at most, the strongest first."""

    view: HeadLines

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        page = self.view.page
        yield Text(page.title, style=_BOLD)
        for heatmap in page.heatmaps:
            yield Text("")
            yield Text(cut(heatmap.title, options.max_width), style=_BOLD)
            room = min(max(map(width, heatmap.query_labels), default=0), _LONGEST)
            for row, label in enumerate(heatmap.query_labels):
                name = cut(label, room)
                keys = "  ".join(_strongest(heatmap, row))
                yield Text(cut(f"{' ' * (room - width(name))}{name} → {keys or '·'}", options.max_width))
        for note in page.notes:
            yield Text(note, style=_DIM)


def _tokens(heatmap: Heatmap, levels: list[int], ink: Ink) -> Iterator[Segment]:
    for label, level in zip(heatmap.key_labels, levels, strict=True):
        shown = cut(label, _LONGEST)
        yield ink.text(level, width(shown) + 2, shown) if level >= 0 else Segment(f" {shown} ", _DIM)


def _wrapped(tokens: Iterator[Segment], columns: int) -> Iterator[list[Segment]]:
    line: list[Segment] = []
    used = 0
    for token in tokens:
        if line and used + width(token.text) > columns:
            yield line
            line, used = [], 0
        line.append(token)
        used += width(token.text)
    yield line


def _strongest(heatmap: Heatmap, row: int) -> Iterator[str]:
    weights = np.where(heatmap.painted[row], heatmap.weights[row], -1)
    for key in np.argsort(-weights, kind="stable")[:_KEYS]:
        if weights[key] >= _LEAST:
            yield f"{heatmap.key_labels[key]} {weights[key]:.2f}"

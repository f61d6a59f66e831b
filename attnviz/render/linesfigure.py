"""Queries and keys as two columns of tokens with lines between them, as a matplotlib figure.

How dark a line is, is the weight that the query at its left gives the key at its right, on the page's scale.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.colours import Colours
from attnviz.render.layout import PAGE, TALLEST_BAR, Box, bar_room
from attnviz.render.lettering import Lettering
from attnviz.render.pen import GREY, INK, Pen, house_style
from attnviz.render.views import HeadLines, Heatmap, Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BETWEEN = 1.1  # inches between the two columns, at least
FAINTEST = 0.02  # of the scale: fainter lines are left out
_STROKE = np.array([33, 63, 115])  # of a weight at the top of the scale
_THICK = 1.2  # points


@dataclass(frozen=True)
class _Panel:
    """left, right: where lines begin and end; top: of the first token; line: from one to the next."""

    heatmap: Heatmap
    left: float
    right: float
    top: float
    line: float

    def middles(self, count: int) -> NDArray[np.float64]:
        """Of the tokens of a column, the shorter one in the middle of the longer."""
        longest = max(self.heatmap.weights.shape)
        middles: NDArray[np.float64] = self.top + (np.arange(count) + 0.5 + (longest - count) / 2) * self.line
        return middles


def lines_figure(view: HeadLines, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """All maps beside and below each other, and what its maker should be told.

    Raises UsageError for a width that has no room for one.
    """
    from matplotlib.figure import Figure

    page = view.page
    letters = Lettering.of(style, _texts(page))
    width = style.width or _usual_width(page, letters)
    text = width - 2 * letters.margin
    title = letters.fonts.wrapped(letters.fonts.shown(page.title), letters.title, text)
    caption = letters.fonts.wrapped(letters.fonts.shown(" · ".join(page.notes)), letters.small, text)
    top = letters.margin + len(title) * letters.title_line + letters.gap / 2
    panels = list(_panels(page, letters, width, top))
    bottom = max(panel.top + max(panel.heatmap.weights.shape) * panel.line for panel in panels)
    foot = max(bottom + letters.small_line, top + letters.line + 5 * letters.small_line)
    caption_top = foot + letters.gap / 2
    height = caption_top + len(caption) * letters.small_line + letters.margin
    with house_style():
        drawn = Figure(figsize=(width, height), dpi=style.dpi, facecolor="white")
        pen = Pen(drawn, letters)
        pen.lines(title, letters.margin, letters.title, INK)
        for panel in panels:
            _draw(pen, page, panel)
        bar = Box(
            width - bar_room(letters, page.scale),
            panels[0].top,
            letters.bar,
            min(foot - panels[0].top, TALLEST_BAR * letters.grown),
        )
        pen.bar(bar, strokes(), page.scale, (page.measured,))
        pen.lines(caption, caption_top, letters.small, GREY)
    return drawn, letters.fonts.notes


def strokes() -> Colours:
    """From the paper's white to the darkest line: ``[256, 3]``."""
    shares = np.linspace(0, 1, 256)[:, None]
    return (255 * (1 - shares) + _STROKE * shares).round().astype(np.uint8)


def _columns(page: Page, letters: Lettering) -> tuple[float, float]:
    """How wide the labels of queries and of keys are."""
    queries = [label for heatmap in page.heatmaps for label in heatmap.query_labels]
    keys = [label for heatmap in page.heatmaps for label in heatmap.key_labels]
    named = zip(page.axes, (queries, keys), strict=True)
    left, right = (letters.widest([name, *letters.labels(labels)]) + letters.pad for name, labels in named)
    return left, right


def _usual_width(page: Page, letters: Lettering) -> float:
    """As many maps beside each other as a page has room for."""
    one = sum(_columns(page, letters)) + BETWEEN * letters.grown + letters.gap
    room = PAGE * letters.grown - 2 * letters.margin - bar_room(letters, page.scale)
    across = min(max(int(room / one), 1), len(page.heatmaps))
    return across * one + 2 * letters.margin + bar_room(letters, page.scale)


def _panels(page: Page, letters: Lettering, width: float, top: float) -> Iterator[_Panel]:
    queries, keys = _columns(page, letters)
    room = width - 2 * letters.margin - bar_room(letters, page.scale)
    across = min(
        max(int(room / (queries + keys + BETWEEN * letters.grown + letters.gap) + 1e-6), 1),
        len(page.heatmaps),
    )
    one = room / across
    if one < queries + keys + letters.gap + BETWEEN / 3:
        raise UsageError(f"a figure {width:g} inches wide has no room for lines between its tokens")
    line, below = letters.small_line * 1.1, top
    for start in range(0, len(page.heatmaps), across):
        shown = page.heatmaps[start : start + across]
        first = below + letters.line + letters.pad + letters.small_line
        for column, heatmap in enumerate(shown):
            left = letters.margin + column * one
            yield _Panel(heatmap, left + queries, left + one - letters.gap - keys, first, line)
        below = first + max(max(heatmap.weights.shape) for heatmap in shown) * line + letters.gap


def _draw(pen: Pen, page: Page, panel: _Panel) -> None:
    heatmap, letters = panel.heatmap, pen.letters
    head = panel.top - letters.small_line / 2
    pen.text(
        panel.left,
        head - letters.small_line,
        letters.fonts.shown(heatmap.title),
        size=letters.size,
        color=INK,
    )
    pen.text(panel.left - letters.pad, head, page.axes[0], ha="right")
    pen.text(panel.right + letters.pad, head, page.axes[1])
    rows, columns = heatmap.weights.shape
    for label, top in zip(letters.labels(heatmap.query_labels), panel.middles(rows), strict=True):
        pen.text(panel.left - letters.pad, top, label, ha="right", color=INK)
    for label, top in zip(letters.labels(heatmap.key_labels), panel.middles(columns), strict=True):
        pen.text(panel.right + letters.pad, top, label, color=INK)
    _draw_lines(pen, page, panel)


def _draw_lines(pen: Pen, page: Page, panel: _Panel) -> None:
    """The strongest lines on top."""
    from matplotlib.collections import LineCollection

    heatmap = panel.heatmap
    places = page.scale.place(np.where(heatmap.painted, heatmap.weights, np.float32(0)))
    rows, columns = np.nonzero((places >= FAINTEST) & heatmap.painted)
    order = np.argsort(places[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    starts, ends = (panel.middles(count) for count in heatmap.weights.shape)
    wide, high = pen.figure.get_size_inches()
    segments = [
        [(panel.left / wide, 1 - start / high), (panel.right / wide, 1 - end / high)]
        for start, end in zip(starts[rows], ends[columns], strict=True)
    ]
    table = strokes()[np.minimum(places[rows, columns] * 256, 255).astype(np.intp)] / 255
    lines = LineCollection(segments, colors=table, linewidths=_THICK * pen.letters.grown)
    lines.set(transform=pen.figure.transFigure, capstyle="butt")
    pen.figure.add_artist(lines)


def _texts(page: Page) -> Iterator[str]:
    yield from (page.title, *page.notes, "·…×")
    for heatmap in page.heatmaps:
        yield from (heatmap.title, *heatmap.query_labels, *heatmap.key_labels)

"""Tokens in running lines, each on the colour of the weight that one query gives it, as a figure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.colours import bright, colours, levels
from attnviz.render.layout import PAGE, TALLEST_BAR, Box, bar_room
from attnviz.render.lettering import Lettering
from attnviz.render.pen import FRAME, GREY, INK, Pen, house_style
from attnviz.render.views import Heatmap, Page, TokenStrip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = 1.9  # from line to line, in sizes of the letters
_TALL = 1.45  # a token's box, likewise


@dataclass(frozen=True)
class _Token:
    """weight: NaN where the query may not see it; asked: it is the query itself."""

    text: str
    box: Box
    weight: float
    asked: bool


def strip_figure(view: TokenStrip, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """The strips of all maps, one below the other, and what its maker should be told.

    Raises UsageError for a width that has no room for a token.
    """
    from matplotlib.figure import Figure

    page = view.page
    letters = Lettering.of(style, _texts(page))
    width = style.width or PAGE * letters.grown
    text = width - 2 * letters.margin
    title = letters.fonts.wrapped(letters.fonts.shown(page.title), letters.title, text)
    caption = letters.fonts.wrapped(letters.fonts.shown(" · ".join(page.notes)), letters.small, text)
    top = letters.margin + len(title) * letters.title_line + letters.gap / 2
    strips = list(_strips(view, letters, width - letters.margin - bar_room(letters, page.scale), top))
    bottom = max(strips[-1][-1].box.bottom, top + letters.line + 3 * letters.small_line)
    caption_top = bottom + letters.gap
    height = caption_top + len(caption) * letters.small_line + letters.margin
    with house_style():
        drawn = Figure(figsize=(width, height), dpi=style.dpi, facecolor="white")
        pen = Pen(drawn, letters)
        pen.lines(title, letters.margin, letters.title, INK)
        for heatmap, tokens in zip(page.heatmaps, strips, strict=True):
            _draw(pen, page, heatmap, tokens)
        first = strips[0][0].box.top
        bar = Box(
            width - bar_room(letters, page.scale),
            first,
            letters.bar,
            min(bottom - first, TALLEST_BAR * letters.grown),
        )
        pen.bar(bar, colours(page.cmap), page.scale, (page.measured,))
        pen.lines(caption, caption_top, letters.small, GREY)
    return drawn, letters.fonts.notes


def _strips(view: TokenStrip, letters: Lettering, right: float, top: float) -> Iterator[list[_Token]]:
    """The tokens of each map in their places; above them there is room for its title."""
    for heatmap in view.page.heatmaps:
        tokens = _flowed(
            heatmap, letters, Box(letters.margin, top + letters.line + letters.pad, right - letters.margin, 0)
        )
        yield tokens
        top = tokens[-1].box.bottom + letters.gap


def _flowed(heatmap: Heatmap, letters: Lettering, room: Box) -> list[_Token]:
    labels, tokens = letters.labels(heatmap.key_labels), []
    weights = np.where(heatmap.painted, heatmap.weights, np.nan)[0]
    line, tall = letters.size * _LINE / 72, letters.size * _TALL / 72
    left, top = room.left, room.top
    for place, label in enumerate(labels):
        wide = letters.fonts.width(label, letters.size) + letters.pad
        if wide > room.width:
            raise UsageError("a figure so narrow has no room for a token: choose a larger --width")
        if left + wide > room.right:
            left, top = room.left, top + line
        asked = heatmap.reads(0, place)
        tokens.append(_Token(label, Box(left, top, wide, tall), float(weights[place]), asked))
        left += wide + letters.pad / 2
    return tokens


def _draw(pen: Pen, page: Page, heatmap: Heatmap, tokens: Sequence[_Token]) -> None:
    pen.title(tokens[0].box, pen.letters.fonts.shown(heatmap.title))
    table = colours(page.cmap)
    places = levels(page.scale.place(np.array([token.weight for token in tokens], np.float32)))
    light = bright(table)
    for token, place in zip(tokens, places.tolist(), strict=True):
        seen = not np.isnan(token.weight)
        _box(pen, token, tuple(table[place] / 255) if seen else None)
        middle = token.box.left + token.box.width / 2, token.box.top + token.box.height / 2
        colour = GREY if not seen else "black" if light[place] else "white"
        pen.text(*middle, token.text, size=pen.letters.size, ha="center", color=colour)


def _box(pen: Pen, token: _Token, fill: tuple[float, ...] | None) -> None:
    """What a token stands on; a line around it is thick where it is the query itself."""
    from matplotlib.patches import Rectangle

    wide, high = pen.figure.get_size_inches()
    box = token.box
    pen.figure.add_artist(
        Rectangle(
            (box.left / wide, 1 - box.bottom / high), box.width / wide, box.height / high,
            facecolor=fill or "none", edgecolor=INK if token.asked else FRAME,
            linewidth=1.4 if token.asked else 0.4, transform=pen.figure.transFigure, zorder=0,
        )
    )  # fmt: skip


def _texts(page: Page) -> Iterable[str]:
    yield from (page.title, *page.notes, "·…×“”")
    for heatmap in page.heatmaps:
        yield from (heatmap.title, *heatmap.key_labels)

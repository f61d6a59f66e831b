"""A table of heads as a matplotlib figure, ruled as books do it; shares are tinted by how large they are."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnviz.analysis.rank import NUMBERS
from attnviz.errors import UsageError
from attnviz.metrics import METRICS
from attnviz.recipes import Style
from attnviz.render.colours import colours
from attnviz.render.columns import IN_UNITS, Column, column, evidence_text, least_telling
from attnviz.render.fonts import Fonts
from attnviz.render.layout import COLUMN, GAP, MARGIN, PAGE, Box
from attnviz.render.lettering import LABEL_LENGTH, Lettering
from attnviz.render.pen import GREY, INK, Pen, house_style
from attnviz.render.views import HeadRow, HeadTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 256
_BETWEEN = 0.11  # two columns
_SLACK = 1.02  # letters come out a little wider at some numbers of dots
_AIR = 1.18  # from row to row, in lines of text
_HEAVY, _LIGHT = 0.8, 0.5  # rules, in points
_TINT, _STRENGTH = 128, 0.55  # which colour of the map, and how much of it a share of 1 gets


def table_figure(view: HeadTable, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """The table as a figure, and what its maker should be told.

    Columns that have no room are left out, the least telling first, and the notes say which; not so where
    they were asked for.
    Raises UsageError for more rows than a picture can show, and for a width that the columns do not fit into.
    """
    from matplotlib.figure import Figure

    if len(view.rows) > MOST_ROWS:
        raise UsageError(
            f"{len(view.rows):,} heads are too many for a picture of a table ({MOST_ROWS} are the most): "
            "choose with --where or --top, or show all of them with --grid METRIC"
        )
    letters = Lettering(Fonts.for_texts((view.title, *view.notes, "·…→–", *_evidence(view))), style.font_size)
    texts = {name: _texts(column(name), view.rows, letters) for name in view.columns}
    wide = {name: letters.widest(texts[name]) * _SLACK for name in texts}
    shown, dropped = _fitting(view, style, wide)
    widths = [wide[name] for name in shown]
    inner = sum(widths) + _BETWEEN * (len(shown) - 1)
    width = style.width or max(inner + 2 * MARGIN, COLUMN)
    notes = [*view.notes, *([f"not shown: {', '.join(dropped)}"] if dropped else [])]
    text = (width - 2 * MARGIN) / _SLACK
    title = letters.fonts.wrapped(letters.fonts.shown(view.title), letters.title, text)
    caption = letters.fonts.wrapped(letters.fonts.shown(" · ".join(notes)), letters.small, text)
    row = letters.small_line * _AIR
    top = MARGIN + len(title) * letters.title_line + GAP / 2
    foot = top + (len(view.rows) + 1) * row + GAP / 2
    caption_top = foot + GAP / 3
    height = caption_top + len(caption) * letters.small_line + MARGIN
    with house_style():
        drawn = Figure(figsize=(width, height), dpi=style.dpi, facecolor="white")
        pen = Pen(drawn, letters)
        pen.lines(title, MARGIN, letters.title, INK)
        left = MARGIN
        for name, across in zip(shown, widths, strict=True):
            _draw_column(pen, view, column(name), texts[name], Box(left, top, across, row))
            left += across + _BETWEEN
        for below, weight in ((0, _HEAVY), (row + GAP / 4, _LIGHT), (foot - top, _HEAVY)):
            pen.rule(MARGIN, top + below, inner, weight)
        pen.lines(caption, caption_top, letters.small, GREY)
    return drawn, letters.fonts.notes


def _draw_column(pen: Pen, view: HeadTable, entry: Column, texts: Sequence[str], first: Box) -> None:
    """A column with its head, whose place and size are given."""
    place, side = (first.left, "left") if entry.left else (first.right, "right")
    tint = tuple(colours(view.cmap)[_TINT] / 255)
    shares = entry.name in METRICS and entry.name not in IN_UNITS
    for number, text in enumerate(texts):
        top = first.top + number * first.height + (GAP / 2 if number else GAP / 8)
        if number and shares:
            share = NUMBERS[entry.name](view.rows[number - 1])
            if not math.isnan(share):
                box = Box(first.left - _BETWEEN / 2, top, first.width + _BETWEEN, first.height)
                pen.fill(box, tint, _STRENGTH * min(max(share, 0.0), 1.0))
        pen.text(place, top + first.height / 2, text, ha=side, color=INK)


def _texts(entry: Column, rows: Sequence[HeadRow], letters: Lettering) -> list[str]:
    """The head of a column and its entries, as they can be drawn."""
    if entry.name == "evidence":
        entries = [evidence_text(row.evidence, 2 * LABEL_LENGTH) for row in rows]
    else:
        entries = [entry.text(row) for row in rows]
    return [letters.fonts.shown(text) for text in (entry.short, *entries)]


def _evidence(view: HeadTable) -> list[str]:
    pairs = [row.evidence for row in view.rows if row.evidence]
    return [text for pair in pairs for text in (pair.query, pair.key, pair.sample)]


def _fitting(
    view: HeadTable, style: Style, widths: dict[str, float]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the columns that have room, and of those that have none."""
    room = (style.width or PAGE) - 2 * MARGIN
    shown = list(view.columns)
    order = [] if view.asked else least_telling(view)

    def taken() -> float:
        return sum(widths[name] for name in shown) + _BETWEEN * (len(shown) - 1)

    for name in order:
        if taken() <= room:
            break
        shown.remove(name)
    if style.width and taken() > room:
        raise UsageError(
            f"a table of these columns takes {taken() + 2 * MARGIN:.1f} inches, not {style.width:g}: "
            "choose fewer with --columns, or a smaller --font-size"
        )
    return tuple(shown), tuple(name for name in view.columns if name not in shown)

"""A table as a matplotlib figure, ruled as books do it; shares are tinted by how large they are."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.colours import colours
from attnviz.render.layout import COLUMN, PAGE, Box
from attnviz.render.lettering import Lettering
from attnviz.render.markup import PAIR_LENGTH
from attnviz.render.pen import GREY, INK, Pen, house_style
from attnviz.render.rows import Tabular
from attnviz.render.sheets import Sheet, Strip, fitting, sheet, total

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 256
_BETWEEN = 0.11  # two columns
_SLACK = 1.02  # letters come out a little wider at some numbers of dots
_AIR = 1.18  # from row to row, in lines of text
_HEAVY, _LIGHT = 0.8, 0.5  # rules, in points
_TINT, _STRENGTH = 128, 0.55  # which colour of the map, and how much of it a share of 1 gets


def table_figure(view: Tabular, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """The table as a figure, and what its maker should be told.

    Columns that have no room are left out, the least telling first, and the notes say which; not so where
    they were asked for.
    Raises UsageError for more rows than a picture can show, and for a width that the columns do not fit into.
    """
    from matplotlib.figure import Figure

    made = sheet(view)
    if made.rows > MOST_ROWS:
        raise UsageError(
            f"{made.rows:,} {made.called} are too many for a picture of a table ({MOST_ROWS} are the most): "
            f"{made.advice.rows}"
        )
    letters = Lettering.of(style, (made.title, *made.notes, "·…→–", *_foreign(made)))
    texts = {each.name: _texts(each, letters) for each in made.strips}
    wide = {name: letters.widest(texts[name]) * _SLACK for name in texts}
    shown, dropped = fitting(made, wide, (style.width or PAGE * letters.grown) - 2 * letters.margin, _BETWEEN)
    inner = total((wide[each.name] for each in shown), _BETWEEN)
    _check_width(made, style, inner + 2 * letters.margin)
    width = style.width or max(inner + 2 * letters.margin, COLUMN)
    notes = [*made.notes, *([f"not shown: {', '.join(dropped)}"] if dropped else [])]
    text = (width - 2 * letters.margin) / _SLACK
    title = letters.fonts.wrapped(letters.fonts.shown(made.title), letters.title, text)
    caption = letters.fonts.wrapped(letters.fonts.shown(" · ".join(notes)), letters.small, text)
    row = letters.small_line * _AIR
    top = letters.margin + len(title) * letters.title_line + letters.gap / 2
    foot = top + (made.rows + 1) * row + letters.gap / 2
    caption_top = foot + letters.gap / 3
    height = caption_top + len(caption) * letters.small_line + letters.margin
    with house_style():
        drawn = Figure(figsize=(width, height), dpi=style.dpi, facecolor="white")
        pen = Pen(drawn, letters)
        pen.lines(title, letters.margin, letters.title, INK)
        left = letters.margin
        for strip in shown:
            _draw_column(pen, made, strip, texts[strip.name], Box(left, top, wide[strip.name], row))
            left += wide[strip.name] + _BETWEEN
        for below, weight in ((0, _HEAVY), (row + letters.gap / 4, _LIGHT), (foot - top, _HEAVY)):
            pen.rule(letters.margin, top + below, inner, weight)
        pen.lines(caption, caption_top, letters.small, GREY)
    return drawn, letters.fonts.notes


def _draw_column(pen: Pen, made: Sheet, strip: Strip, texts: Sequence[str], first: Box) -> None:
    """A column with its head, whose place and size are given."""
    place, side = (first.left, "left") if strip.left else (first.right, "right")
    tint = tuple(colours(made.cmap)[_TINT] / 255)
    for number, text in enumerate(texts):
        top = first.top + number * first.height + pen.letters.gap / (2 if number else 8)
        share = strip.cells[number - 1].share if number else math.nan
        if not math.isnan(share):
            box = Box(first.left - _BETWEEN / 2, top, first.width + _BETWEEN, first.height)
            pen.fill(box, tint, _STRENGTH * min(max(share, 0.0), 1.0))
        pen.text(place, top + first.height / 2, text, ha=side, color=INK)


def _texts(strip: Strip, letters: Lettering) -> list[str]:
    """The head of a column and its entries, as they can be drawn."""
    entries = ("".join(cell.fitted(PAIR_LENGTH)) for cell in strip.cells)
    return [letters.fonts.shown(text) for text in (strip.short, *entries)]


def _foreign(made: Sheet) -> list[str]:
    return [text for strip in made.strips for cell in strip.cells for text in cell.parts[1::2]]


def _check_width(made: Sheet, style: Style, taken: float) -> None:
    if style.width and taken > style.width:
        raise UsageError(
            f"a table of these columns takes {taken:.1f} inches, not {style.width:g}: "
            f"{made.advice.columns}, or a smaller --font-size"
        )

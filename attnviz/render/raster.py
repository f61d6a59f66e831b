"""A drawing as dots: cells are put in as a palette's numbers, words as pictures that are drawn once.

Most of what a library of figures does for a picture of cells is to colour, scale and compress millions of
dots in four channels. Cells are few numbers, and their dots are copies of these.
"""

from dataclasses import replace
from functools import cache, lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from attnviz.render.colours import Colours
from attnviz.render.drawing import BLANK, NOT_COMPUTED, Cells, Drawing, Words, empty, palette, write
from attnviz.render.fonts import Fonts
from attnviz.render.layout import Box
from attnviz.render.pen import FRAME, house_style

_DARKEST = 26  # of all that is written
_GREYS = 256 - NOT_COMPUTED - 1  # that the palette has for the edges of letters
_KEPT = 1024  # pictures of words, of some kilobytes each
_MARGIN = 1.5  # around words, in sizes of their letters

Dots = NDArray[np.uint8]


def raster(drawing: Drawing, dpi: int) -> tuple[Dots, Colours]:
    """The picture: ``[rows, columns]`` numbers of colours, and the colours ``[256, 3]``."""
    dots = np.full((round(drawing.height * dpi), round(drawing.width * dpi)), BLANK, np.uint8)
    for box in drawing.frames:
        _frame(dots, box, dpi)
    for cells in drawing.cells:
        _fill(dots, cells, dpi)
    for word in drawing.words:
        _write(dots, word, drawing.fonts, dpi)
    return dots, np.concatenate([palette(drawing.cmap), np.repeat(_greys()[:, None], 3, axis=1)])


def _frame(dots: Dots, box: Box, dpi: int) -> None:
    """A box in the colour of lines, larger by a dot on each side than the cells that will cover it."""
    left, top, right, bottom = (round(edge * dpi) for edge in (box.left, box.top, box.right, box.bottom))
    dots[top - 1 : bottom + 1, left - 1 : right + 1] = _numbers()[int(FRAME[1:3], 16)]


def _fill(dots: Dots, cells: Cells, dpi: int) -> None:
    """Each cell as the dots whose middles lie in it."""
    top, left = round(cells.box.top * dpi), round(cells.box.left * dpi)
    rows = _nearest(round(cells.box.height * dpi), cells.levels.shape[0])
    columns = _nearest(round(cells.box.width * dpi), cells.levels.shape[1])
    dots[top : top + len(rows), left : left + len(columns)] = cells.levels[rows][:, columns]


def _nearest(dots: int, cells: int) -> NDArray[np.intp]:
    """Which cell each dot shows."""
    return ((np.arange(dots) + 0.5) * cells / dots).astype(np.intp)


def _write(dots: Dots, word: Words, fonts: Fonts, dpi: int) -> None:
    """Words over what is there already, as far as they lie on the picture."""
    picture, (down, across) = _lettered(replace(word, left=0, top=0), fonts, dpi)
    top, left = round(word.top * dpi) - down, round(word.left * dpi) - across
    picture = picture[max(-top, 0) :, max(-left, 0) :]
    under = dots[max(top, 0) :, max(left, 0) :][: picture.shape[0], : picture.shape[1]]
    picture = picture[: under.shape[0], : under.shape[1]]
    np.copyto(under, picture, where=picture != BLANK)


@lru_cache(maxsize=_KEPT)
def _lettered(word: Words, fonts: Fonts, dpi: int) -> tuple[Dots, tuple[int, int]]:
    """Words as a picture, and their place on it, in dots down and across from its upper left corner."""
    margin = ceil(word.size * _MARGIN / 72 * dpi)
    long = 2 * ceil(fonts.width(word.text, word.size) * dpi) + 2 * margin  # as far to either side
    rows, columns = (long, 2 * margin) if word.turned else (2 * margin, long)
    with house_style():
        pen = empty(columns / dpi, rows / dpi, fonts, dpi)
        write(pen, replace(word, left=columns // 2 / dpi, top=rows // 2 / dpi))
        picture = _numbers()[_grey(pen.figure)]
    down, across = (np.flatnonzero((picture != BLANK).any(axis)) for axis in (1, 0))
    if not len(down):
        return picture[:0, :0], (0, 0)
    inked = picture[down[0] : down[-1] + 1, across[0] : across[-1] + 1].copy()
    return inked, (rows // 2 - int(down[0]), columns // 2 - int(across[0]))


def _grey(figure: object) -> Dots:
    """How light each dot of a figure in greys is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)  # type: ignore[arg-type]
    canvas.draw()  # type: ignore[no-untyped-call]
    light: Dots = np.asarray(canvas.buffer_rgba())[:, :, 0]  # type: ignore[no-untyped-call]
    return light


def _greys() -> Dots:
    """From the darkest on, white left out."""
    greys: Dots = np.linspace(_DARKEST, 255, _GREYS, endpoint=False).round().astype(np.uint8)
    return greys


@cache
def _numbers() -> Dots:
    """The palette's number for each grey: ``[256]``."""
    nearest = np.abs(np.arange(256)[:, None] - _greys().astype(np.intp)).argmin(1)
    numbers: Dots = (NOT_COMPUTED + 1 + nearest).astype(np.uint8)
    numbers[(255 + int(_greys()[-1])) // 2 :] = BLANK
    return numbers

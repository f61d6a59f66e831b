"""A figure as a value: words, frames and cells in their places, before anybody draws it.

The same drawing becomes a vector figure here, a PDF in ``pdf.py`` and a picture of dots in ``raster.py``, so
that there is one layout for all. All lengths are in inches, from the upper left corner.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Floats
from attnviz.render.colours import Colours, colours
from attnviz.render.fonts import Fonts
from attnviz.render.layout import Box
from attnviz.render.lettering import Lettering
from attnviz.render.pen import FRAME, GREY, Pen, house_style
from attnviz.render.views import Heatmap, Scale

if TYPE_CHECKING:
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

COLOURS = 192  # of the map; with white, greys and what is never computed they are a palette of 256
BLANK, NOT_COMPUTED = COLOURS, COLOURS + 1
"""Levels of cells that are not painted, and of cells that the model never computed."""

_FEW_DOTS = 96  # on a side of an image of cells, at least: a viewer that smooths images must not blur them
_LIGHT = 228  # how light the grey of NOT_COMPUTED is

Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Words:
    """One line of text. left, top: of the point that ``across`` and ``up`` are said of; size in points."""

    text: str
    left: float
    top: float
    size: float
    colour: str = GREY
    across: Literal["left", "center", "right"] = "left"
    up: Literal["center", "bottom"] = "center"
    turned: Literal[0, 90] = 0


@dataclass(frozen=True)
class Cells:
    """An image of cells that fills a box.

    levels: ``[rows, columns]``: 0 to 191 on the colour map, or BLANK, or NOT_COMPUTED
    """

    box: Box
    levels: Levels


@dataclass(frozen=True)
class Drawing:
    """What is on one figure; frames are boxes with a line around them."""

    width: float
    height: float
    fonts: Fonts
    cmap: str
    words: tuple[Words, ...]
    frames: tuple[Box, ...]
    cells: tuple[Cells, ...] = field(repr=False)


def palette(cmap: str) -> Colours:
    """The colour of each level: ``[194, 3]``."""
    table = colours(cmap)[np.linspace(0, 255, COLOURS).round().astype(np.intp)]
    return np.concatenate([table, [[255] * 3, [_LIGHT] * 3]]).astype(np.uint8)


def levels(weights: Floats, scale: Scale) -> Levels:
    """The level of each weight; BLANK where it is NaN."""
    places = np.minimum(scale.place(weights) * COLOURS, COLOURS - 1)
    return np.where(np.isnan(weights), BLANK, np.nan_to_num(places)).astype(np.uint8)


def heatmap_levels(heatmap: Heatmap, scale: Scale) -> Levels:
    """The level of each cell of a map: ``[queries, keys]``."""
    painted = levels(np.where(heatmap.painted, heatmap.weights, np.float32(np.nan)), scale)
    return np.where(heatmap.missing, np.uint8(NOT_COMPUTED), painted)


def bar_levels() -> Levels:
    """Of a colour bar, the highest on top: ``[192, 1]``."""
    return np.arange(COLOURS, dtype=np.uint8)[::-1, None]


def vector_figure(drawing: Drawing, dpi: int) -> "Figure":
    """The drawing as a matplotlib figure."""
    pen = _lettered(drawing, dpi)
    axes = pen.axes(Box(0, 0, drawing.width, drawing.height))
    axes.set_axis_off()
    axes.add_collection(_behind(drawing, dpi), autolim=False)
    table = palette(drawing.cmap)
    for cells in drawing.cells:
        box, image = cells.box, table[repeated(cells.levels)]
        extent = (box.left, box.right, drawing.height - box.bottom, drawing.height - box.top)
        axes.imshow(image, interpolation="none", aspect="auto", extent=extent)
    axes.set(xlim=(0, drawing.width), ylim=(0, drawing.height))
    return pen.figure


def words_figure(drawing: Drawing, dpi: int) -> "Figure":
    """The words of a drawing alone, on nothing."""
    figure = _lettered(drawing, dpi).figure
    figure.patch.set_visible(False)
    return figure


def _lettered(drawing: Drawing, dpi: int) -> Pen:
    """A pen on a figure with the words of a drawing."""
    with house_style():
        pen = empty(drawing.width, drawing.height, drawing.fonts, dpi)
        for word in drawing.words:
            write(pen, word)
    return pen


def empty(width: float, height: float, fonts: Fonts, dpi: int) -> Pen:
    """A pen on an empty figure; to be called in the house style, as what draws with it."""
    from matplotlib.figure import Figure

    return Pen(Figure(figsize=(width, height), dpi=dpi, facecolor="white"), Lettering(fonts, 1))


def write(pen: Pen, word: Words) -> None:
    """Words on a figure."""
    look = {"color": word.colour, "ha": word.across, "va": word.up, "rotation": word.turned}
    pen.text(word.left, word.top, word.text, size=word.size, **look)


def _behind(drawing: Drawing, dpi: int) -> "PolyCollection":
    """Boxes in the colour of lines, larger by a dot on each side than the cells that will cover them."""
    from matplotlib.collections import PolyCollection

    dot, top = 1 / dpi, drawing.height
    edges = [
        (box.left - dot, top - box.top + dot, box.right + dot, top - box.bottom - dot)
        for box in drawing.frames
    ]
    corners = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in edges]
    return PolyCollection(corners, facecolors=FRAME, linewidths=0, zorder=-1)


def repeated(cells: Levels) -> Levels:
    """Each cell as many dots, where there are few cells."""
    dots = max(1, _FEW_DOTS // max(cells.shape))
    return cells.repeat(dots, axis=0).repeat(dots, axis=1)

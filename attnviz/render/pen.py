"""What every figure is drawn with: text, images of cells, labels, a colour bar. Lengths are in inches."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Booleans, Floats
from attnviz.render.colours import Colours, bright, levels
from attnviz.render.fonts import HINTING
from attnviz.render.layout import Box, bar_room
from attnviz.render.lettering import LEADING, MARK, Labels, Lettering
from attnviz.render.prose import alternative_text
from attnviz.render.views import Scale, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK, GREY, FRAME = "#1a1a1a", "#5c5c5c", "#b0b0b0"
_DOTS = 1_536  # on a side of an image of cells: so many that no viewer blurs what is a cell
_TICK_PAD = 3  # points
_DOT, _LARGEST_DOT = 0.3, 5.0  # across: of a cell, and points
_STRIPE, _STRIPED = (176, 176, 176, 255), 0.07  # the colour of stripes, and how far apart they are

_HOUSE_STYLE: Any = {
    "pdf.fonttype": 42,  # TrueType: what publishers ask for
    "svg.fonttype": "none",  # text stays text
    "text.hinting": HINTING,
    "svg.hashsalt": "attnviz",
}


@contextmanager
def house_style() -> Iterator[None]:
    """What a figure relies on to be drawn and to be saved, whatever the user's own settings are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_HOUSE_STYLE)
        yield


def figure_bytes(drawn: "Figure", suffix: str, view: View) -> bytes:
    """The figure as a ``.png``, ``.pdf`` or ``.svg`` with its recipe inside: the same bytes every time."""
    file = BytesIO()
    with house_style():
        drawn.savefig(file, format=suffix.removeprefix("."), metadata=_METADATA[suffix](view))
    return _described(file.getvalue(), view) if suffix == ".svg" else file.getvalue()


def pdf_pages(figures: "Sequence[Figure]", view: View) -> bytes:
    """The figures as the pages of one PDF, which says of itself what one of a single page does."""
    from matplotlib.backends.backend_pdf import PdfPages

    file = BytesIO()
    with house_style(), PdfPages(file, metadata=_METADATA[".pdf"](view)) as pages:
        for figure in figures:
            pages.savefig(figure)
    return file.getvalue()


def _described(svg: bytes, view: View) -> bytes:
    """With what can be seen as text, where who cannot see it looks for it: first in the file."""
    start = svg.index(b">", svg.index(b"<svg")) + 1
    told = f"\n <title>{escape(view.title)}</title>\n <desc>{escape(alternative_text(view))}</desc>"
    return svg[:start] + told.encode("ascii", "xmlcharrefreplace") + svg[start:]


def png_texts(view: View) -> dict[str, str]:
    """What a PNG says besides its dots."""
    return {
        "Title": view.title,
        "Description": alternative_text(view),
        "Software": "attnviz",
        "attnviz:recipe": view.recipe_json,
    }


_METADATA: dict[str, Callable[[View], dict[str, Any]]] = {
    ".png": png_texts,
    ".pdf": lambda view: {
        "Title": view.title,
        "Subject": alternative_text(view),
        "Creator": "attnviz",
        "Keywords": view.recipe_json,
        "CreationDate": None,
    },
    ".svg": lambda view: {
        "Title": view.title,
        "Creator": "attnviz",
        "Description": view.recipe_json,
        "Date": None,
    },
}


def painted_where(weights: Floats, scale: Scale, table: Colours) -> Colours:
    """The colour of each weight: ``[rows, columns, 4]``; clear where it is NaN."""
    paint = np.zeros((*weights.shape, 4), np.uint8)
    there = ~np.isnan(weights)
    paint[there, :3] = table[levels(scale.place(weights[there]))]
    paint[there, 3] = 255
    return paint


def _stripes(cells: Booleans, dots: int, period: float) -> Booleans:
    """Where diagonal stripes run through some cells, of an image with so many dots to a cell.

    period: dots from one stripe to the next
    """
    inside = cells.repeat(dots, axis=0).repeat(dots, axis=1)
    rows, columns = np.ogrid[: inside.shape[0], : inside.shape[1]]
    return np.asarray(inside & ((rows + columns) % period < period / 4))


@dataclass(frozen=True)
class Pen:
    """Draws on one figure. Boxes are in inches from its upper left corner."""

    figure: "Figure"
    letters: Lettering

    def bar(self, box: Box, table: Colours, scale: Scale, measured: Sequence[str]) -> None:
        """The colour bar, numbered by the scale, and what it measures, in the first words that have room."""
        axes = self.axes(box)
        axes.imshow(table[:, None], aspect="auto", origin="lower", extent=(0, 1, 0, 1))
        axes.yaxis.tick_right()
        places, numbers = zip(*scale.ticks(), strict=True)
        steps, least = len(places) - 1, self.letters.small_line / box.height
        step = next((step for step in (1, 2, 3) if steps % step == 0 and step / steps >= least), steps)
        self.labels(axes.yaxis, Labels(numbers, step, 0, 0), np.array(places), length=2)
        label = next((words for words in measured if self.letters.widest([words]) <= box.height), "")
        if label:
            right = (
                bar_room(self.letters, scale)
                - self.letters.gap
                - self.letters.bar
                - self.letters.small_line / 2
            )
            self.text(box.right + right, box.top + box.height / 2, label, rotation=90, ha="center")

    def lines(self, lines: Sequence[str], top: float, size: float, colour: str) -> None:
        """Lines of text below each other, from the left edge of the figure."""
        for number, line in enumerate(lines):
            y = top + (number + 0.5) * size * LEADING / 72
            self.text(self.letters.margin, y, line, size=size, color=colour)

    def cells(self, box: Box, paint: Colours, striped: Booleans | None = None) -> "Axes":
        """Axes full of cells, some of them in stripes instead of their colour.

        They are one image: squares of their own would show seams in most viewers of PDF. Each cell is many
        dots of it, so that it stays sharp where a viewer smooths images; of huge maps, one.
        """
        axes = self.axes(box)
        rows, columns = paint.shape[:2]
        dots = max(1, _DOTS // max(rows, columns))
        image = paint.repeat(dots, axis=0).repeat(dots, axis=1)
        if striped is not None and striped.any():
            image[_stripes(striped, dots, _STRIPED * image.shape[1] / box.width)] = _STRIPE
        extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
        axes.imshow(image, interpolation="none", aspect="auto", extent=extent)
        return axes

    def dots(self, axes: "Axes", box: Box, marked: Sequence[tuple[int, int]], paint: Colours) -> None:
        """A dot in some cells (row, column) of a box: black or white, whichever is seen on their colour."""
        if not marked:
            return
        rows, columns = np.array(marked).T
        cell = 72 * min(box.height / paint.shape[0], box.width / paint.shape[1])
        light = bright(paint[rows, columns, :3])
        axes.scatter(
            columns,
            rows,
            s=min(_DOT * cell, _LARGEST_DOT * self.letters.grown) ** 2,
            c=np.where(light, "black", "white"),
            linewidths=0,
        )

    def numbers(self, box: Box, texts: Sequence[Sequence[str]], paint: Colours) -> None:
        """Numbers in all cells of a box, black or white on their colour; none unless all have room."""
        rows, columns = len(texts), len(texts[0])
        wide, high = box.width / columns, box.height / rows
        widest = self.letters.widest(text for row in texts for text in row)
        if widest + self.letters.pad > wide or self.letters.small_line > high:
            return
        for (row, column), light in np.ndenumerate(bright(paint[..., :3])):
            self.text(
                box.left + (column + 0.5) * wide,
                box.top + (row + 0.5) * high,
                texts[row][column],
                ha="center",
                color="black" if light else "white",
            )

    def divisions(self, axes: "Axes", divided: tuple[Sequence[int], Sequence[int]]) -> None:
        """Thin lines before some rows and some columns of cells."""
        for places, line in zip(divided, (axes.axhline, axes.axvline), strict=True):
            for place in places:
                line(place - 0.5, color="white", linewidth=0.5 * self.letters.grown, alpha=0.8)

    def axes(self, box: Box) -> "Axes":
        width, height = self.figure.get_size_inches()
        axes = self.figure.add_axes(
            (box.left / width, 1 - box.bottom / height, box.width / width, box.height / height),
            facecolor="none",
        )
        axes.spines[:].set(color=FRAME, linewidth=0.4 * self.letters.grown)
        axes.set(xticks=[], yticks=[])
        return axes

    def labels(
        self, axis: "Axis", labels: Labels, places: NDArray[np.floating] | range, length: float = 0
    ) -> None:
        """Labels at these places. Where some are left out, marks show which rows the others name."""
        axis.set_ticks(
            places[:: labels.step],
            labels.texts[:: labels.step],
            fontproperties=self.letters.fonts.properties(self.letters.small),
            color=INK,
            parse_math=False,
        )
        axis.set_tick_params(
            length=(length or MARK * (labels.step > 1)) * self.letters.grown,
            width=0.4 * self.letters.grown,
            color=FRAME,
            pad=_TICK_PAD * self.letters.grown,
        )
        if labels.angle:
            for label in axis.get_ticklabels():
                label.set(rotation=labels.angle, rotation_mode="anchor", ha="right", va="center")

    def rule(self, left: float, top: float, width: float, weight: float) -> None:
        """A level line, so many points thick."""
        from matplotlib.lines import Line2D

        wide, high = self.figure.get_size_inches()
        ends = [left / wide, (left + width) / wide]
        line = Line2D(ends, [1 - top / high] * 2, color=INK, linewidth=weight, solid_capstyle="butt")
        self.figure.add_artist(line)

    def fill(self, box: Box, colour: tuple[float, ...], strength: float) -> None:
        """A box in a colour, behind everything else; strength: 0 none of it .. 1 all."""
        from matplotlib.patches import Rectangle

        wide, high = self.figure.get_size_inches()
        corner = (box.left / wide, 1 - box.bottom / high)
        mixed = [1 - strength * (1 - part) for part in colour]
        self.figure.add_artist(
            Rectangle(corner, box.width / wide, box.height / high, facecolor=mixed, linewidth=0, zorder=0)
        )

    def title(self, box: Box, text: str, under: str = "") -> None:
        """A line over a box; under: a small one between it and the box."""
        if under:
            self.text(box.left, box.top - self.letters.pad, under, va="bottom")
        top = box.top - self.letters.pad - (self.letters.small_line if under else 0)
        self.text(box.left, top, text, size=self.letters.size, color=INK, va="bottom")

    def axis_names(self, box: Box, side: tuple[str, float], below: tuple[str, float]) -> None:
        """The names of both axes of a box, each behind the room that its labels take."""
        half = self.letters.small_line / 2
        self.text(box.left - side[1] - half, box.top + box.height / 2, side[0], rotation=90, ha="center")
        self.text(box.left + box.width / 2, box.bottom + below[1] + half, below[0], ha="center")

    def text(self, left: float, top: float, text: str, *, size: float = 0, **look: Any) -> None:
        """One line; small, grey and beginning at a point halfway up its letters, unless told otherwise."""
        width, height = self.figure.get_size_inches()
        properties = self.letters.fonts.properties(size or self.letters.small)
        usual: dict[str, Any] = {"va": "center", "color": GREY, "parse_math": False}
        self.figure.text(left / width, 1 - top / height, text, fontproperties=properties, **usual | look)

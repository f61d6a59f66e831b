"""A page as a matplotlib figure that can go into a paper as it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Floats
from attnviz.recipes import Style
from attnviz.render.colours import Colours, colours, levels
from attnviz.render.fonts import Fonts
from attnviz.render.labels import cut
from attnviz.render.layout import BAR, GAP, MARGIN, Box, Panel, around, bar_room, layout
from attnviz.render.lettering import LABEL_LENGTH, LEADING, PAD, Labels, Lettering
from attnviz.render.mosaic import mosaic, thumbnail_note, thumbnail_size
from attnviz.render.pooling import Room, fitted
from attnviz.render.views import Atlas, Heatmap, Page, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

ROOM = Room(cells=256, pooled=128)
BAR_LABEL = "attention weight"
_DOTS = 1_536  # on a side of an image of cells: so many that no viewer blurs what is a cell
_THUMBNAIL = 32  # cells on a side of the small maps, at most
_INK, _GREY, _FRAME = "#1a1a1a", "#5c5c5c", "#b0b0b0"
_TICK_PAD = 3  # points
_NOT_COMPUTED = np.array([228, 228, 228, 255], np.uint8)

_HOUSE_STYLE: Any = {
    "pdf.fonttype": 42,  # TrueType: what publishers ask for
    "svg.fonttype": "none",  # text stays text
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


def figure(page: Page, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """The page as a figure, and what its maker should be told: characters that no font here can draw.

    Maps of more than 256 queries or keys are pooled. Raises UsageError for a colour map that is not there,
    and for a width that leaves no room.
    """
    from matplotlib.figure import Figure

    page = _annotated(fitted(page, ROOM))
    letters = Lettering(Fonts.for_texts(_texts(page)), style.font_size)
    plan = layout(page, style, letters)
    with house_style():
        drawn = Figure(figsize=(plan.width, plan.height), dpi=style.dpi, facecolor="white")
        pen = _Pen(drawn, letters, colours(page.cmap), page.scale)
        pen.lines(plan.title, MARGIN, letters.title, _INK)
        if page.atlas is not None and plan.atlas is not None:
            pen.atlas(page.atlas, plan.atlas)
        if plan.panels:
            pen.panels(plan.panels)
        pen.bar(plan.bar)
        pen.lines(plan.caption, plan.caption_top, letters.small, _GREY)
    return drawn, letters.fonts.notes


def figure_bytes(drawn: "Figure", suffix: str, page: Page) -> bytes:
    """The figure as a ``.png``, ``.pdf`` or ``.svg`` with its recipe inside: the same bytes every time."""
    file = BytesIO()
    with house_style():
        drawn.savefig(file, format=suffix.removeprefix("."), metadata=_METADATA[suffix](page))
    return file.getvalue()


_METADATA: dict[str, Callable[[Page], dict[str, Any]]] = {
    ".png": lambda page: {"Title": page.title, "Software": "attnviz", "attnviz:recipe": page.recipe_json},
    ".pdf": lambda page: {
        "Title": page.title,
        "Creator": "attnviz",
        "Keywords": page.recipe_json,
        "CreationDate": None,
    },
    ".svg": lambda page: {
        "Title": page.title,
        "Creator": "attnviz",
        "Description": page.recipe_json,
        "Date": None,
    },
}


def painted(heatmap: Heatmap, scale: Scale, table: Colours) -> Colours:
    """The colour of each cell: ``[queries, keys, 4]``; grey if never computed, clear if not to be seen."""
    paint = _painted(np.where(heatmap.painted, heatmap.weights, np.nan), scale, table)
    paint[heatmap.missing] = _NOT_COMPUTED
    return paint


def _painted(weights: Floats, scale: Scale, table: Colours) -> Colours:
    """The same for weights that are NaN where nothing is painted."""
    paint = np.zeros((*weights.shape, 4), np.uint8)
    there = ~np.isnan(weights)
    paint[there, :3] = table[levels(scale.place(weights[there]))]
    paint[there, 3] = 255
    return paint


@dataclass(frozen=True)
class _Pen:
    """Draws on one figure. Boxes are in inches from its upper left corner."""

    figure: "Figure"
    letters: Lettering
    table: Colours
    scale: Scale

    def atlas(self, atlas: Atlas, box: Box) -> None:
        """The small maps of all heads as one sheet, with the numbers of layers and heads."""
        size, gap = _thumbnail(atlas)
        sheet = mosaic(atlas, range(atlas.heads), size, (gap, gap))
        axes = self._cells(box, _painted(sheet, self.scale, self.table))
        axes.spines[:].set_visible(False)
        self._title(box, atlas.title)
        heads = [str(head) for head in range(atlas.heads)]
        rows = self.letters.at_the_side(atlas.layers, box.height / len(atlas.layers))
        columns = self.letters.numbers(heads, box.width / len(heads))
        middles = np.arange(max(len(heads), len(atlas.layers))) * (size + gap) + (size - 1) / 2
        self._labels(axes.yaxis, rows, middles[: len(atlas.layers)])
        self._labels(axes.xaxis, columns, middles[: len(heads)])
        self._axis_names(box, ("layer", rows.room), ("head", columns.room))

    def panels(self, panels: tuple[Panel, ...]) -> None:
        """The labelled maps, and what their rows and columns are, once for all of them."""
        for panel in panels:
            axes = self._cells(panel.box, painted(panel.heatmap, self.scale, self.table))
            self._title(panel.box, panel.title)
            if panel.queries:
                self._labels(axes.yaxis, panel.queries, range(len(panel.queries.texts)))
            if panel.keys:
                self._labels(axes.xaxis, panel.keys, range(len(panel.keys.texts)))
        frame = around([panel.box for panel in panels])
        left = max(panel.queries.room for panel in panels if panel.queries)
        below = max(panel.box.bottom + panel.keys.room for panel in panels if panel.keys) - frame.bottom
        self._axis_names(frame, ("query", left), ("key", below))

    def bar(self, box: Box) -> None:
        """The colour bar, numbered by the page's scale."""
        axes = self._axes(box)
        axes.imshow(self.table[:, None], aspect="auto", origin="lower", extent=(0, 1, 0, 1))
        axes.yaxis.tick_right()
        places, numbers = zip(*self.scale.ticks(), strict=True)
        steps, least = len(places) - 1, self.letters.small_line / box.height
        step = next((step for step in (1, 2, 3) if steps % step == 0 and step / steps >= least), steps)
        self._labels(axes.yaxis, Labels(numbers, step, 0, 0), np.array(places), length=2)
        if self.letters.widest([BAR_LABEL]) <= box.height:
            right = bar_room(self.letters) - GAP - BAR - self.letters.small_line / 2
            self._text(box.right + right, box.top + box.height / 2, BAR_LABEL, rotation=90, ha="center")

    def lines(self, lines: Sequence[str], top: float, size: float, colour: str) -> None:
        """Lines of text below each other, from the left edge of the figure."""
        for number, line in enumerate(lines):
            y = top + (number + 0.5) * size * LEADING / 72
            self._text(MARGIN, y, line, size=size, color=colour)

    def _cells(self, box: Box, paint: Colours) -> "Axes":
        """Axes full of cells.

        They are one image: squares of their own would show seams in most viewers of PDF. Each cell is many
        dots of it, so that it stays sharp where a viewer smooths images; of huge maps, one.
        """
        axes = self._axes(box)
        rows, columns = paint.shape[:2]
        dots = max(1, _DOTS // max(rows, columns))
        image = paint.repeat(dots, axis=0).repeat(dots, axis=1)
        extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
        axes.imshow(image, interpolation="none", aspect="auto", extent=extent)
        return axes

    def _axes(self, box: Box) -> "Axes":
        width, height = self.figure.get_size_inches()
        axes = self.figure.add_axes(
            (box.left / width, 1 - box.bottom / height, box.width / width, box.height / height),
            facecolor="none",
        )
        axes.spines[:].set(color=_FRAME, linewidth=0.4)
        axes.set(xticks=[], yticks=[])
        return axes

    def _labels(
        self, axis: "Axis", labels: Labels, places: NDArray[np.floating] | range, length: float = 0
    ) -> None:
        """Labels at these places. Where some are left out, marks show which rows the others name."""
        axis.set_ticks(
            places[:: labels.step],
            labels.texts[:: labels.step],
            fontproperties=self.letters.fonts.properties(self.letters.small),
            color=_INK,
            parse_math=False,
        )
        axis.set_tick_params(length=length or 2 * (labels.step > 1), width=0.4, color=_FRAME, pad=_TICK_PAD)
        if labels.angle:
            for label in axis.get_ticklabels():
                label.set(rotation=labels.angle, rotation_mode="anchor", ha="right", va="center")

    def _title(self, box: Box, text: str) -> None:
        self._text(box.left, box.top - PAD, text, size=self.letters.size, color=_INK, va="bottom")

    def _axis_names(self, box: Box, side: tuple[str, float], below: tuple[str, float]) -> None:
        """The names of both axes of a box, each behind the room that its labels take."""
        half = self.letters.small_line / 2
        self._text(box.left - side[1] - half, box.top + box.height / 2, side[0], rotation=90, ha="center")
        self._text(box.left + box.width / 2, box.bottom + below[1] + half, below[0], ha="center")

    def _text(self, left: float, top: float, text: str, *, size: float = 0, **look: Any) -> None:
        """One line; small, grey and beginning at a point halfway up its letters, unless told otherwise."""
        width, height = self.figure.get_size_inches()
        properties = self.letters.fonts.properties(size or self.letters.small)
        usual: dict[str, Any] = {"va": "center", "color": _GREY, "parse_math": False}
        self.figure.text(left / width, 1 - top / height, text, fontproperties=properties, **usual | look)


def _thumbnail(atlas: Atlas) -> tuple[int, int]:
    """Cells on a side of the small maps, and between two of them."""
    size = thumbnail_size(atlas, _THUMBNAIL)
    return size, ceil(size / 12)


def _annotated(page: Page) -> Page:
    """With notes on what only the figure does: its marks, and how small its small maps are."""
    notes = list(page.notes)
    if page.atlas is not None:
        small = thumbnail_note(page.atlas, _thumbnail(page.atlas)[0])
        notes += [f"small maps: {small}"] if small else []
    if any(heatmap.missing.any() for heatmap in page.heatmaps):
        notes.append("grey: never computed")
    return replace(page, notes=tuple(notes))


def _texts(page: Page) -> Iterator[str]:
    """Everything written on the page, as far as it will be shown."""
    yield from (page.title, *page.notes, "·…×")
    for heatmap in page.heatmaps:
        yield from (heatmap.title, heatmap.name)
        yield from (cut(label, LABEL_LENGTH) for label in (*heatmap.query_labels, *heatmap.key_labels))
    if page.atlas is not None:
        yield from page.atlas.layers

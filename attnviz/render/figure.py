"""A page as a matplotlib figure that can go into a paper as it is."""

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from attnviz.recipes import Style
from attnviz.render.colours import Colours, colours
from attnviz.render.labels import cut
from attnviz.render.layout import Box, Panel, around, layout
from attnviz.render.lettering import LABEL_LENGTH, Lettering
from attnviz.render.mosaic import mosaic, thumbnail_note, thumbnail_size
from attnviz.render.pen import GREY, INK, Pen, house_style, painted_where
from attnviz.render.pooling import Room, fitted
from attnviz.render.views import SHORTER, Atlas, Heatmap, Page, Scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOM = Room(cells=256, pooled=128)
_THUMBNAIL = 32  # cells on a side of the small maps, at most
_NOT_COMPUTED = np.array([228, 228, 228, 255], np.uint8)


def figure(page: Page, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """The page as a figure, and what its maker should be told: characters that no font here can draw.

    Maps of more than 256 queries or keys are pooled. Raises UsageError for a colour map that is not there,
    and for a width that leaves no room.
    """
    from matplotlib.figure import Figure

    page = annotated(page)
    letters = Lettering.of(style, _texts(page))
    plan = layout(page, style, letters)
    with house_style():
        drawn = Figure(figsize=(plan.width, plan.height), dpi=style.dpi, facecolor="white")
        pen = Pen(drawn, letters)
        pen.lines(plan.title, letters.margin, letters.title, INK)
        if page.atlas is not None and plan.atlas is not None:
            _draw_atlas(pen, page, page.atlas, plan.atlas)
        if plan.panels:
            _draw_panels(pen, page, plan.panels)
        measured = (page.measured, *SHORTER.get(page.measured, ()))
        pen.bar(plan.bar, colours(page.cmap), page.scale, measured)
        pen.lines(plan.caption, plan.caption_top, letters.small, GREY)
    return drawn, letters.fonts.notes


def painted(heatmap: Heatmap, scale: Scale, table: Colours) -> Colours:
    """The colour of each cell: ``[queries, keys, 4]``; grey if never computed, clear if not to be seen."""
    paint = painted_where(np.where(heatmap.painted, heatmap.weights, np.nan), scale, table)
    paint[heatmap.missing] = _NOT_COMPUTED
    return paint


def _draw_atlas(pen: Pen, page: Page, atlas: Atlas, box: Box) -> None:
    """The small maps of all heads as one sheet, with the numbers of layers and heads."""
    size, gap = _thumbnail(atlas)
    sheet = mosaic(atlas, range(atlas.heads), size, (gap, gap))
    axes = pen.cells(box, painted_where(sheet, page.scale, colours(page.cmap)))
    axes.spines[:].set_visible(False)
    pen.title(box, atlas.title)
    heads = [str(head) for head in range(atlas.heads)]
    rows = pen.letters.at_the_side(atlas.layers, box.height / len(atlas.layers))
    columns = pen.letters.numbers(heads, box.width / len(heads))
    middles = np.arange(max(len(heads), len(atlas.layers))) * (size + gap) + (size - 1) / 2
    pen.labels(axes.yaxis, rows, middles[: len(atlas.layers)])
    pen.labels(axes.xaxis, columns, middles[: len(heads)])
    pen.axis_names(box, ("layer", rows.room), ("head", columns.room))


def _draw_panels(pen: Pen, page: Page, panels: tuple[Panel, ...]) -> None:
    """The labelled maps, and what their rows and columns are, once for all of them."""
    for panel in panels:
        paint = painted(panel.heatmap, page.scale, colours(page.cmap))
        striped = panel.heatmap.missing if _striped(page) else None
        if striped is not None:
            paint[striped] = 0
        axes = pen.cells(panel.box, paint, striped)
        pen.divisions(axes, panel.heatmap.divided)
        pen.dots(axes, panel.box, panel.heatmap.marked, paint)
        if page.numbered:
            pen.numbers(panel.box, _numbers(panel.heatmap), paint)
        pen.title(panel.box, panel.title, panel.foot)
        if panel.queries:
            pen.labels(axes.yaxis, panel.queries, range(len(panel.queries.texts)))
        if panel.keys:
            pen.labels(axes.xaxis, panel.keys, range(len(panel.keys.texts)))
    frame = around([panel.box for panel in panels])
    left = max(panel.queries.room for panel in panels if panel.queries)
    below = max(panel.box.bottom + panel.keys.room for panel in panels if panel.keys) - frame.bottom
    rows, columns = (pen.letters.fonts.shown(name) for name in page.axes)
    pen.axis_names(frame, (rows, left), (columns, below))


def _numbers(heatmap: Heatmap) -> list[list[str]]:
    """Of each cell, in two digits; nothing where none is painted."""
    return [
        [f"{weight:.2f}" if there else "" for weight, there in zip(*row, strict=True)]
        for row in zip(heatmap.weights.tolist(), heatmap.painted.tolist(), strict=True)
    ]


def _thumbnail(atlas: Atlas) -> tuple[int, int]:
    """Cells on a side of the small maps, and between two of them."""
    size = thumbnail_size(atlas, _THUMBNAIL)
    return size, ceil(size / 12)


def annotated(page: Page) -> Page:
    """With what only the figure does to it: large maps pooled, how small the small ones are, its marks.

    The page that this makes stays as it is when this is done again.
    """
    page, notes = fitted(page, ROOM), []
    if page.atlas is not None:
        small = thumbnail_note(page.atlas, _thumbnail(page.atlas)[0])
        notes += [f"small maps: {small}"] if small else []
    if any(heatmap.missing.any() for heatmap in page.heatmaps):
        notes.append(f"{'striped' if _striped(page) else 'grey'}: {page.missing}")
    if any(heatmap.marked for heatmap in page.heatmaps):
        notes.append(f"dot: {page.marked}")
    return page.noted(*notes)


def _striped(page: Page) -> bool:
    """Whether cells without a weight are striped: grey is near the colour of a 0 in the middle."""
    return page.scale.kind == "diverging"


def _texts(page: Page) -> Iterator[str]:
    """Everything written on the page, as far as it will be shown."""
    yield from (page.title, *page.notes, *page.axes, "·…×")
    for heatmap in page.heatmaps:
        yield from (heatmap.title, heatmap.name, *heatmap.foot)
        yield from (cut(label, LABEL_LENGTH) for label in (*heatmap.query_labels, *heatmap.key_labels))
    if page.atlas is not None:
        yield from page.atlas.layers

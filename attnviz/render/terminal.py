"""A page as text: colour cells where the terminal has colours, shades of characters where it has none."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby, zip_longest
from math import ceil

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from attnviz.render.header import Header, header
from attnviz.render.ink import DOT, HIDDEN, NOT_COMPUTED, Ink, ink_of, levels_in, levels_of
from attnviz.render.labels import cut, graphemes, placed, width
from attnviz.render.legend import bar_lines
from attnviz.render.mosaic import mosaic, thumbnail_note, thumbnail_size
from attnviz.render.pooling import Room, fitted
from attnviz.render.views import SHORTER, Atlas, Heatmap, Page, Scale

_BOLD, _DIM = Style(bold=True), Style(dim=True)
_THUMBNAIL = range(4, 13)  # cells on a side of the small maps
_TALL = 60  # lines that an overview may take, unless the maps would get too small
_ROWS = 100  # lines that one map may take
_BETWEEN = 3  # columns between two maps side by side
_NARROWEST = 22  # columns of a map beside another, for its title to have room
_MEANING = {"attention weight": ("how much a row looks at a column",)}
Line = list[Segment]


def page(view: Page) -> RenderableType:
    """The page, to be printed on any rich console: it fits itself to the width and the colours it finds."""
    return _Printed(view)


def room(view: Page, columns: int) -> Room:
    """How many cells a map of the page can have in so many columns; what is larger must be pooled."""
    space = columns - _widest_gutter(columns) - 1
    labels = (label for heatmap in view.heatmaps for label in heatmap.key_labels)
    widest = max((width(letter) for label in labels for letter in graphemes(label)), default=1)
    cells, pooled = min(space // max(widest, 1), _ROWS), min(space // 2, _ROWS // 2)
    return Room(cells=max(cells, 1), pooled=max(pooled, 1))


@dataclass(frozen=True)
class _Printed:
    view: Page

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = options.max_width
        beside = _multiples(self.view, columns)
        view = self.view if beside else fitted(self.view, room(self.view, columns))
        paper = _Paper(
            ink=ink_of(console, view.cmap, signed=view.scale.kind == "diverging"),
            scale=view.scale,
            columns=columns,
            gutter=_gutter(view, columns),
            cursor=console.is_terminal and not console.is_dumb_terminal,
        )
        yield _opening(view)
        if view.atlas is not None:
            yield from _block(_atlas_lines(view.atlas, paper), paper)
        for lines in _side_by_side(view, beside, paper) if beside else _stacked(view, paper):
            yield from _block(lines, paper)
        yield from _block(_legend_lines(view, paper), paper)
        for note in view.notes:
            yield Text(note, style=_DIM)


def _opening(view: Page) -> RenderableType:
    """The title, on top of the table where there is one."""
    if view.table is None:
        return Text(view.title, style=_BOLD)
    from attnviz.render.table import table  # most pages have none

    return table(view.table)


@dataclass(frozen=True)
class _Paper:
    """What is drawn on, and with.

    columns: of the terminal
    gutter:  of these, the ones at the left that names of rows are written into, the same for all maps
    cursor:  whether it can be sent to a column
    """

    ink: Ink
    scale: Scale
    columns: int
    gutter: int
    cursor: bool

    @property
    def left(self) -> int:
        """The column that maps begin at."""
        return self.gutter + 1

    @property
    def space(self) -> int:
        """Columns for the maps themselves."""
        return self.columns - self.left

    def beside(self, label: str, cells: Iterable[Segment], style: Style | None = None) -> Line:
        """A line of a map with its name at the left."""
        label = cut(label, self.gutter)
        return [*placed([(self.gutter - width(label), label), (self.left, "")], style), *cells]


@dataclass(frozen=True)
class _Multiples:
    """How maps stand side by side.

    across: how many; wide: columns that each has
    small:  as small maps without labels, two rows of cells to a line
    """

    across: int
    wide: int
    small: bool


def _multiples(view: Page, columns: int) -> _Multiples | None:
    """As labelled maps where two have room, else as small ones; None where not even these have."""
    count = len(view.heatmaps)
    if not view.beside or count < 2:
        return None
    space = columns - _gutter(view, columns) - 1 + _BETWEEN
    keys = max(len(heatmap.key_labels) for heatmap in view.heatmaps)
    most = space // (max(2 * keys, _NARROWEST) + _BETWEEN)
    small = most < 2
    if small:
        most = min(space // (_NARROWEST + _BETWEEN), 2)
    if most < 2:
        return None
    most = min(most, view.across or most, count)
    across = view.across if most == view.across else ceil(count / ceil(count / most))
    return _Multiples(across, space // across - _BETWEEN, small)


def _stacked(view: Page, paper: _Paper) -> Iterator[Iterable[Line]]:
    """Each map below the one before."""
    return (_heatmap_lines(heatmap, paper) for heatmap in view.heatmaps)


def _side_by_side(view: Page, beside: _Multiples, paper: _Paper) -> Iterator[Iterable[Line]]:
    """Rows of maps; the first of each carries the labels of the queries for all of them."""
    for first in range(0, len(view.heatmaps), beside.across):
        some = view.heatmaps[first : first + beside.across]
        yield _small_lines(some, beside, paper) if beside.small else _labelled_lines(some, beside, paper)


def _labelled_lines(heatmaps: Sequence[Heatmap], beside: _Multiples, paper: _Paper) -> Iterator[Line]:
    blocks = []
    for place, heatmap in enumerate(heatmaps):
        left = paper.left + place * (beside.wide + _BETWEEN)
        unnamed = replace(heatmap, query_labels=("",) * len(heatmap.query_labels))
        own = replace(paper, gutter=left - 1, columns=left + beside.wide)
        blocks.append(_heatmap_lines(unnamed if place else heatmap, own))
    for lines in zip_longest(*blocks, fillvalue=[]):
        yield reduce(_continued, lines)


def _continued(line: Line, other: Line) -> Line:
    """Two lines as one: the other begins with blanks where the first one stands."""
    taken = sum(width(part.text) for part in line if not part.control)
    rest = []
    for part in other:
        blank = min(taken, len(part.text)) if not part.control else 0
        rest.append(Segment(part.text[blank:], part.style, part.control))
        taken -= blank
    return [*line, *rest]


def _foot(heatmap: Heatmap, room: int) -> str:
    """What is said beneath a map, in as many words as there is room for."""
    return next((text for text in heatmap.foot if width(text) <= room), "")


def _small_lines(heatmaps: Sequence[Heatmap], beside: _Multiples, paper: _Paper) -> Iterator[Line]:
    atlas = Atlas(("query",), tuple((0, place, heatmap) for place, heatmap in enumerate(heatmaps)))
    size = thumbnail_size(atlas, beside.wide, paper.ink.merged)
    starts = [paper.left + (size + 1) * place for place in range(len(heatmaps))]

    def texts(each: Iterable[str], style: Style) -> Line:
        return list(placed(zip(starts, (cut(text, size) for text in each), strict=True), style))

    yield texts((heatmap.title for heatmap in heatmaps), _BOLD)
    yield from _band(atlas, range(len(heatmaps)), size, paper, atlas.layers)
    yield texts((_foot(heatmap, size) for heatmap in heatmaps), _DIM)
    if note := thumbnail_note(atlas, size, paper.ink.merged):
        yield list(placed([(paper.left, cut(note, paper.space))], _DIM))


def _block(lines: Iterable[Line], paper: _Paper) -> Iterator[Segment]:
    yield Segment.line()
    for line in lines:
        yield from _trimmed([part for part in line if paper.cursor or not part.control])
        yield Segment.line()


def _trimmed(line: Line) -> Line:
    """Without blanks at its end, coloured ones excepted."""
    while line and not line[-1].control and not (line[-1].style and line[-1].style.bgcolor):
        *line, last = line
        if last.text.strip():
            return [*line, Segment(last.text.rstrip(), last.style)]
    return line


def _heatmap_lines(heatmap: Heatmap, paper: _Paper) -> Iterator[Line]:
    """A map with its title, the keys on top, and a line for each query."""
    keys = header(heatmap.key_labels, paper.space, paper.ink.digits)
    yield list(placed([(paper.left, cut(heatmap.title, paper.space))], _BOLD))
    for labels in keys.lines(heatmap.key_labels, paper.left, paper.columns):
        yield list(placed(labels))
    levels = levels_of(heatmap, paper.scale).tolist()
    marked: dict[int, set[int]] = {}
    for query, key in heatmap.marked:
        marked.setdefault(query, set()).add(key)
    rows = zip(heatmap.query_labels, levels, heatmap.weights.tolist(), strict=True)
    for query, (label, row, weights) in enumerate(rows):
        yield paper.beside(label, _cells(row, weights, marked.get(query, set()), keys, paper.ink))
    if heatmap.foot:
        yield list(placed([(paper.left, _foot(heatmap, paper.space))], _DIM))


def _cells(
    levels: list[int], weights: list[float], marked: set[int], keys: Header, ink: Ink
) -> Iterator[Segment]:
    """One row of a map: its weights where they have room, dots on the marked keys."""
    if not marked and not keys.numbered:
        yield from (ink.fill(level, keys.cell * len(list(run))) for level, run in groupby(levels))
        return
    for key, (level, number) in enumerate(zip(levels, weights, strict=True)):
        weight = number if keys.numbered else None
        if key in marked:
            yield ink.marked(level, keys.cell, weight)
        else:
            yield ink.fill(level, keys.cell) if weight is None else ink.number(level, keys.cell, weight)


def _atlas_lines(atlas: Atlas, paper: _Paper) -> Iterator[Line]:
    """A small map of every head, two rows of cells to a line; heads that do not fit beside go below."""
    size, across = _thumbnails(atlas, paper.space, paper.ink.merged)
    title = cut(atlas.title, paper.space)
    note = cut(f"  {thumbnail_note(atlas, size, paper.ink.merged)}", paper.space - width(title))
    yield [*placed([(paper.left, title)], _BOLD), Segment(note, _DIM)]
    for first in range(0, atlas.heads, across):
        if first:
            yield []
        heads = range(first, min(first + across, atlas.heads))
        numbers = [(paper.left + (size + 1) * place, str(head)) for place, head in enumerate(heads)]
        yield list(placed([(max(paper.gutter - 4, 0), "head"), *numbers], _DIM))
        yield from _band(atlas, heads, size, paper, _layer_names(atlas, paper.gutter))


def _band(atlas: Atlas, heads: range, size: int, paper: _Paper, names: Sequence[str]) -> Iterator[Line]:
    """The small maps of some heads; each layer begins with a line of its own, which has its name."""
    gap = paper.ink.gap + (paper.ink.gap + size) % 2
    levels = levels_in(mosaic(atlas, heads, size, (gap, 1)), paper.scale)
    levels = np.pad(levels, ((0, len(levels) % 2), (0, 0)), constant_values=HIDDEN)
    for upper, pair in enumerate(levels.reshape(-1, 2, levels.shape[1])):
        layer, line = divmod(upper, (size + gap) // 2)
        cells = [paper.ink.pair(*levels) for levels in zip(*pair.tolist(), strict=True)]
        yield paper.beside("" if line else names[layer], cells, _DIM)


def _thumbnails(atlas: Atlas, space: int, merged: int) -> tuple[int, int]:
    """Cells on a side of each small map, and how many of them stand side by side."""
    tall = max(2 * _TALL // len(atlas.layers) - 1, _THUMBNAIL.start)
    for bands in range(1, atlas.heads + 1):
        across = ceil(atlas.heads / bands)
        wide = (space + 1) // across - 1
        if wide >= _THUMBNAIL.start:
            break
    return thumbnail_size(atlas, max(min(wide, tall, _THUMBNAIL[-1]), 1), merged), across


def _legend_lines(view: Page, paper: _Paper) -> Iterator[Line]:
    """The colour bar with its numbers, what it measures, and what a mark means that is not on it."""
    measured = (*_MEANING.get(view.measured, ()), view.measured, *SHORTER.get(view.measured, ()))
    yield from bar_lines(view.scale, paper.ink, paper.left, paper.space, measured)
    if any(heatmap.missing.any() for heatmap in view.heatmaps):
        yield paper.beside("", [paper.ink.fill(NOT_COMPUTED, 2), Segment(f" {view.missing}", _DIM)])
    if any(heatmap.marked for heatmap in view.heatmaps):
        yield paper.beside("", [Segment(DOT), Segment(f"  {cut(view.marked, paper.space - 3)}", _DIM)])


def _layer_names(atlas: Atlas, room: int) -> tuple[str, ...]:
    names = tuple(f"layer {name}" for name in atlas.layers)
    return names if max(map(width, names)) <= room else atlas.layers


def _gutter(view: Page, columns: int) -> int:
    labels = [label for heatmap in view.heatmaps for label in heatmap.query_labels]
    most = _widest_gutter(columns)
    if view.atlas is not None:
        labels += ["head", *_layer_names(view.atlas, most)]
    return min(max(map(width, labels), default=0), most)


def _widest_gutter(columns: int) -> int:
    return min(16, columns // 4)

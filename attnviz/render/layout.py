"""Where everything on a figure goes, computed from the sizes of the words before anything is drawn.

Labels stand outside of the maps. So the room that they need is settled first, and what is left of the width
is shared out among the cells. All lengths are in inches, from the upper left corner of the figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isqrt

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.lettering import Labels, Lettering
from attnviz.render.views import Atlas, Heatmap, Page, Scale

PAGE = 7.0  # the width of a page's text: what a figure takes, unless its words need more or its maps less
LARGEST_PAGE = 10.0  # what it may take where labels would be left out else
COLUMN = 3.3  # the width of one of two columns: the least, unless another is asked for
SIDE = 3.2  # of a map alone on its figure
LARGEST_CELL, SMALLEST_CELL = 0.36, 0.002
LARGEST_THUMBNAIL, SMALLEST_THUMBNAIL = 0.6, 0.12
SHORTEST_BAR, TALLEST_BAR = 0.8, 2.4


@dataclass(frozen=True)
class Box:
    """A rectangle on the figure."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True)
class Panel:
    """One map: where its cells are, and the labels it carries; None where a neighbour carries the same.

    foot: what is said of it besides its title
    """

    heatmap: Heatmap
    box: Box
    title: str
    foot: str
    queries: Labels | None
    keys: Labels | None


@dataclass(frozen=True)
class Layout:
    """A figure before it is drawn.

    title, caption: their lines
    """

    width: float
    height: float
    title: list[str]
    title_top: float
    atlas: Box | None
    panels: tuple[Panel, ...]
    bar: Box
    caption: list[str]
    caption_top: float


def layout(page: Page, style: Style, letters: Lettering) -> Layout:
    """Everything in its place.

    Raises UsageError if the width asked for leaves no room for cells.
    """
    fonts, grid = letters.fonts, Grid(page.heatmaps, letters, page.across)
    sizes = _sizes(page, grid, style.width)
    text = sizes.width - 2 * letters.margin
    title = fonts.wrapped(fonts.shown(page.title), letters.title, text)
    caption = fonts.wrapped(fonts.shown(" · ".join(page.notes)), letters.small, text)
    top = letters.margin + len(title) * letters.title_line + (letters.gap / 2 if title else 0)
    atlas = _atlas_box(page.atlas, sizes, top + letters.line + letters.pad) if page.atlas else None
    below = top if atlas is None or sizes.beside else atlas.bottom + _atlas_foot(letters) + letters.gap
    panels = grid.panels(sizes.maps, below, sizes.cell) if page.heatmaps else ()
    bar = _bar(around([panel.box for panel in panels] or [box for box in (atlas,) if box]), letters)
    feet = [bar.bottom + letters.small_line / 2]
    feet += [panel.box.bottom + panel.keys.room + letters.small_line for panel in panels if panel.keys]
    feet += [atlas.bottom + _atlas_foot(letters)] if atlas else []
    caption_top = max(feet) + (letters.gap / 2 if caption else 0)
    return Layout(
        width=sizes.width,
        height=caption_top + len(caption) * letters.small_line + letters.margin,
        title=title,
        title_top=letters.margin,
        atlas=atlas,
        panels=panels,
        bar=bar,
        caption=caption,
        caption_top=caption_top,
    )


@dataclass(frozen=True)
class Grid:
    """The labelled maps as small multiples, with square cells of one size; not placed yet.

    across: so many of them stand side by side; None for as many as look well
    """

    heatmaps: tuple[Heatmap, ...]
    letters: Lettering
    across: int | None = None

    @cached_property
    def columns(self) -> int:
        """Near a square, rather broad than tall, and with few places left empty."""
        if self.across is not None:
            return self.across
        count = len(self.heatmaps)
        candidates = range(isqrt(count - 1) + 1, isqrt(2 * count - 1) + 2)
        return min(candidates, key=lambda columns: (-count % columns, -columns))

    @cached_property
    def shared(self) -> bool:
        """All have the same labels, so that only the outer ones need carry them."""
        return len({(heatmap.query_labels, heatmap.key_labels) for heatmap in self.heatmaps}) == 1

    @cached_property
    def queries(self) -> int:
        return max(len(heatmap.query_labels) for heatmap in self.heatmaps)

    @cached_property
    def keys(self) -> int:
        return max(len(heatmap.key_labels) for heatmap in self.heatmaps)

    @cached_property
    def left(self) -> float:
        """Room for the labels of the queries, and for the name of their axis; 0 with no maps."""
        if not self.heatmaps:
            return 0
        labels = {label for heatmap in self.heatmaps for label in heatmap.query_labels}
        return self.letters.widest(self.letters.labels(labels)) + self.letters.pad + self.letters.small_line

    @property
    def foot(self) -> float:
        """Room for what is said of a map beside its title."""
        return self.letters.small_line if any(heatmap.foot for heatmap in self.heatmaps) else 0

    @property
    def between(self) -> float:
        return self.letters.gap if self.shared else self.letters.gap + self.left

    def width(self, cell: float) -> float:
        """Of all maps together, without the room at their left."""
        return self.columns * self.keys * cell + (self.columns - 1) * self.between

    def cell(self, width: float) -> float:
        """That makes them so wide."""
        return (width - (self.columns - 1) * self.between) / (self.columns * self.keys)

    def usual_cell(self, room: float) -> float:
        """As large as is pleasant; where that is too small for a label, as large as the page allows.

        The page becomes a larger one if every label then finds its place.
        """
        label, most = self.letters.small_line, max(self.cell(room), SMALLEST_CELL)
        grown = self.letters.grown
        cell = min(SIDE * grown / max(self.queries, self.keys), LARGEST_CELL * grown, most)
        if cell >= label:
            return cell
        return label if label <= self.cell(room + (LARGEST_PAGE - PAGE) * grown) else most

    def panels(self, left: float, top: float, cell: float) -> tuple[Panel, ...]:
        """The maps. left: of the cells; top: of the first titles."""
        keys = [self.letters.below(heatmap.key_labels, cell, left) for heatmap in self.heatmaps]
        rise = self.letters.line + self.letters.pad + self.foot
        across = self.keys * cell + self.between
        down = (
            rise
            + self.queries * cell
            + (self.letters.gap / 2 if self.shared else max(label.room for label in keys) + self.letters.gap)
        )
        panels = []
        for place, heatmap in enumerate(self.heatmaps):
            row, column = divmod(place, self.columns)
            size = (len(heatmap.key_labels) * cell, len(heatmap.query_labels) * cell)
            box = Box(left + column * across, top + rise + row * down, *size)
            outer = column == 0, place + self.columns >= len(self.heatmaps)
            queries = self.letters.at_the_side(heatmap.query_labels, cell)
            panels.append(
                Panel(
                    heatmap,
                    box,
                    self._title(heatmap, across),
                    self._fitting(heatmap.foot, self.letters.small, across),
                    queries if outer[0] or not self.shared else None,
                    keys[place] if outer[1] or not self.shared else None,
                )
            )
        return tuple(panels)

    def _title(self, heatmap: Heatmap, room: float) -> str:
        """The title; if there is no room for it beside the next one, the map's name, or its beginning."""
        if self.columns == 1:
            return self.letters.fonts.shown(heatmap.title)
        beginnings = (f"{heatmap.title[:end]}…" for end in range(len(heatmap.title) - 1, 0, -1))
        return self._fitting((heatmap.title, heatmap.name, *beginnings), self.letters.size, room)

    def _fitting(self, texts: Iterable[str], size: float, room: float) -> str:
        """The first text that has room, or nothing."""
        fonts = self.letters.fonts
        shown = (fonts.shown(text) for text in texts)
        return next((text for text in shown if fonts.width(text, size) + self.letters.pad <= room), "")


@dataclass(frozen=True)
class _Sizes:
    """What is settled before heights are known.

    cell:        side of a cell of the labelled maps
    thumbnail:   from one small map of the atlas to the next
    atlas, maps: where their cells begin at the left
    beside:      whether the labelled map stands beside the atlas, as high as it; else below it
    """

    width: float
    cell: float
    thumbnail: float
    atlas: float
    maps: float
    beside: bool = False


def _sizes(page: Page, grid: Grid, asked: float | None) -> _Sizes:
    bar = bar_room(grid.letters, page.scale)
    sizes = _beside(page.atlas, grid, asked, bar) if page.atlas else None
    sizes = sizes or _stacked(page.atlas, grid, asked, bar)
    if min(sizes.cell, sizes.thumbnail) < SMALLEST_CELL:
        raise UsageError(f"a figure {asked:g} inches wide has no room for its cells beside their labels")
    return sizes


def _stacked(atlas: Atlas | None, grid: Grid, asked: float | None, bar: float) -> _Sizes:
    """One below the other, their cells beginning at the same place."""
    left = grid.letters.margin + max(grid.left, _atlas_left(atlas, grid.letters))
    right, grown = bar + grid.letters.margin, grid.letters.grown
    room = (asked or PAGE * grown) - left - right
    thumbnail = min(room / atlas.heads, LARGEST_THUMBNAIL * grown) if atlas else LARGEST_THUMBNAIL
    cell = LARGEST_CELL
    if grid.heatmaps:
        cell = grid.cell(room) if asked and not atlas else grid.usual_cell(room)
    used = max(grid.width(cell) if grid.heatmaps else 0, thumbnail * atlas.heads if atlas else 0)
    return _Sizes(asked or max(left + used + right, COLUMN * grown), cell, thumbnail, left, left)


def _beside(atlas: Atlas, grid: Grid, asked: float | None, bar: float) -> _Sizes | None:
    """The atlas and one labelled map side by side, if that leaves room for every label."""
    if len(grid.heatmaps) != 1:
        return None
    left = grid.letters.margin + _atlas_left(atlas, grid.letters)
    between, right = 2 * grid.letters.gap + grid.left, bar + grid.letters.margin
    layers = len(atlas.layers)
    grown = grid.letters.grown
    room = (asked or PAGE * grown) - left - between - right
    largest = grid.queries * LARGEST_CELL * grown
    height = min(room / (atlas.heads / layers + grid.keys / grid.queries), largest)
    cell, thumbnail = height / grid.queries, height / layers
    if cell < grid.letters.small_line or thumbnail < SMALLEST_THUMBNAIL:
        return None
    maps = left + atlas.heads * thumbnail + between
    return _Sizes(asked or maps + grid.keys * cell + right, cell, thumbnail, left, maps, beside=True)


def _atlas_box(atlas: Atlas, sizes: _Sizes, top: float) -> Box:
    return Box(sizes.atlas, top, atlas.heads * sizes.thumbnail, len(atlas.layers) * sizes.thumbnail)


def _atlas_left(atlas: Atlas | None, letters: Lettering) -> float:
    return letters.widest(atlas.layers) + letters.pad + letters.small_line if atlas else 0


def _atlas_foot(letters: Lettering) -> float:
    """Room for the numbers of the heads, and for the name of that axis."""
    return 2 * letters.small_line + letters.pad


def bar_room(letters: Lettering, scale: Scale) -> float:
    """Room at the right for the colour bar with its numbers and its name."""
    numbers = ["0.75", *(number for _, number in scale.ticks())]
    return (
        letters.gap + letters.bar + letters.pad + letters.widest(numbers) + letters.pad + letters.small_line
    )


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box around some, in their order from the upper left on."""
    left, top = boxes[0].left, boxes[0].top
    return Box(left, top, max(box.right for box in boxes) - left, max(box.bottom for box in boxes) - top)


def _bar(frame: Box, letters: Lettering) -> Box:
    height = min(max(frame.height, SHORTEST_BAR * letters.grown), TALLEST_BAR * letters.grown)
    return Box(frame.right + letters.gap, frame.top, letters.bar, height)

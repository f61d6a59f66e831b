"""An atlas as a picture of its own: the map of every head under its name, large enough to be read.

The ink of a map is that of ``Heatmap``; queries go downwards and keys to the right, and the numbers at the
left and below say where in the sequence they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.drawing import Cells, Drawing, Levels, Words, bar_levels, heatmap_levels
from attnviz.render.layout import PAGE, TALLEST_BAR, Box, bar_room
from attnviz.render.lettering import LEADING, Lettering
from attnviz.render.pen import GREY, INK
from attnviz.render.pooling import group_size, pooled, several
from attnviz.render.views import Atlas, Heatmap, Page

_MOST = 256  # cells on a side of a map
_PRINTED = 300  # dots an inch
_TALL = 1.25  # of what a page of an atlas is wide, for its maps
_SMALLEST = 0.05  # inches: of a map
_FEWEST_NUMBERS = 2  # along an axis: fewer say nothing


def atlas_drawing(page: Page, atlas: Atlas, style: Style, *, vector: bool = False) -> Drawing:
    """The picture of a page with an atlas and nothing else.

    Maps with more tokens than dots are pooled, and the caption says so; vector: the dots are those of print
    (300 an inch), unless the style has more. Raises UsageError for a width that leaves no room for the maps.
    """
    page = annotated(page, style, vector=vector)
    plan = _Plan(page, atlas, style, Lettering.of(style, _texts(page, atlas)), vector)
    return Drawing(
        plan.width,
        plan.height,
        plan.letters.fonts,
        page.cmap,
        words=tuple(plan.words()),
        frames=(*plan.boxes, plan.bar),
        cells=tuple(plan.cells()),
    )


def parts(page: Page, atlas: Atlas, style: Style) -> list[Page]:
    """The page cut between layers into pages that are no taller than paper is."""
    plan = _Plan(page, atlas, style, Lettering.of(style, _texts(page, atlas)))
    rows = max(int(plan.width * _TALL / plan.down), 1)
    return [
        replace(page, atlas=_rows(atlas, range(first, first + rows)))
        for first in range(0, len(atlas.layers), rows)
    ]


def _rows(atlas: Atlas, rows: range) -> Atlas:
    """These rows of an atlas alone."""
    maps = tuple((row - rows.start, head, heatmap) for row, head, heatmap in atlas.maps if row in rows)
    return Atlas(atlas.layers[rows.start : rows.stop], maps)


def annotated(page: Page, style: Style, *, vector: bool = False) -> Page:
    """With a note on what only the picture does: pooling."""
    if page.atlas is None:
        return page
    plan = _Plan(page, page.atlas, style, Lettering.of(style, _texts(page, page.atlas)), vector)
    return page.noted(*plan.pooling())


def _texts(page: Page, atlas: Atlas) -> tuple[str, ...]:
    return (page.title, page.measured, *page.notes, *atlas.layers, "·×…0123456789")


@dataclass(frozen=True)
class _Plan:
    """Where everything goes. Boxes begin and end at whole dots, so that vectors and dots are one picture."""

    page: Page
    atlas: Atlas
    style: Style
    letters: Lettering
    vector: bool = False

    def dots(self, inches: float) -> float:
        """The length in whole dots."""
        return round(inches * self.style.dpi) / self.style.dpi

    @cached_property
    def width(self) -> float:
        return self.style.width or PAGE * self.letters.grown

    @cached_property
    def left(self) -> float:
        """Of the first map: behind the numbers of its queries and the name of their axis."""
        return self.dots(
            self.letters.margin + self.letters.small_line + self.letters.widest(["000"]) + self.letters.pad
        )

    @cached_property
    def gap(self) -> float:
        """Between neighbours."""
        return self.dots(min(self.letters.gap / 2, 0.1 * self.width / self.atlas.heads))

    @cached_property
    def side(self) -> float:
        """Of a map."""
        heads = self.atlas.heads
        room = (
            self.width
            - self.left
            - bar_room(self.letters, self.page.scale)
            - self.letters.margin
            - (heads - 1) * self.gap
        )
        side = int(room / heads * self.style.dpi) / self.style.dpi
        if side < _SMALLEST:
            raise UsageError(
                f"a figure {self.width:g} inches wide has no room for {heads} maps beside each other: "
                "choose heads with -H, or a larger --width"
            )
        return side

    @cached_property
    def named(self) -> bool:
        """Whether there is room for its name over each map; else layers and heads are numbered outside."""
        names = [heatmap.name for _, _, heatmap in self.atlas.maps]
        return self.letters.widest(names) <= self.side

    @cached_property
    def title(self) -> list[str]:
        return self._wrapped(self.page.title, self.letters.title)

    @cached_property
    def caption(self) -> list[str]:
        return self._wrapped(" · ".join(self.page.notes), self.letters.small)

    @cached_property
    def above(self) -> float:
        """Room for a name over a map."""
        return self.dots(self.letters.small_line + self.letters.pad / 2) if self.named else 0

    @cached_property
    def top(self) -> float:
        """Of the first map."""
        title = len(self.title) * self.letters.title_line + (self.letters.gap / 2 if self.title else 0)
        return self.dots(self.letters.margin + title + self.above)

    @cached_property
    def down(self) -> float:
        """From one layer to the next."""
        return self.side + self.gap + self.above

    @cached_property
    def bottom(self) -> float:
        """Of the last map."""
        return self.top + (len(self.atlas.layers) - 1) * self.down + self.side

    @cached_property
    def lines_below(self) -> int:
        """The maps: the name of the axis, and numbers where these have room."""
        return 1 if self.named and not any(self._key_numbers()) else 2

    @cached_property
    def caption_top(self) -> float:
        return (
            self.bottom
            + self.lines_below * self.letters.small_line
            + self.letters.pad
            + (self.letters.gap / 2 if self.caption else 0)
        )

    @cached_property
    def height(self) -> float:
        return self.dots(self.caption_top + len(self.caption) * self.letters.small_line + self.letters.margin)

    @cached_property
    def boxes(self) -> list[Box]:
        """Of the maps, in their order."""
        across = self.side + self.gap
        return [
            Box(self.left + head * across, self.top + row * self.down, self.side, self.side)
            for row, head, _ in self.atlas.maps
        ]

    @cached_property
    def right(self) -> float:
        """Of the maps."""
        return self.left + self.atlas.heads * (self.side + self.gap) - self.gap

    @cached_property
    def bar(self) -> Box:
        height = min(self.bottom - self.top, max(TALLEST_BAR * self.letters.grown, self.width / 4))
        return Box(
            self.right + self.dots(self.letters.gap), self.top, self.dots(self.letters.bar), self.dots(height)
        )

    @cached_property
    def most(self) -> int:
        """Cells on a side of a map, at most as many as there are dots."""
        dpi = max(self.style.dpi, _PRINTED) if self.vector else self.style.dpi
        return min(_MOST, int(self.side * dpi))

    def cells(self) -> Iterator[Cells]:
        for (_, _, heatmap), box in zip(self.atlas.maps, self.boxes, strict=True):
            yield Cells(box, self._levels(heatmap))
        yield Cells(self.bar, bar_levels())

    def words(self) -> Iterator[Words]:
        yield from self._lines(self.title, self.letters.margin, self.letters.title, INK)
        if self.named:
            yield from self._names()
            yield from self._query_numbers()
            yield from self._key_numbers()
            yield from self._axis_names(*self.page.axes)
        else:
            yield from self._edges()
            yield from self._axis_names("layer", "head")
        yield from self._bar_words()
        yield from self._lines(self.caption, self.caption_top, self.letters.small, GREY)

    def _wrapped(self, text: str, points: float) -> list[str]:
        fonts = self.letters.fonts
        return fonts.wrapped(fonts.shown(text), points, self.width - 2 * self.letters.margin)

    def _lines(self, lines: Sequence[str], top: float, points: float, colour: str) -> Iterator[Words]:
        line = points * LEADING / 72
        for number, text in enumerate(lines):
            yield self._at(text, self.letters.margin, top + (number + 0.5) * line, size=points, colour=colour)

    def _at(self, text: str, left: float, top: float, *, size: float = 0, **look: object) -> Words:
        """Small words, unless told otherwise, beginning at a whole dot."""
        return Words(text, self.dots(left), self.dots(top), size or self.letters.small, **look)  # type: ignore[arg-type]

    def _names(self) -> Iterator[Words]:
        for (_, _, heatmap), box in zip(self.atlas.maps, self.boxes, strict=True):
            middle = box.top - self.letters.pad / 4 - self.letters.small_line / 2
            name = self.letters.fonts.shown(heatmap.name)
            yield self._at(name, box.left + box.width / 2, middle, colour=INK, across="center")

    def _query_numbers(self) -> Iterator[Words]:
        """At the left of each layer."""
        first = {row: (heatmap, box) for row, _, heatmap, box in reversed(self._placed())}
        for heatmap, box in first.values():
            cell = box.height / len(heatmap.query_labels)
            for place, number in _spaced(heatmap.query_positions, cell, 1.5 * self.letters.small_line):
                top = box.top + (place + 0.5) * cell
                yield self._at(number, self.left - self.letters.pad, top, across="right")

    def _key_numbers(self) -> Iterator[Words]:
        """Below each head."""
        last = {head: (heatmap, box) for _, head, heatmap, box in self._placed()}
        for heatmap, box in last.values():
            cell = box.width / len(heatmap.key_labels)
            for place, number in _spaced(heatmap.key_positions, cell, 1.5 * self.letters.widest(["000"])):
                left = box.left + (place + 0.5) * cell
                if left + self.letters.widest([number]) / 2 > box.right:
                    continue  # it would reach the next map's first
                yield self._at(
                    number, left, box.bottom + self.letters.pad + self.letters.small_line / 2, across="center"
                )

    def _placed(self) -> list[tuple[int, int, Heatmap, Box]]:
        return [(*entry, box) for entry, box in zip(self.atlas.maps, self.boxes, strict=True)]

    def _edges(self) -> Iterator[Words]:
        """The numbers of the layers at the left, and of the heads below."""
        layers = self.letters.at_the_side(self.atlas.layers, self.down)
        for row in range(0, len(self.atlas.layers), layers.step):
            top = self.top + row * self.down + self.side / 2
            yield self._at(layers.texts[row], self.left - self.letters.pad, top, across="right")
        across = self.side + self.gap
        heads = self.letters.numbers([str(head) for head in range(self.atlas.heads)], across)
        for head in range(0, self.atlas.heads, heads.step):
            left = self.left + head * across + self.side / 2
            top = self.bottom + self.letters.pad + self.letters.small_line / 2
            yield self._at(heads.texts[head], left, top, across="center")

    def _axis_names(self, side: str, below: str) -> Iterator[Words]:
        half = self.letters.small_line / 2
        middle = (self.top + self.bottom) / 2
        yield self._at(side, self.letters.margin + half, middle, across="center", turned=90)
        under = self.bottom + self.letters.pad + (2 * self.lines_below - 1) * half
        yield self._at(below, (self.left + self.right) / 2, under, across="center")

    def _bar_words(self) -> Iterator[Words]:
        ticks = self.page.scale.ticks()
        places = range(0, len(ticks), 1 if self.bar.height > 5 * self.letters.small_line else len(ticks) - 1)
        for place, number in (ticks[index] for index in places):
            top = self.bar.bottom - place * self.bar.height
            yield self._at(number, self.bar.right + self.letters.pad, top)
        if self.letters.widest([self.page.measured]) <= self.bar.height:
            left = (
                self.bar.right
                + bar_room(self.letters, self.page.scale)
                - self.letters.gap
                - self.letters.bar
                - self.letters.small_line / 2
            )
            middle = self.bar.top + self.bar.height / 2
            yield self._at(self.page.measured, left, middle, across="center", turned=90)

    def _levels(self, heatmap: Heatmap) -> Levels:
        """Of whole groups of tokens: half a token more would dim what looks at one alone."""
        return heatmap_levels(pooled(heatmap, self.most), self.page.scale)

    def pooling(self) -> Iterator[str]:
        longest = max((max(heatmap.weights.shape) for _, _, heatmap in self.atlas.maps), default=1)
        if longest > self.most:
            unit = several(self.atlas.maps[0][2].unit)
            group = group_size(longest, self.most)
            yield f"pooled: {group} {unit} to a cell (mean over queries, sum over keys)"


def _spaced(positions: Sequence[int], cell: float, least: float) -> Iterator[tuple[int, str]]:
    """Places of which the numbers are shown, in even and round steps; none where there is too little room."""
    step = next(
        (step * 10**power for power in range(7) for step in (1, 2, 5) if step * 10**power * cell >= least),
        len(positions),
    )
    chosen = range(0, len(positions), step)
    if len(chosen) >= min(_FEWEST_NUMBERS, len(positions)):
        yield from ((place, str(positions[place])) for place in chosen)

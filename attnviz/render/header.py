"""The keys on top of a map, in as few columns as it has: side by side, spread over lines, or upright."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from attnviz.render.ink import DIGITS
from attnviz.render.labels import cut, graphemes, width

_LONGEST = 14  # columns: what is longer is cut
_HIGHEST = 11  # letters of a label that stands upright
_AROUND = (2, 1)  # columns of a cell beside the weight in it: the first is better, the second will do
_BROAD = 8  # a cell wider than that is no longer seen as one
Line = list[tuple[int, str]]  # labels with the column that each begins at


@dataclass(frozen=True)
class Header:
    """How the keys stand on top of a map.

    cell:   columns of one cell of the map
    steps: lines over which the labels are spread in turn, so that each has room beside it; 0: they stand
           upright, a letter a line
    digits: columns that a weight takes
    """

    cell: int
    steps: int
    digits: int = DIGITS

    @property
    def numbered(self) -> bool:
        """Whether the cells have room for their weights."""
        return self.cell >= self.digits + min(_AROUND)

    def lines(self, labels: tuple[str, ...], left: int, columns: int) -> Iterator[Line]:
        """The labels line by line, for a map that begins at the column ``left`` of so many."""
        if self.steps == 0:
            yield from self._upright(labels, left)
        for step in range(self.steps):
            yield list(self._spread(labels, step, left, columns))

    def _upright(self, labels: tuple[str, ...], left: int) -> Iterator[Line]:
        columns = [
            (left + key * self.cell + (self.cell - 1) // 2, _letters(label))
            for key, label in enumerate(labels)
        ]
        height = max(len(letters) for _, letters in columns)
        for below in range(height, 0, -1):
            yield [
                (column, letters[-below] if width(letters[-below]) <= self.cell else "·")
                for column, letters in columns
                if below <= len(letters)
            ]

    def _spread(
        self, labels: tuple[str, ...], step: int, left: int, columns: int
    ) -> Iterator[tuple[int, str]]:
        end = 0
        for key in range(step, len(labels), self.steps):
            label = cut(labels[key], self.cell * self.steps - 1)
            middle = left + key * self.cell + (self.cell - width(label)) // 2
            start = max(end, min(middle, columns - width(label)))
            label = cut(label, columns - start)
            yield start, label
            end = start + width(label) + 1


def header(labels: tuple[str, ...], space: int, digits: int = DIGITS) -> Header:
    """The best of the ways in which the keys fit into so many columns.

    digits: columns that a weight takes
    """
    numbered = [digits + around for around in _AROUND]
    most = space // len(labels)
    longest = min(max(map(width, labels)), _LONGEST)
    for steps, limit in ((1, _BROAD), (2, most), (3, most)):
        for least in numbered:
            cell = max(least, ceil((longest + 1) / steps))
            if cell <= min(most, limit):
                return Header(cell, steps, digits)
    return Header(next((cell for cell in (*numbered, 2) if cell <= most), 1), 0, digits)


def _letters(label: str) -> list[str]:
    letters = graphemes(label)
    return letters if len(letters) <= _HIGHEST else [*letters[: _HIGHEST - 1], "…"]

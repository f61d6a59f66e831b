"""What a terminal can paint a cell with: its colours, or where it has none, shades made of characters."""

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from attnviz.captures import Floats
from attnviz.render.colours import bright, colours, in_256, levels
from attnviz.render.views import Heatmap, Scale

HIDDEN, NOT_COMPUTED = -1, -2  # levels of cells that no colour belongs to
DIGITS, SIGNED_DIGITS = 3, 4  # columns that a weight takes: ".42", "+.42"
DOT = "●"  # in a marked cell
_DIM = Style(dim=True)


class Ink(Protocol):
    """Paints cells by their level: 0 to 255, or HIDDEN, or NOT_COMPUTED.

    gap:    half lines that must be left empty between two small maps for them to look apart
    merged: cells of a pair, one above the other, that are seen as one: their mean
    digits: columns that a weight takes
    """

    gap: int
    merged: int

    @property
    def digits(self) -> int: ...

    def fill(self, level: int, columns: int) -> Segment:
        """So many columns of one level."""
        ...

    def number(self, level: int, columns: int, weight: float) -> Segment:
        """A cell with its weight in two digits: at least one column more than these take."""
        ...

    def text(self, level: int, columns: int, text: str) -> Segment:
        """A cell with a few characters in it, fewer than its columns."""
        ...

    def marked(self, level: int, columns: int, weight: float | None) -> Segment:
        """A cell with a dot in it, and its weight where it has room for that."""
        ...

    def pair(self, upper: int, lower: int) -> Segment:
        """Two cells, one above the other, in one column of one line."""
        ...


def ink_of(console: Console, cmap: str, *, signed: bool = False) -> Ink:
    """The best ink that the console has. Its 16 colours are the user's: no map can be made of those.

    signed: the middle of the colours is 0, and weights are written with their signs
    """
    if console.no_color or console.color_system not in ("truecolor", "256"):
        return Marks() if signed else Shades()
    return ColourInk(cmap, few=console.color_system == "256", signed=signed)


def levels_of(heatmap: Heatmap, scale: Scale) -> NDArray[np.intp]:
    """The level of each cell: ``[queries, keys]``."""
    painted = levels(scale.place(heatmap.weights))
    return np.where(heatmap.painted, painted, np.where(heatmap.visible, NOT_COMPUTED, HIDDEN))


def levels_in(weights: Floats, scale: Scale) -> NDArray[np.intp]:
    """The same for weights that are NaN where nothing is painted."""
    return np.where(np.isnan(weights), HIDDEN, levels(scale.place(weights)))


class ColourInk:
    """Cells in the colours of a colour map, with text in black or white, whichever reads better.

    few:    the terminal has only the 256 fixed colours; each is then replaced by the nearest
    signed: weights have signs
    """

    gap = 1
    merged = 1

    def __init__(self, cmap: str, *, few: bool, signed: bool = False) -> None:
        self._number = signed_digits if signed else two_digits
        self.digits = SIGNED_DIGITS if signed else DIGITS
        table = colours(cmap)
        if few:
            self._colours = [Color.from_ansi(number) for number in in_256(table).tolist()]
        else:
            self._colours = [Color.from_rgb(*colour) for colour in table.tolist()]
        texts = [
            Color.from_rgb(0, 0, 0) if light else Color.from_rgb(255, 255, 255) for light in bright(table)
        ]
        self._styles = [
            Style(color=text, bgcolor=colour) for text, colour in zip(texts, self._colours, strict=True)
        ]
        self._painted_pair = lru_cache(maxsize=None)(self._paint_pair)

    def fill(self, level: int, columns: int) -> Segment:
        return _unpainted(level, columns) if level < 0 else Segment(" " * columns, self._styles[level])

    def number(self, level: int, columns: int, weight: float) -> Segment:
        return self.text(level, columns, self._number(weight))

    def text(self, level: int, columns: int, text: str) -> Segment:
        if level < 0:
            return _unpainted(level, columns)
        return Segment(f"{text:^{columns}}", self._styles[level])

    def marked(self, level: int, columns: int, weight: float | None) -> Segment:
        return self.text(level, columns, DOT + ("" if weight is None else self._number(weight)))

    def pair(self, upper: int, lower: int) -> Segment:
        return self._painted_pair(upper, lower)

    def _paint_pair(self, upper: int, lower: int) -> Segment:
        if upper < 0 and lower < 0:
            return Segment(" ")
        if upper < 0:
            return Segment("▄", Style(color=self._colours[lower]))
        background = self._colours[lower] if lower >= 0 else None
        return Segment("▀", Style(color=self._colours[upper], bgcolor=background))


class Shades:
    """Cells as characters with more or less ink, for pipes, paper and terminals without colour."""

    gap = 2
    merged = 2
    digits = DIGITS
    ramp = "·░▒▓█"

    def fill(self, level: int, columns: int) -> Segment:
        return _unpainted(level, columns) if level < 0 else Segment(self._shade(level) * columns)

    def number(self, level: int, columns: int, weight: float) -> Segment:
        return self.text(level, columns, two_digits(weight))

    def text(self, level: int, columns: int, text: str) -> Segment:
        if level < 0:
            return _unpainted(level, columns)
        return Segment(f"{self._shade(level)}{text:<{columns - 1}}")

    def marked(self, level: int, columns: int, weight: float | None) -> Segment:
        if level < 0:
            return _unpainted(level, columns)
        return Segment(f"{DOT}{'' if weight is None else two_digits(weight):<{columns - 1}}")

    def pair(self, upper: int, lower: int) -> Segment:
        painted = [level for level in (upper, lower) if level >= 0]
        return Segment(self._shade(sum(painted) // len(painted)) if painted else " ")

    def _shade(self, level: int) -> str:
        return self.ramp[level * len(self.ramp) // 256]


class Marks(Shades):
    """The same for what may be below 0: ``=`` and ``-`` there, ``+`` and ``#`` above, a dot near it."""

    digits = SIGNED_DIGITS
    ramp = "=-·+#"

    def number(self, level: int, columns: int, weight: float) -> Segment:
        return self.text(level, columns, signed_digits(weight))

    def text(self, level: int, columns: int, text: str) -> Segment:
        if level < 0:
            return _unpainted(level, columns)
        return Segment(f"{text or self.ramp[2]:<{columns}}")


def two_digits(weight: float) -> str:
    """A weight as ".42"; nothing for what rounds to 0, as the colour says so already."""
    digits = f"{weight:.2f}"
    return "" if digits == "0.00" else digits.removeprefix("0")[:DIGITS]


def signed_digits(weight: float) -> str:
    """A difference as "+.42" or "-.42"; nothing for what rounds to 0."""
    return (two_digits(abs(weight)) and ("-" if weight < 0 else "+")) + two_digits(abs(weight))


def _unpainted(level: int, columns: int) -> Segment:
    return Segment(" " * columns) if level == HIDDEN else Segment("╱" * columns, _DIM)

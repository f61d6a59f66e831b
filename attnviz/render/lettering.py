"""Words on a figure: how large they are, and how labels stand along an axis without touching."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, cos, radians
from typing import Self

from attnviz.recipes import Style
from attnviz.render.fonts import Fonts
from attnviz.render.labels import cut
from attnviz.venues import SIZES

PAD = 0.05  # inches between an axis and its labels
MARGIN, GAP = 0.06, 0.14  # around a figure, and between its parts
BAR = 0.09  # how wide a colour bar is
LABEL_LENGTH = 20  # longer labels are cut; counted in columns of a terminal
LEADING = 1.2  # from line to line, in sizes of the letters
SLANTED, UPRIGHT = 45, 90  # degrees
MARK = 2  # points: of the marks that tell which rows labels name, where some are left out


@dataclass(frozen=True)
class Labels:
    """How labels stand along an axis.

    texts: one for each row or column; every ``step``-th is drawn, so that none touches the next
    angle: 0, 45 or 90 degrees
    room:  how far they reach from the axis, in inches
    """

    texts: tuple[str, ...]
    step: int
    angle: int
    room: float


@dataclass(frozen=True)
class Lettering:
    """The letters of one figure; heights and widths in inches.

    size:  of the titles of maps, in points; all other sizes follow from it
    grown: how much larger than on paper everything else is
    """

    fonts: Fonts
    size: float
    grown: float = 1.0

    @classmethod
    def of(cls, style: Style, texts: Iterable[str]) -> Self:
        """For these texts in this style."""
        return cls(Fonts.for_texts(texts), style.font_size, SIZES[style.medium].factor)

    @property
    def pad(self) -> float:
        return PAD * self.grown

    @property
    def margin(self) -> float:
        return MARGIN * self.grown

    @property
    def gap(self) -> float:
        return GAP * self.grown

    @property
    def bar(self) -> float:
        return BAR * self.grown

    @property
    def title(self) -> float:
        return self.size * 1.125

    @property
    def small(self) -> float:
        """Of labels, numbers and notes."""
        return self.size * 0.875

    @property
    def title_line(self) -> float:
        return self.title * LEADING / 72

    @property
    def line(self) -> float:
        return self.size * LEADING / 72

    @property
    def small_line(self) -> float:
        return self.small * LEADING / 72

    def labels(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(cut(self.fonts.shown(cut(text, LABEL_LENGTH)), LABEL_LENGTH) for text in texts)

    def widest(self, labels: Iterable[str]) -> float:
        return max((self.fonts.width(label, self.small) for label in set(labels)), default=0)

    def at_the_side(self, texts: Sequence[str], cell: float) -> Labels:
        """Labels of rows so far apart: level."""
        return self._thinned(self.labels(texts), self.small_line / cell, 0)

    def below(self, texts: Sequence[str], cell: float, left: float) -> Labels:
        """Labels of columns so far apart: level if they fit, else slanted, else upright.

        left: what is free at the left of the first column, for slanted labels to reach into
        """
        labels = self.labels(texts)
        widest, slope = self.widest(labels), cos(radians(SLANTED))
        if widest + self.pad <= cell:
            return Labels(labels, 1, 0, self.small_line + self.pad)
        if self.small_line <= cell * slope and widest * slope <= left:
            return Labels(labels, 1, SLANTED, (widest + self.small_line / 2) * slope + self.pad)
        return self._thinned(labels, self.small_line / cell, UPRIGHT)

    def numbers(self, texts: Sequence[str], cell: float) -> Labels:
        """Labels of columns so far apart that stay level."""
        step = ceil((self.widest(texts) + self.pad) / cell)
        return Labels(tuple(texts), step, 0, self.small_line + self.pad)

    def _thinned(self, labels: tuple[str, ...], cells: float, angle: int) -> Labels:
        """Those that there is room for if one takes so many cells. They reach as far as they are wide."""
        step = ceil(cells - 1e-6)
        marks = MARK / 72 * self.grown if step > 1 else 0
        return Labels(labels, step, angle, self.widest(labels[::step]) + self.pad + marks)

"""Words in a grid of terminal columns: how wide they are, and how they are cut and placed."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from rich.cells import cell_len as width
from rich.control import Control
from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    import regex

__all__ = ["cut", "graphemes", "placed", "width"]

NO_STYLES: Mapping[int, Style] = {}
_LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"


def graphemes(text: str) -> list[str]:
    """The text as a reader's letters: an accent with its base, an emoji with its joiners."""
    return list(text) if text.isascii() else _grapheme().findall(text)


@cache
def _grapheme() -> "regex.Pattern[str]":
    """What a reader takes for one letter; the library takes a moment to load, and plain text needs none."""
    import regex

    return regex.compile(r"\X")


def cut(text: str, room: int) -> str:
    """The text if it fits into so many columns, else its beginning and ``…``."""
    if width(text) <= room:
        return text
    kept, used = "", 1
    for letter in graphemes(text):
        used += width(letter)
        if used > room:
            break
        kept += letter
    return kept + "…" if room > 0 else ""


def placed(
    labels: Iterable[tuple[int, str]], style: Style | None = None, own: Mapping[int, Style] = NO_STYLES
) -> Iterator[Segment]:
    """One line with each label beginning at its column; they come in order and do not touch.

    own: the style of those that begin at these columns, where it is another

    Terminals disagree on how wide an emoji or an accent is, and some turn a line around behind a
    right-to-left word. So behind a label that is not plain ASCII the line is taken up again at a stated
    column, as a left-to-right one.
    """
    column = 0
    for start, label in labels:
        yield Segment(" " * (start - column))
        yield Segment(label, own.get(start, style))
        column = start + width(label)
        if not label.isascii():
            if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in label):
                yield Segment(_LEFT_TO_RIGHT)
            yield Control.move_to_column(column).segment

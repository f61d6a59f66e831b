"""The colour bar of a picture made of text, with its numbers and what it measures."""

from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style

from attnviz.render.ink import Ink
from attnviz.render.labels import cut, placed, width
from attnviz.render.views import Scale

_DIM = Style(dim=True)
_LONGEST = 33  # columns


def bar_lines(
    scale: Scale, ink: Ink, left: int, space: int, measured: Sequence[str]
) -> Iterator[list[Segment]]:
    """The bar, and the numbers below it.

    left:     the column that it begins at, of a terminal that has ``space`` more
    measured: what it measures, in more words or in fewer: the first that has room stands beside it; where
              none has, the last one stands below
    """
    length = min(_LONGEST, space)
    bar = [ink.fill(255 * place // max(length - 1, 1), 1) for place in range(length)]
    room = space - length - 2
    words = next((text for text in measured if width(text) <= room), "")
    yield [Segment(" " * left), *bar, Segment(f"  {words}", _DIM)]
    yield list(placed(_spaced(scale.ticks(), left, length), _DIM))
    if not words:
        yield list(placed([(left, cut(measured[-1], space))], _DIM))


def _spaced(ticks: list[tuple[float, str]], left: int, length: int) -> Iterator[tuple[int, str]]:
    """The numbers under a bar, each below its place, the ends flush; those that would touch are left out."""
    end = 0
    *inner, last = ticks
    stop = left + length - len(last[1])
    for place, number in inner:
        start = left + round(place * (length - len(number)))
        if end <= start and start + len(number) < stop:
            yield start, number
            end = start + len(number) + 1
    yield stop, last[1]

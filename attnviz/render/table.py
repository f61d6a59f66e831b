"""A table as text: it fits itself to the terminal by leaving out what tells least, and says so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from attnviz.metrics import METRICS, Metric, rules
from attnviz.render.labels import NO_STYLES, cut, placed, width
from attnviz.render.plots import Chart
from attnviz.render.rows import Steps, Tabular
from attnviz.render.sheets import Sheet, Strip, fitting, shares, sheet, total

_BOLD, _DIM = Style(bold=True), Style(dim=True)
_GAP = 2
_FOREIGN = 20  # columns that a pair of tokens, or another foreign text, should have at least
_STACKS = {
    "any": "",
    "self": "self-attention",
    "text": "text",
    "text self": "self-attention over text",
    "sink": "models with a sink",
}


def table(view: Tabular) -> RenderableType:
    """The table, to be printed on any rich console: it fits itself to the width it finds."""
    return _Printed(view)


def steps(view: Steps) -> RenderableType:
    """The tables of the steps, one below the other."""
    notes = (Text(note, style=_DIM) for note in view.notes)
    return Group(Text(view.title, style=_BOLD), *notes, *_below_each_other(view.tables))


def chart(view: Chart) -> RenderableType:
    """What the curves of a chart are drawn from: its title, and its tables below each other."""
    return Group(Text(view.title, style=_BOLD), *_below_each_other(view.tables))


def _below_each_other(tables: Iterable[Tabular]) -> Iterator[RenderableType]:
    return (part for each in tables for part in (Text(), table(each)))


def explanation() -> RenderableType:
    """What the words and the numbers of a table mean."""
    return Group(
        _Indented(Text("pattern: a word for what a head does", style=_BOLD)),
        *(_entry(*rule.split(": ", 1)) for rule in rules()),
        Text(),
        _Indented(Text("statistics: means over the rows of a head's map A", style=_BOLD)),
        *(_entry(f"{metric.name} = {metric.of_row}", _told(metric)) for metric in METRICS.values()),
        Text(),
        _Indented(Text(_MISSING)),
    )


_MISSING = (
    "Rows with no or one visible key, and padding, are left out everywhere. A statistic without any eligible "
    "row is missing: shown as -, never as 0. NAME.baseline is what a head that looks at all visible keys "
    "alike would have (positional: the share that random heads of this shape reach), NAME.rows how many rows "
    "were eligible. Attention weights say where a head reads from, not what the model does with it."
)


def _entry(name: str, meaning: str) -> RenderableType:
    return Group(_Indented(Text(name), 2), _Indented(Text(meaning, style=_DIM), 6))


@dataclass(frozen=True)
class _Indented:
    """A text so many places from the left, with no blanks after its lines."""

    text: Text
    by: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.wrap(console, options.max_width - self.by):
            line.rstrip()
            yield Text(" " * self.by).append_text(line)


def _told(metric: Metric) -> str:
    limits = [part for part in (_STACKS[metric.defined], metric.rows) if part]
    parts = [metric.unit, f"where {', '.join(limits)}" if limits else "", metric.source]
    return "; ".join(part for part in parts if part)


@dataclass(frozen=True)
class _Printed:
    view: Tabular

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        made, cursor = sheet(self.view), console.is_terminal and not console.is_dumb_terminal
        shown, dropped = fitted(made, options.max_width)
        yield Text(made.title, style=_BOLD)
        yield Segment.line()
        for line in _lines(made, shown, None if made.whole else options.max_width):
            yield from (part for part in line if cursor or not part.control)
            yield Segment.line()
        yield Segment.line()
        for note in (*made.notes, *_notes(made, dropped)):
            yield Text(note, style=_DIM)


def fitted(made: Sheet, columns: int) -> tuple[tuple[Strip, ...], tuple[str, ...]]:
    """The columns that have room on a terminal so wide, and the names of those that have none.

    Columns that were asked for are all shown: lines are then as long as they must be.
    """
    least = max(_FOREIGN, columns // 3)
    widths = {each.name: min(each.widest, least) if each.foreign else each.widest for each in made.strips}
    return fitting(made, widths, columns, _GAP)


def _notes(made: Sheet, dropped: Sequence[str]) -> Iterator[str]:
    if dropped:
        yield f"not shown: {', '.join(dropped)}; {made.advice.dropped}"


def _lines(made: Sheet, shown: Sequence[Strip], columns: int | None) -> Iterator[list[Segment]]:
    """The heads of the columns, a rule, and a line for each row; columns: that there are, None for any."""
    widths = _widths(shown, columns)
    places = list(zip(shown, _starts(widths), widths, strict=True))
    long = int(total(widths, _GAP))
    yield _line([cut(each.short, wide) for each, wide in zip(shown, widths, strict=True)], places, _BOLD)
    yield [Segment("─" * (long if columns is None else min(long, columns)), _DIM)]
    for number in range(made.rows):
        cells = [each.cells[number] for each in shown]
        texts = ["".join(cell.fitted(wide)) for cell, wide in zip(cells, widths, strict=True)]
        bold = {
            start: _BOLD for cell, (start, _) in zip(cells, _aligned(texts, places), strict=True) if cell.bold
        }
        yield _line(texts, places, None, bold)


def _widths(shown: Sequence[Strip], columns: int | None) -> list[int]:
    """What each column takes: foreign texts share what the others leave."""
    if columns is None:
        return [each.widest for each in shown]
    fixed = total((0 if each.foreign else each.widest for each in shown), _GAP)
    rooms = iter(shares([each.widest for each in shown if each.foreign], columns - fixed))
    return [next(rooms) if each.foreign else each.widest for each in shown]


def _starts(widths: Sequence[int]) -> list[int]:
    return [sum(widths[:place]) + _GAP * place for place in range(len(widths))]


Places = Sequence[tuple[Strip, int, int]]
"""Columns with where each begins and how wide it is."""


def _aligned(texts: Sequence[str], places: Places) -> Iterator[tuple[int, str]]:
    """Where each entry begins."""
    for text, (entry, start, wide) in zip(texts, places, strict=True):
        yield start if entry.left else start + wide - width(text), text


def _line(
    texts: Sequence[str], places: Places, style: Style | None, own: Mapping[int, Style] = NO_STYLES
) -> list[Segment]:
    return list(placed(_aligned(texts, places), style, own))

"""A table of heads as text: it fits itself to the terminal by leaving out what tells least, and says so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from attnviz.metrics import METRICS, Metric, rules
from attnviz.render.columns import Column, column, evidence_text, least_telling
from attnviz.render.labels import cut, placed, width
from attnviz.render.views import HeadRow, HeadTable

_BOLD, _DIM = Style(bold=True), Style(dim=True)
_GAP = 2
_PAIR = 20  # columns that a pair of tokens should have at least
_STACKS = {
    "any": "",
    "self": "self-attention",
    "text": "text",
    "text self": "self-attention over text",
    "sink": "models with a sink",
}


def table(view: HeadTable) -> RenderableType:
    """The table, to be printed on any rich console: it fits itself to the width it finds."""
    return _Printed(view)


def fitting(view: HeadTable, columns: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the columns that have room on a terminal so wide, and of those that have none.

    Columns that were asked for are all shown: lines are then as long as they must be.
    """
    widths = {name: _width(column(name), view.rows) for name in view.columns}
    widths["evidence"] = min(widths.get("evidence", 0), max(_PAIR, columns // 3))
    shown, dropped = list(view.columns), []
    for name in [] if view.asked else least_telling(view):
        if _total(widths[name] for name in shown) <= columns:
            break
        shown.remove(name)
        dropped.append(name)
    return tuple(shown), tuple(name for name in view.columns if name in dropped)


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
    view: HeadTable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        view, cursor = self.view, console.is_terminal and not console.is_dumb_terminal
        shown, dropped = fitting(view, options.max_width)
        yield Text(view.title, style=_BOLD)
        yield Segment.line()
        for line in _lines(view, [column(name) for name in shown], options.max_width):
            yield from (part for part in line if cursor or not part.control)
            yield Segment.line()
        yield Segment.line()
        for note in (*view.notes, *_notes(dropped)):
            yield Text(note, style=_DIM)


def _notes(dropped: Sequence[str]) -> Iterator[str]:
    if dropped:
        yield f"not shown: {', '.join(dropped)}; --columns shows them"


def _lines(view: HeadTable, shown: Sequence[Column], columns: int) -> Iterator[list[Segment]]:
    """The heads of the columns, a rule, and a line for each row."""
    widths = [_width(entry, view.rows) for entry in shown]
    room = _room_of_pairs(shown, widths, columns if not view.asked else None)
    widths = [room if entry.name == "evidence" else wide for entry, wide in zip(shown, widths, strict=True)]
    starts = [sum(widths[:place]) + _GAP * place for place in range(len(widths))]
    heads = [cut(entry.short, wide) for entry, wide in zip(shown, widths, strict=True)]
    places = list(zip(shown, starts, widths, strict=True))
    yield _line(heads, places, _BOLD)
    yield [Segment("─" * min(_total(widths), columns if not view.asked else _total(widths)), _DIM)]
    for row in view.rows:
        texts = [
            evidence_text(row.evidence, room) if entry.name == "evidence" else entry.text(row)
            for entry in shown
        ]
        bold = {start: _BOLD for entry, start, _ in _aligned(texts, places) if entry.name == row.scored}
        yield _line(texts, places, None, bold)


def _room_of_pairs(shown: Sequence[Column], widths: Sequence[int], columns: int | None) -> int:
    """How wide the pairs of tokens may be: what the other columns leave."""
    wide = next((wide for entry, wide in zip(shown, widths, strict=True) if entry.name == "evidence"), 0)
    if columns is None:
        return wide
    others = [wide for entry, wide in zip(shown, widths, strict=True) if entry.name != "evidence"]
    return max(min(wide, columns - _total(others) - _GAP), 0)


def _aligned(
    texts: Sequence[str], places: Sequence[tuple[Column, int, int]]
) -> Iterator[tuple[Column, int, str]]:
    """Where each entry begins."""
    for text, (entry, start, wide) in zip(texts, places, strict=True):
        yield entry, start if entry.left else start + wide - width(text), text


def _line(
    texts: Sequence[str],
    places: Sequence[tuple[Column, int, int]],
    style: Style | None,
    own: dict[int, Style] | None = None,
) -> list[Segment]:
    return list(placed([(start, text) for _, start, text in _aligned(texts, places)], style, own or {}))


def _width(entry: Column, rows: Sequence[HeadRow]) -> int:
    return max((width(entry.short), *(width(entry.text(row)) for row in rows)))


def _total(widths: Iterator[int] | Sequence[int]) -> int:
    """With the gaps between them."""
    every = list(widths)
    return sum(every) + _GAP * (len(every) - 1)

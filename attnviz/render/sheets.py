"""Tables as they are shown: which words stand in which cell, settled once for terminal, figure and paper."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from attnviz.analysis.rank import NUMBERS
from attnviz.metrics import METRICS
from attnviz.render.columns import IN_UNITS, MISSING, HeadColumn, column, least_telling, pair_parts
from attnviz.render.labels import cut, width
from attnviz.render.rows import Cell, Column, HeadRow, HeadTable, Table, Tabular

NO_TINT = math.nan


@dataclass(frozen=True)
class Shown:
    """What stands in one cell.

    parts: texts of ours and foreign ones in turn, the first of ours: "0.74 ", "it", " → ", "cat"
    bold:  it is what the row is called after
    share: how much of the table's tint it has, 0 to 1; NaN for none
    """

    parts: tuple[str, ...]
    bold: bool = False
    share: float = NO_TINT

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def foreign(self) -> bool:
        """Whether any of it may be cut."""
        return len(self.parts) > 1

    def fitted(self, room: float) -> tuple[str, ...]:
        """The parts in so many columns of a terminal: foreign ones are cut, nothing of ours is."""
        foreign = self.parts[1::2]
        left = room - sum(map(width, self.parts[::2]))
        rooms = iter(shares([width(text) for text in foreign], left))
        return tuple(cut(text, next(rooms)) if place % 2 else text for place, text in enumerate(self.parts))


@dataclass(frozen=True)
class Strip:
    """A column as it is shown: what stands on top of it, and a cell for each row.

    name: as scripts call it
    left: entries begin below each other; else they end below each other, as numbers do
    rank: those with the largest leave first where there is no room; 0 never leaves
    """

    name: str
    short: str
    cells: tuple[Shown, ...]
    left: bool = False
    rank: int = 0

    @property
    def widest(self) -> int:
        """Columns of a terminal that it takes."""
        return max(width(self.short), *(width(cell.text) for cell in self.cells), 0)

    @property
    def foreign(self) -> bool:
        """Whether it may be made narrower."""
        return any(cell.foreign for cell in self.cells)


@dataclass(frozen=True)
class Advice:
    """What to tell those whose table does not fit.

    rows:    instead of a picture with too many rows
    columns: instead of a picture that is too narrow
    dropped: where to find columns that are left out
    """

    rows: str
    columns: str
    dropped: str


@dataclass(frozen=True)
class Sheet:
    """A table as it is shown.

    called: what its rows are, in the plural
    whole:  its columns were asked for: none is left out and none is cut
    """

    title: str
    called: str
    strips: tuple[Strip, ...]
    rows: int
    notes: tuple[str, ...]
    advice: Advice
    whole: bool = False
    cmap: str = "viridis"


def sheet(view: Tabular) -> Sheet:
    """The table as it is shown."""
    return _head_sheet(view) if isinstance(view, HeadTable) else _row_sheet(view)


def fitting(
    made: Sheet, widths: Mapping[str, float], room: float, gap: float
) -> tuple[tuple[Strip, ...], tuple[str, ...]]:
    """The columns that have room, and the names of those that have none; a whole sheet has room anywhere.

    widths: of each column by its name; gap: between two of them
    """
    shown = list(made.strips)
    leaving = () if made.whole else sorted((each for each in shown if each.rank), key=lambda one: -one.rank)
    for strip in leaving:
        if total((widths[each.name] for each in shown), gap) <= room:
            break
        shown.remove(strip)
    return tuple(shown), tuple(each.name for each in made.strips if each not in shown)


def shares(wanted: Sequence[int], room: float) -> list[int]:
    """How much each gets of a room: what it wants where that leaves the others a fair part."""
    given: list[int] = []
    for place, want in enumerate(wanted):
        others = wanted[place + 1 :]
        fair = max(room - sum(others), room // (len(others) + 1), 0)
        given.append(int(min(want, fair)))
        room -= given[-1]
    return given


def total(widths: Iterable[float], gap: float) -> float:
    """Of columns with the gaps between them."""
    every = list(widths)
    return sum(every) + gap * max(len(every) - 1, 0)


_HEADS = Advice(
    rows="choose with --where or --top, or show all of them with --grid METRIC",
    columns="choose fewer with --columns",
    dropped="--columns shows them",
)
_ROWS = Advice(
    rows="write .csv, .json, .md or .tex", columns="make it wider with --width", dropped="files hold them"
)


def _head_sheet(view: HeadTable) -> Sheet:
    leaving = least_telling(view)
    ranks = {name: len(leaving) - place for place, name in enumerate(leaving)}
    strips = (_head_strip(column(name), view.rows, ranks.get(name, 0)) for name in view.columns)
    return Sheet(
        title=view.title,
        called="heads",
        strips=tuple(strips),
        rows=len(view.rows),
        notes=view.notes,
        advice=_HEADS,
        whole=view.asked,
        cmap=view.cmap,
    )


def _head_strip(entry: HeadColumn, rows: Iterable[HeadRow], rank: int) -> Strip:
    tinted = entry.name in METRICS and entry.name not in IN_UNITS
    cells = (
        Shown(
            _head_parts(entry, row),
            bold=entry.name == row.scored,
            share=NUMBERS[entry.name](row) if tinted else NO_TINT,
        )
        for row in rows
    )
    return Strip(entry.name, entry.short, tuple(cells), entry.left, rank)


def _head_parts(entry: HeadColumn, row: HeadRow) -> tuple[str, ...]:
    """The words of a cell; tokens and the names of samples are foreign."""
    text, pair = entry.text(row), row.evidence
    if pair is None or not entry.name.startswith("evidence"):
        return (text,)
    if entry.name == "evidence":
        return pair_parts(pair)
    return ("", text) if entry.name == "evidence.sample" else (text,)


def _row_sheet(view: Table) -> Sheet:
    return Sheet(
        title=view.title,
        called=view.what,
        strips=tuple(_row_strips(view)),
        rows=len(view.rows),
        notes=view.notes,
        advice=_ROWS,
        cmap=view.cmap,
    )


def _row_strips(view: Table) -> Iterator[Strip]:
    for place, entry in enumerate(view.columns):
        if entry.shown:
            cells = (_row_cell(entry, row[place]) for row in view.rows)
            left = entry.kind in ("text", "token")
            yield Strip(entry.name, entry.short, tuple(cells), left, entry.rank)


def _row_cell(entry: Column, cell: Cell) -> Shown:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return Shown((MISSING,))
    if isinstance(cell, str):
        return Shown(("", cell) if entry.kind == "token" else (cell,))
    if cell < entry.least:
        text = f"<{entry.least:g}"
    else:
        text = f"{cell:.0f}" if entry.kind == "whole" else f"{cell:z.{entry.digits}f}"
    return Shown((text,), share=float(cell) if entry.tinted else NO_TINT)

"""The columns of a table of heads: their names, how entries are written, which may be left out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attnviz.analysis.rank import NUMBERS
from attnviz.analysis.resample import FEWEST_SAMPLES
from attnviz.analysis.where import unknown
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.metrics import METRICS
from attnviz.render.ink import two_digits
from attnviz.render.rows import Evidence, HeadRow, HeadTable, Statistic
from attnviz.render.views import HeadGrid

MISSING = "-"
WINDOWED = "*"  # behind the name of a head that sees only a window
SHORT = {
    "entropy": "entr", "focus": "focus", "confidence": "conf", "distance": "dist", "previous": "prev",
    "next": "next", "self": "self", "first": "first", "separator": "sep", "punctuation": "punct",
    "duplicate": "dupl", "induction": "ind", "positional": "posit", "sink_mass": "sink",
    "positional.offset": "at",
}  # fmt: skip
IN_UNITS = ("entropy", "distance")  # the other statistics are shares, from 0 to 1
TELLING = (
    "focus", "distance", "first", "separator", "sink_mass", "previous", "induction", "self", "next",
    "confidence", "duplicate", "positional", "punctuation", "entropy", "positional.offset",
)  # fmt: skip
"""The most telling ones first: where there is no room the last are left out."""

_PARTS = {
    "baseline": "base",
    "rows": "rows",
    "samples": "n",
    "low": "low",
    "high": "high",
    "interval": "95 %",
}
WHOLE = ("layer", "window", "rows", "samples", "offset")


@dataclass(frozen=True)
class HeadColumn:
    """One column of a table of heads.

    short: what stands on top of it
    text:  an entry as it is shown, "-" where there is none
    left:  entries begin below each other; else they end below each other, as numbers do
    """

    name: str
    short: str
    text: Callable[[HeadRow], str]
    left: bool = False


def column(name: str) -> HeadColumn:
    """The column of that name. Raises UsageError for another, naming the nearest."""
    if name in _SPECIAL:
        return _SPECIAL[name]
    if name in NUMBERS:
        return HeadColumn(name, short(name), lambda row: number_text(name, NUMBERS[name](row)))
    metric, _, part = name.rpartition(".")
    if part == "interval" and metric in (*METRICS, "score"):
        return HeadColumn(name, short(name), lambda row: _interval(metric, row))
    raise UsageError(f"--columns: no column {printable(name)!r}; {unknown(name, NAMES)}")


def chosen(text: str) -> tuple[str, ...]:
    """The columns asked for, the head's name before them. Raises UsageError for one that is not there."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    return tuple(dict.fromkeys(column(name).name for name in ("head", *names)))


def usual(rows: Sequence[HeadRow], kept: Sequence[str], samples: int) -> tuple[str, ...]:
    """The columns of a table where none were asked for: statistics without any value have none."""
    intervals = samples >= FEWEST_SAMPLES
    statistics = [name for name in METRICS if any(not math.isnan(NUMBERS[name](row)) for row in rows)]
    if "positional" in statistics:
        statistics.insert(statistics.index("positional") + 1, "positional.offset")
    first = ("head", "pattern", "score", *(("score.interval",) if intervals else ()))
    others = [name for name in kept if name in NUMBERS and name not in ("layer", "head", "evidence")]
    last = ("evidence", "evidence.sample") if samples > 1 else ("evidence",)
    return tuple(dict.fromkeys((*first, *statistics, *others, *last)))


def least_telling(table: HeadTable) -> list[str]:
    """The columns in the order in which they are left out; never the head's name."""
    beside = ["positional.offset"] if "positional" in table.kept else []
    order = [*_ESSENTIAL, *table.kept, *beside, "evidence", "score.interval", "evidence.sample", *TELLING]
    ranks = {name: rank for rank, name in reversed(list(enumerate(order)))}
    names = [name for name in table.columns if name != "head"]
    return sorted(names, key=lambda name: -ranks.get(name, len(order)))


def short(name: str) -> str:
    """What stands on top of a column: ``prev``, ``prev base``."""
    metric, _, part = name.rpartition(".")
    if name in SHORT or not metric:
        return SHORT.get(name, name)
    return _PARTS[part] if metric == "score" else f"{SHORT[metric]} {_PARTS[part]}"


def number_text(name: str, number: float) -> str:
    """A number as it is shown: "0.93", distances "12.4", counts whole, offsets with their sign."""
    if math.isnan(number):
        return MISSING
    if name == "positional.offset":
        return f"{number:+.0f}" if number else "0"
    if name.rpartition(".")[2] in WHOLE:
        return f"{number:.0f}"
    return f"{number:z.{digits(name)}f}"


def digits(name: str) -> int:
    """Behind the point."""
    return 1 if name.partition(".")[0] == "distance" else 2


def cell_text(view: HeadGrid, value: float) -> str:
    """A number short enough for a cell of a grid: ".42", ".002", "12.4", "310"; "-" where there is none."""
    if math.isnan(value):
        return "-"
    if view.scale.vmax < 0.1:
        return f"{value:z.3f}".removeprefix("0")
    if view.scale.vmax <= 1:
        return two_digits(value) or ".00"
    return f"{value:z.{digits(view.metric) if view.scale.vmax < 100 else 0}f}"


def pair_parts(pair: Evidence) -> tuple[str, str, str, str]:
    """A pair of tokens as it is shown, such as "0.74 it → cat"; every second part is foreign text."""
    return f"{pair.weight:.2f} ", pair.query, " → ", pair.key


def _pair(row: HeadRow) -> str:
    return "".join(pair_parts(row.evidence)) if row.evidence else MISSING


def _sample(row: HeadRow) -> str:
    return printable(row.evidence.sample) if row.evidence else MISSING


def _interval(metric: str, row: HeadRow) -> str:
    name = row.scored if metric == "score" else metric
    entry = row.statistics.get(name, Statistic())
    if math.isnan(entry.low):
        return MISSING
    return f"{entry.low:z.{digits(name)}f}–{entry.high:z.{digits(name)}f}"


def _score(row: HeadRow) -> str:
    return number_text(row.scored, row.score)


def _head(row: HeadRow) -> str:
    return row.head.name + (WINDOWED if row.window else "")


_SPECIAL = {
    special.name: special
    for special in (
        HeadColumn("head", "head", _head, left=True),
        HeadColumn("pattern", "pattern", lambda row: row.pattern, left=True),
        HeadColumn("score", "score", _score),
        HeadColumn("evidence", "strongest pair", _pair, left=True),
        HeadColumn("evidence.sample", "sample", _sample, left=True),
    )
}
_ESSENTIAL = ("head", "pattern", "score")
NAMES = (*_SPECIAL, *METRICS, *(name for name in NUMBERS if "." in name))

"""Statistics as tables of other libraries, and tables as a notebook shows them."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from attnviz.errors import OutputError
from attnviz.metrics import METRICS

if TYPE_CHECKING:
    from attnviz.captures import Statistics

MOST_ROWS = 72  # of a table in a notebook


def frame(columns: Mapping[str, Any], name: str) -> Any:
    """A data frame of pandas or polars with these columns.

    Raises OutputError if the library is not installed.
    """
    return library(name).DataFrame(columns)


def library(name: str) -> Any:
    """The library of data frames of that name. Raises OutputError if it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise OutputError(f"to_{name} needs {name}, which is not here: pip install {name}") from error


def columns(statistics: "Statistics") -> dict[str, Any]:
    """One column a name, one entry a head.

    ``head`` ("3.5"), ``stack``, ``layer``, ``number``; of each statistic its mean over the eligible rows (NaN
    without any), ``NAME.baseline`` where it has one, and ``NAME.rows``.
    """
    table: dict[str, Any] = {
        "head": [head.name for head in statistics.heads],
        "stack": [head.stack for head in statistics.heads],
        "layer": [head.layer for head in statistics.heads],
        "number": [head.head for head in statistics.heads],
    }
    for name, metric in METRICS.items():
        if name in statistics.values:
            table[name] = statistics.values[name]
            if metric.baseline and name in statistics.baselines:
                table[f"{name}.baseline"] = statistics.baselines[name]
            if name in statistics.rows:
                table[f"{name}.rows"] = statistics.rows[name]
    return table


def statistics_html(statistics: "Statistics") -> str:
    """The means of the first heads as an HTML table."""
    named = {name: statistics.values[name] for name in METRICS if name in statistics.values}
    rows = (
        [head.name, *("-" if value != value else f"{value:z.2f}" for value in values)]  # noqa: PLR0124 - NaN
        for head, *values in zip(statistics.heads, *(each.tolist() for each in named.values()), strict=True)
    )
    return html_table(["head", *named], rows, len(statistics.heads))


def html_table(
    names: Sequence[str], rows: Iterable[Sequence[str]], count: int, left: Sequence[str] = ()
) -> str:
    """A table in HTML, of so many rows the first; all text is data.

    left: names of the columns whose entries begin below each other
    """
    sides = ["left" if name in left else "right" for name in names]
    body = [_row("td", row, sides) for row in islice(rows, MOST_ROWS)]
    more = f"<p>and {count - MOST_ROWS} more</p>" if count > MOST_ROWS else ""
    return f"<table><thead>{_row('th', names, sides)}</thead><tbody>{''.join(body)}</tbody></table>{more}"


def _row(tag: str, texts: Sequence[str], sides: Sequence[str]) -> str:
    cells = (
        f'<{tag} style="text-align: {side}">{escape(text)}</{tag}>'
        for text, side in zip(texts, sides, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"

"""A table, or a grid of heads, as a file: a JSON document, a table of numbers, Markdown, or LaTeX.

What is missing is null, an empty field, or "-"; never 0. Tokens are data: none is markup or a command.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from attnviz.analysis.rank import NUMBERS, PARTS
from attnviz.metrics import METRICS
from attnviz.render.columns import WHOLE, column
from attnviz.render.markup import markdown_steps, markdown_table, tex_table
from attnviz.render.rows import Evidence, HeadRow, HeadTable, Statistic, Steps, Table, Tabular
from attnviz.render.views import HeadGrid

SCHEMA = 1
_FIRST = ("head", "stack", "layer", "number", "pattern", "score")
_EVIDENCE = ("query", "key", "weight", "query_position", "key_position", "sample")


def table_bytes(view: Tabular, suffix: str) -> bytes:
    """The table as a file of that suffix: ``.json``, ``.csv``, ``.md`` or ``.tex``."""
    return WRITERS[suffix](view).encode()


def grid_bytes(view: HeadGrid, suffix: str) -> bytes:
    """The grid's numbers: ``.json`` or ``.csv``."""
    return GRID_WRITERS[suffix](view).encode()


def steps_bytes(view: Steps, suffix: str) -> bytes:
    """The steps as ``.json``, with every number, or as tables in ``.md``."""
    if suffix == ".json":
        return _document(view, **plain(view.document)).encode()
    return markdown_steps(view).encode()


def json_table(view: Tabular) -> str:
    """One document with everything that is known of each row, whatever columns the table shows."""
    if isinstance(view, HeadTable):
        return _document(view, samples=view.samples, heads=[_entry(row) for row in view.rows])
    return _document(view, **json_rows(view))


def json_rows(view: Table) -> dict[str, Any]:
    """What a table of any rows adds to a document."""
    names = [entry.name for entry in view.columns]
    rows = [dict(zip(names, row, strict=True)) for row in view.rows]
    return {**plain(view.document), view.what: plain(rows)}


def csv_table(view: Tabular) -> str:
    """A line a row after a line with the recipe that begins with ``#``; all text is quoted, none changed.

    Of heads the columns asked for, an interval as its two ends; else everything: ``previous``,
    ``previous.baseline``, ``previous.rows``, and over several samples ``previous.samples``, ``previous.low``
    and ``previous.high``.
    """
    if isinstance(view, Table):
        return _csv(view.recipe_json, [entry.name for entry in view.columns], plain(view.rows))
    columns = _csv_columns(view)
    rows = ([cell(row) for cell in columns.values()] for row in view.rows)
    return _csv(view.recipe_json, list(columns), rows)


def plain(value: Any) -> Any:
    """What JSON knows of a value: numbers to six digits, which is what float32 carries; None for NaN."""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def json_grid(view: HeadGrid) -> str:
    """One document: the values of each stack, layers by heads."""
    stacks = [
        {"stack": stack.name, "layers": stack.layers, "values": plain(stack.values)} for stack in view.stacks
    ]
    return _document(view, metric=view.metric, stacks=stacks)


def csv_grid(view: HeadGrid) -> str:
    """A line a head, as ``csv_table``: the stack, its layer, the head's number, and the value."""
    rows = (
        [stack.name, layer, head, _number(value)]
        for stack in view.stacks
        for layer, values in zip(stack.layers, stack.values.tolist(), strict=True)
        for head, value in enumerate(values)
    )
    return _csv(view.recipe_json, ["stack", "layer", "number", view.metric], rows)


WRITERS: dict[str, Callable[[Tabular], str]] = {
    ".json": json_table,
    ".csv": csv_table,
    ".md": markdown_table,
    ".tex": tex_table,
}
GRID_WRITERS: dict[str, Callable[[HeadGrid], str]] = {".json": json_grid, ".csv": csv_grid}


def _document(view: Tabular | HeadGrid | Steps, **entries: Any) -> str:
    """One line of JSON: what every document says, and these entries."""
    document = {
        "schema": SCHEMA,
        "title": view.title,
        "notes": view.notes,
        "recipe": view.recipe.entries() if view.recipe else None,
        **entries,
    }
    return json.dumps(document, allow_nan=False) + "\n"


def _entry(row: HeadRow) -> dict[str, Any]:
    return {
        "head": row.head.name,
        "stack": row.head.stack,
        "layer": row.head.layer,
        "number": row.head.head,
        "window": row.window,
        "pattern": {"name": row.pattern, "score": _number(row.score), "statistic": row.scored or None},
        "evidence": asdict(row.evidence) | {"weight": _number(row.evidence.weight)} if row.evidence else None,
        "statistics": {name: _statistic(entry) for name, entry in row.statistics.items()},
        "offset": row.offset,
    }


def _statistic(entry: Statistic) -> dict[str, Any]:
    return {name: _number(value) for name, value in asdict(entry).items()}


def _number(value: float) -> float | None:
    """Six digits, which is what float32 carries; None for what is missing."""
    if isinstance(value, int):
        return value
    return None if math.isnan(value) else float(f"{value:.6g}")


def _csv_columns(view: HeadTable) -> dict[str, Callable[[HeadRow], Any]]:
    """What each column holds, by its name."""
    every: dict[str, Callable[[HeadRow], Any]] = {
        "head": lambda row: row.head.name,
        "stack": lambda row: row.head.stack,
        "layer": lambda row: row.head.layer,
        "number": lambda row: row.head.head,
        "pattern": lambda row: row.pattern,
        **{name: _numbered(name) for name in NUMBERS if name not in ("head", "layer", "evidence")},
        **{f"evidence.{part}": _of_evidence(part) for part in _EVIDENCE},
    }
    if view.asked:
        names = [part for name in view.columns for part in _with_ends(name)]
        return {name: every.get(name) or _score_end(name) or column(name).text for name in names}
    parts = PARTS if view.samples > 1 else ("baseline", "rows")
    statistics = [
        name
        for metric in METRICS.values()
        for name in (metric.name, *(f"{metric.name}.{part}" for part in parts))
        if metric.baseline or not name.endswith(".baseline")
    ]
    names = [*_FIRST, "window", *statistics, "positional.offset", *(f"evidence.{part}" for part in _EVIDENCE)]
    return {name: every[name] for name in names}


def _with_ends(name: str) -> tuple[str, ...]:
    """An interval as its two ends, which are numbers."""
    metric, _, part = name.rpartition(".")
    return (f"{metric}.low", f"{metric}.high") if part == "interval" else (name,)


def _score_end(name: str) -> Callable[[HeadRow], float | None] | None:
    """An end of the interval of the score, which is that of the statistic that it is of."""
    metric, _, part = name.rpartition(".")
    if metric != "score":
        return None
    return lambda row: _number(getattr(row.statistics.get(row.scored, Statistic()), part))


def _numbered(name: str) -> Callable[[HeadRow], float | None]:
    whole = name.rpartition(".")[2] in WHOLE

    def cell(row: HeadRow) -> float | None:
        number = _number(NUMBERS[name](row))
        return int(number) if whole and number is not None else number

    return cell


def _of_evidence(part: str) -> Callable[[HeadRow], Any]:
    def cell(row: HeadRow) -> Any:
        value = getattr(row.evidence, part) if isinstance(row.evidence, Evidence) else None
        return _number(value) if isinstance(value, float) else value

    return cell


def _csv(recipe: str, columns: list[str], rows: Iterable[list[Any]]) -> str:
    file = io.StringIO(newline="")
    if recipe:
        file.write(f"# {recipe}\n")
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()

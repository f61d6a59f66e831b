"""A table or a grid of heads as a file: a JSON document, a table of numbers, Markdown, or LaTeX.

What is missing is null, an empty field, or "-"; never 0. Tokens are data: none is markup or a command.
"""

import csv
import io
import json
import math
import string
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from attnviz.analysis.rank import NUMBERS, PARTS
from attnviz.metrics import METRICS
from attnviz.render.columns import MISSING, WHOLE, Column, column
from attnviz.render.labels import cut
from attnviz.render.lettering import LABEL_LENGTH
from attnviz.render.tex import tex
from attnviz.render.views import Evidence, HeadGrid, HeadRow, HeadTable, Statistic

SCHEMA = 1
_MARKUP = set("\\`*_{}[]<>#|~$&@")
_FIRST = ("head", "stack", "layer", "number", "pattern", "score")
_EVIDENCE = ("query", "key", "weight", "query_position", "key_position", "sample")


def table_bytes(view: HeadTable, suffix: str) -> bytes:
    """The table as a file of that suffix: ``.json``, ``.csv``, ``.md`` or ``.tex``."""
    return WRITERS[suffix](view).encode()


def grid_bytes(view: HeadGrid, suffix: str) -> bytes:
    """The grid's numbers: ``.json`` or ``.csv``."""
    return GRID_WRITERS[suffix](view).encode()


def json_table(view: HeadTable) -> str:
    """One document with everything that is known of each head, whatever columns the table shows."""
    document = {
        "schema": SCHEMA,
        "title": view.title,
        "notes": view.notes,
        "recipe": asdict(view.recipe) if view.recipe else None,
        "samples": view.samples,
        "heads": [_entry(row) for row in view.rows],
    }
    return json.dumps(document, allow_nan=False) + "\n"


def csv_table(view: HeadTable) -> str:
    """A line a head after a line with the recipe that begins with ``#``; all text is quoted, none changed.

    The columns asked for, an interval as its two ends; else everything: ``previous``, ``previous.baseline``,
    ``previous.rows``, and over several samples ``previous.samples``, ``previous.low`` and ``previous.high``.
    """
    columns = _csv_columns(view)
    return _csv(
        view.recipe_json, list(columns), ([cell(row) for cell in columns.values()] for row in view.rows)
    )


def markdown_table(view: HeadTable) -> str:
    """A table as GitHub and Pandoc read it, the recipe before it as a comment, the notes behind it."""
    shown = [column(name) for name in view.columns]
    lines = [
        f"<!-- attnviz: {_uncommented(view.recipe_json)} -->",
        "",
        f"**{_code(view.title)}**",
        "",
        _markdown_line(entry.short for entry in shown),
        _markdown_line(":---" if entry.left else "---:" for entry in shown),
        *(_markdown_line(_markdown_cell(entry, row) for entry in shown) for row in view.rows),
        "",
        *(f"- {_escaped(note)}" for note in view.notes),
    ]
    return "\n".join(lines) + "\n"


def tex_table(view: HeadTable) -> str:
    """A ``tabular`` to be ``\\input``, with the package booktabs. What TeX's fonts lack is a code point."""
    shown = [column(name) for name in view.columns]
    lines = [
        f"% attnviz: {view.recipe_json}",
        "% \\usepackage{booktabs}",
        f"% {tex(view.title)}",
        f"\\begin{{tabular}}{{@{{}}{''.join('l' if entry.left else 'r' for entry in shown)}@{{}}}}",
        "\\toprule",
        _tex_line(tex(entry.short) for entry in shown),
        "\\midrule",
        *(_tex_line(_tex_cell(entry, row) for entry in shown) for row in view.rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\par\\smallskip",
        f"{{\\footnotesize\\raggedright {tex('; '.join(view.notes))}.\\par}}",
    ]
    return "\n".join(lines) + "\n"


def json_grid(view: HeadGrid) -> str:
    """One document: the values of each stack, layers by heads."""
    document = {
        "schema": SCHEMA,
        "title": view.title,
        "notes": view.notes,
        "recipe": asdict(view.recipe) if view.recipe else None,
        "metric": view.metric,
        "stacks": [
            {
                "stack": stack.name,
                "layers": stack.layers,
                "values": [[_number(value) for value in row] for row in stack.values.tolist()],
            }
            for stack in view.stacks
        ],
    }
    return json.dumps(document, allow_nan=False) + "\n"


def csv_grid(view: HeadGrid) -> str:
    """A line a head, as ``csv_table``: the stack, its layer, the head's number, and the value."""
    rows = (
        [stack.name, layer, head, _number(value)]
        for stack in view.stacks
        for layer, values in zip(stack.layers, stack.values.tolist(), strict=True)
        for head, value in enumerate(values)
    )
    return _csv(view.recipe_json, ["stack", "layer", "number", view.metric], rows)


WRITERS: dict[str, Callable[[HeadTable], str]] = {
    ".json": json_table,
    ".csv": csv_table,
    ".md": markdown_table,
    ".tex": tex_table,
}
GRID_WRITERS: dict[str, Callable[[HeadGrid], str]] = {".json": json_grid, ".csv": csv_grid}


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


def _csv(recipe: str, columns: list[str], rows: Iterator[list[Any]]) -> str:
    file = io.StringIO(newline="")
    if recipe:
        file.write(f"# {recipe}\n")
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


def _markdown_line(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(entry: Column, row: HeadRow) -> str:
    if entry.name == "evidence" and row.evidence:
        query, key = (_code(cut(text, LABEL_LENGTH)) for text in (row.evidence.query, row.evidence.key))
        return f"{row.evidence.weight:.2f} {query} → {key}"
    text = entry.text(row)
    return _code(text) if entry.name == "evidence.sample" else _escaped(text)


def _escaped(text: str) -> str:
    """Text of ours with a foreign name in it."""
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in text)


def _code(text: str) -> str:
    """Text that no reader of Markdown takes for markup, nor GitHub for a mention, an emoji or a formula."""
    if not set(text) & set("`|\\") and text == text.strip() and text:
        return f"`{text}`"
    letters = (f"&#{ord(letter)};" if letter in string.punctuation else letter for letter in text)
    return f"<code>{''.join(letters)}</code>"


def _uncommented(recipe: str) -> str:
    """The recipe as the inside of a comment: the same JSON, in which nothing ends one."""
    return recipe.replace("-", "\\u002d") if "--" in recipe or "->" in recipe else recipe


def _tex_line(cells: Iterator[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _tex_cell(entry: Column, row: HeadRow) -> str:
    if entry.name == "evidence" and row.evidence:
        query, key = (_token(cut(text, LABEL_LENGTH)) for text in (row.evidence.query, row.evidence.key))
        return f"{row.evidence.weight:.2f} {query} $\\to$ {key}"
    text = entry.text(row)
    if entry.name == "evidence.sample":
        return _token(text)
    return "--" if text == MISSING else f"${text}$" if text[0] in "+-" else tex(text)


def _token(text: str) -> str:
    return f"\\texttt{{{tex(text)}}}"

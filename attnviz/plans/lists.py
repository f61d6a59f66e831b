"""The lists beside the figures, made from what is done: ``figures.jsonl``, ``figures.tex``, ``heads.csv``."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attnviz.files import write_whole, writing_whole
from attnviz.frames import columns
from attnviz.metrics import METRICS
from attnviz.plans.folder import Figure
from attnviz.plans.plan import Seen
from attnviz.stored import files

JSONL, TEX, CSV, PARQUET = "figures.jsonl", "figures.tex", "heads.csv", "heads.parquet"
SCHEMA = 1

Row = dict[str, Any]


def write_jsonl(path: Path, figures: Iterable[Figure]) -> None:
    """A line a figure: its file, the sha256 of that, its recipe, what it hides, and what can be seen."""
    lines = (json.dumps({"schema": SCHEMA, **asdict(figure)}, sort_keys=True) + "\n" for figure in figures)
    write_whole(path, "".join(lines).encode())


def write_tex(path: Path, figures: Iterable[Figure]) -> None:
    """To be ``\\input`` where the directory is: a figure with a caption each."""
    write_whole(path, "".join(_tex_figure(figure) for figure in figures).encode())


def write_tables(directory: Path, seen: Sequence[tuple[Seen, Path]]) -> tuple[str, ...]:
    """All statistics of all heads of all samples, as one table; returns the files' names.

    seen: samples, and where what was seen of each is kept; they are read one at a time
    A row is a head of a sample: ``model``, ``sample``, and then as ``Statistics.to_pandas`` has them.
    """
    _write_csv(directory / CSV, seen)
    if find_spec("pyarrow") is None:
        (directory / PARQUET).unlink(missing_ok=True)  # it would be of another export
        return (CSV,)
    _write_parquet(directory / PARQUET, seen)
    return CSV, PARQUET


def table_columns() -> list[str]:
    """The names of the table's columns, the same whatever was seen."""
    names = ["model", "sample", "head", "stack", "layer", "number"]
    for name, metric in METRICS.items():
        names += [name, *([f"{name}.baseline"] if metric.baseline else []), f"{name}.rows"]
    return names


def _rows(seen: Sequence[tuple[Seen, Path]]) -> Iterator[list[Row]]:
    """The rows of one sample after the other."""
    for each, file in seen:
        (capture,) = files.read(file)
        assert capture.statistics is not None
        table = columns(capture.statistics)
        yield [
            {"model": each.model.label, "sample": each.entry.name, **{name: _plain(table[name][place])
             for name in table}}
            for place in range(len(capture.statistics.heads))
        ]  # fmt: skip


def _plain(value: Any) -> Any:
    """A number of numpy as Python's own, with the six digits that float32 has; None where it is missing."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return None if value != value else float(f"{value:.6g}")  # noqa: PLR0124 - NaN
    return value


def _write_csv(path: Path, seen: Sequence[tuple[Seen, Path]]) -> None:
    names = table_columns()
    with writing_whole(path) as file:
        file.write(_csv([dict(zip(names, names, strict=True))]))
        for rows in _rows(seen):
            file.write(_csv([{name: row.get(name) for name in names} for row in rows]))


def _csv(rows: Sequence[Row]) -> bytes:
    """Lines in which all text is quoted and none changed, but for what cannot be UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerows(row.values() for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _printable(value: Any) -> Any:
    """Names that cannot be UTF-8 with escapes."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _write_parquet(path: Path, seen: Sequence[tuple[Seen, Path]]) -> None:
    import pyarrow
    import pyarrow.parquet

    whole = {"layer", "number", *(name for name in table_columns() if name.endswith(".rows"))}
    kinds = {name: pyarrow.string() for name in ("model", "sample", "head", "stack")}
    kinds |= {name: pyarrow.int64() for name in whole}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.float64())) for name in table_columns()])
    with writing_whole(path) as file, pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for rows in _rows(seen):
            filled = [{name: _printable(row.get(name)) for name in schema.names} for row in rows]
            writer.write_table(pyarrow.Table.from_pylist(filled, schema))


def _tex_figure(figure: Figure) -> str:
    from attnviz.render.tex import tex

    return "\n".join(
        [
            "\\begin{figure}",
            "  \\centering",
            f"  {_included(figure.file)}",
            f"  \\caption{{{tex(figure.caption)}}}",
            f"  \\label{{fig:{_label(figure.file)}}}",
            "\\end{figure}",
            "",
            "",
        ]
    )


def _included(file: str) -> str:
    """TeX draws no SVG itself: the package svg has Inkscape make it a PDF."""
    if file.lower().endswith(".svg"):
        return f"\\includesvg{{{file}}}% \\usepackage{{svg}}"
    return f"\\includegraphics{{{file}}}"


def _label(file: str) -> str:
    """A file's name as a label of TeX: letters, digits and a few marks."""
    stem = file.rpartition(".")[0] or file
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-.:") else "-" for letter in stem
    )

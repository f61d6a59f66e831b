"""Samples of a plan: written in it, or in files of text, JSON lines or comma-separated values beside it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnviz.errors import InputError
from attnviz.inputs import Sample, check_texts, decoded, lines_of, printable
from attnviz.plans.plan import SampleEntry

COLUMNS = ("text", "pair", "name")
"""What a row of a file may hold; its other columns are left alone."""


@dataclass(frozen=True)
class SampleSection:
    """One ``[[samples]]`` of a plan: a text, or a file of them.

    file:    .jsonl or .csv: a sample a row; else text. Beside the plan unless its path is absolute
    lines:   of a text: a sample a line
    columns: how a file calls what is here called text, pair and name
    name:    of the text; of a file's samples what stands before their numbers
    """

    text: str | None = None
    file: str | None = None
    name: str | None = None
    pair: str | None = None
    chat: bool = False
    generate: int = 0
    truncate: bool = False
    lines: bool = False
    columns: dict[str, str] = field(default_factory=dict)


def entries(section: SampleSection, number: int, beside: Path) -> list[SampleEntry]:
    """The samples of a section.

    number: of the section, from 1; beside: where relative paths begin
    Raises InputError for a file that cannot be read, or holds none.
    """
    if (section.text is None) == (section.file is None):
        raise InputError("give either text or file")
    if section.generate < 0:
        raise InputError(f"generate = {section.generate}: give how many tokens to write, or 0")
    rows = list(_written(section, number) if section.file is None else _filed(section, beside))
    samples = [
        Sample(row["text"], row.get("pair"), section.chat, row["name"], section.generate) for row in rows
    ]
    check_texts(samples)
    for sample in samples:
        if sample.pair is not None and (sample.chat or sample.generate):
            raise InputError(f"{printable(sample.name)}: a pair does not go with chat, nor with generate")
    return [SampleEntry(sample, section.truncate) for sample in samples]


Row = dict[str, str]


def _written(section: SampleSection, number: int) -> Iterator[Row]:
    """The text in the plan itself."""
    if section.lines or section.columns:
        raise InputError("lines and columns go with file")
    yield _row(section.text or "", section.name or f"text-{number}", section.pair)


def _filed(section: SampleSection, beside: Path) -> Iterator[Row]:
    path = beside / (section.file or "")
    try:
        text = decoded(path.read_bytes(), section.file or "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {printable(section.file or '')}: {reason}") from error
    stem = section.name or path.stem
    reader = {".jsonl": _json_rows, ".csv": _csv_rows}.get(path.suffix.lower())
    if reader is None and section.columns:
        raise InputError("columns go with a .jsonl or .csv file")
    if reader is None:
        yield from _texts(section, stem, text)
        return
    if section.lines or section.pair is not None:
        raise InputError("lines and pair go with a file of text: rows say themselves")
    rows = list(reader(text, _named_columns(section.columns)))
    if not rows:
        raise InputError(f"{printable(section.file or '')} is empty: give at least one row")
    for number, row in enumerate(rows, 1):
        yield _row(row["text"], row.get("name") or f"{stem}-{number}", row.get("pair"))


def _texts(section: SampleSection, stem: str, text: str) -> Iterator[Row]:
    if not section.lines:
        yield _row(text.removesuffix("\n"), stem, section.pair)
        return
    found = lines_of(text)
    if not found:
        raise InputError(f"{printable(stem)} is empty: give at least one line of text")
    for number, line in found:
        yield _row(line, f"{stem}-{number}", section.pair)


def _row(text: str, name: str, pair: str | None) -> Row:
    return {"text": text, "name": name} | ({} if pair is None else {"pair": pair})


def _named_columns(given: Mapping[str, str]) -> dict[str, str]:
    """How the file calls each of COLUMNS."""
    if unknown := sorted(set(given) - set(COLUMNS)):
        raise InputError(f"columns: no {printable(unknown[0])}; there are {', '.join(COLUMNS)}")
    return {name: given.get(name, name) for name in COLUMNS}


def _json_rows(text: str, columns: Mapping[str, str]) -> Iterator[Row]:
    for number, line in lines_of(text):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"line {number} is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f'line {number} is no object: write {{"text": ...}}')
        yield _picked(row, columns, f"line {number}")


def _csv_rows(text: str, columns: Mapping[str, str]) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            yield _picked(row, columns, f"line {reader.line_num}")
    except csv.Error as error:
        raise InputError(f"line {reader.line_num} is no CSV: {error}") from error


def _picked(row: Mapping[str, Any], columns: Mapping[str, str], where: str) -> Row:
    """What is wanted of a row. Raises InputError unless it has a text, and all of it is text."""
    if row.get(columns["text"]) is None:
        there = ", ".join(printable(str(name)) for name in row)
        raise InputError(f"{where} has no {printable(columns['text'])}: it has {there}")
    picked = {name: row[column] for name, column in columns.items() if row.get(column) not in (None, "")}
    if "name" in picked and isinstance(picked["name"], int):
        picked["name"] = str(picked["name"])
    for name, value in picked.items():
        if not isinstance(value, str):
            raise InputError(f"{where}: {printable(columns[name])} is no text: {value!r}")
    return {"text": ""} | picked

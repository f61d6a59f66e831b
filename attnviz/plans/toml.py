"""A plan read from TOML: checked against the records it becomes, its mistakes named with their places."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from attnviz.errors import InputError, UsageError
from attnviz.inputs import decoded, printable
from attnviz.plans.names import check_pattern
from attnviz.plans.plan import FigureEntry, ModelEntry, Plan, SampleEntry
from attnviz.plans.samples import SampleSection, entries
from attnviz.recipes import Choice, Listing, Style, is_of
from attnviz.venues import inches, points

Table = Mapping[str, Any]
Record = TypeVar("Record")

SECTIONS = ("models", "samples", "figures", "defaults")
_TYPED = {"layers": "layer", "heads": "head", "medium": "style"}
"""Fields of a Choice or a Style that the command line calls by another name."""


@dataclass(frozen=True)
class _ModelSection:
    """One ``[[models]]``: a name and how files call it."""

    name: str
    label: str | None = None
    revision: str | None = None
    dtype: str = "auto"


@dataclass(frozen=True)
class _FigureSection:
    """What a ``[[figures]]`` says besides the options of the command line."""

    view: str = "heatmap"
    file: str = "{model}-{sample}-{view}.pdf"
    against: str | None = None
    models: list[str] | None = None
    samples: list[str] | None = None


def read_plan(file: Path) -> Plan:
    """The plan in a file. Raises InputError if it cannot be read, or anything in it has no meaning."""
    shown = printable(str(file))
    try:
        text = decoded(file.read_bytes(), shown)
    except OSError as error:
        raise InputError(f"cannot read {shown}: {error.strerror or error}") from error
    try:
        return plan_of(text, file.parent)
    except InputError as error:
        raise InputError(f"{shown}: {error}") from error


def plan_of(text: str, beside: Path) -> Plan:
    """The plan in a text; files of samples lie beside it. Raises InputError as ``read_plan`` does."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # says line and column itself
        raise InputError(f"this is no TOML: {_placed(str(error), text)}") from error
    _check_known(table, SECTIONS, "the plan")
    defaults = _table(table.get("defaults", {}), "[defaults]")
    return made(
        models=[_model(section, where) for section, where in _sections(table, "models")],
        samples=[
            sample
            for number, (section, where) in enumerate(_sections(table, "samples"), 1)
            for sample in _samples(section, where, number, beside)
        ],
        figures=[_figure(section, where, defaults) for section, where in _sections(table, "figures")],
    )


def made(
    *, models: Sequence[ModelEntry], samples: Sequence[SampleEntry], figures: Sequence[FigureEntry]
) -> Plan:
    """A plan of these. Raises InputError if there are none of a kind, or two go by the same name."""
    named = {"models": [model.label for model in models], "samples": [sample.name for sample in samples]}
    for kind, names in named.items():
        if not names:
            raise InputError(f"no {kind}: give at least one, as [[{kind}]]")
        if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
            key = "label" if kind == "models" else "name"
            raise InputError(f"two {kind} are called {printable(twice)!r}: give one another {key}")
    if not figures:
        raise InputError("no figures: give at least one, as [[figures]]")
    for figure in figures:
        for kind, names in named.items():
            for name in getattr(figure, kind):
                if name not in names:
                    raise InputError(
                        f"{figure.section}: no {kind} called {printable(name)!r}; {_near(name, names)}"
                    )
    return Plan(tuple(models), tuple(samples), tuple(figures))


def _placed(error: str, text: str) -> str:
    """A syntax error with line and column, also where it is the end that came too early."""
    lines = text.split("\n")
    return printable(
        error.replace("at end of document", f"at line {len(lines)}, column {len(lines[-1]) + 1}, the end")
    )


def _sections(table: Table, name: str) -> list[tuple[Table, str]]:
    """The tables of ``[[name]]``, and how messages call them; a mere text stands for a table with it."""
    found = table.get(name, [])
    if not isinstance(found, list):
        raise InputError(f"{name} is no list: write [[{name}]] above each")
    short = {"models": "name", "samples": "text"}.get(name)
    return [
        ({short: entry} if short and isinstance(entry, str) else _table(entry, where), where)
        for number, entry in enumerate(found, 1)
        for where in [f"{name}[{number}]"]
    ]


def _table(value: Any, where: str) -> Table:
    if not isinstance(value, dict):
        raise InputError(f"{where} is no table: {value!r}")
    return value


def _model(section: Table, where: str) -> ModelEntry:
    entry = _record(_ModelSection, section, where, needed=("name",))
    return model_entry(entry.name, label=entry.label, revision=entry.revision, dtype=entry.dtype)


def model_entry(
    name: str, *, label: str | None = None, revision: str | None = None, dtype: str = "auto"
) -> ModelEntry:
    """A model by its name; files call it by that, of a directory by its last part."""
    last = Path(name).name if name.startswith((".", "/", "~")) or name.count("/") > 1 else name
    return ModelEntry(name, label or last.removeprefix("builtin:") or name, revision, dtype)


def _samples(section: Table, where: str, number: int, beside: Path) -> list[SampleEntry]:
    read = _record(SampleSection, section, where)
    try:
        return entries(read, number, beside)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _figure(section: Table, where: str, defaults: Table) -> FigureEntry:
    given = {**defaults, **section}
    known = [
        _typed(entry.name) for kind in (_FigureSection, Choice, Style, Listing) for entry in fields(kind)
    ]
    _check_known(defaults, known, "[defaults]")
    _check_known(section, known, where)
    own = _record(_FigureSection, _part(_FigureSection, given), where)
    entry = FigureEntry(
        section=where,
        view=own.view,
        file=own.file,
        choice=_record(Choice, _part(Choice, given), where),
        style=_record(Style, _part(Style, _measured(given, where)), where),
        listing=_record(Listing, _part(Listing, given), where),
        against=own.against,
        models=tuple(own.models or ()),
        samples=tuple(own.samples or ()),
    )
    try:
        check_pattern(entry.file)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return entry


def _measured(given: Table, where: str) -> Table:
    """With the width in inches, which may be a venue's or have a unit, and the letters that go with it."""
    width, medium = given.get("width"), given.get("style", "paper")
    named = str(width) if is_of(str | float, width) else None
    try:
        letters = {} if "font-size" in given else {"font-size": points(medium, named)}
        return {**letters, **given, **({} if named is None else {"width": inches(named)})}
    except UsageError as error:
        raise InputError(f"{where}: {error}") from error


def _part(kind: type, given: Table) -> dict[str, Any]:
    """What of a table belongs to a record."""
    names = {_typed(entry.name) for entry in fields(kind)}
    return {name: value for name, value in given.items() if name in names}


def _record(kind: type[Record], section: Table, where: str, needed: Sequence[str] = ()) -> Record:
    """A table as a record. Raises InputError for keys that it has not, and values of other types."""
    hints = {_typed(name): (name, hint) for name, hint in get_type_hints(kind).items()}
    _check_known(section, list(hints), where)
    for name in needed:
        if name not in section:
            raise InputError(f"{where} has no {name}")
    given = {}
    for key, value in section.items():
        name, hint = hints[key]
        if not is_of(hint, value):
            raise InputError(f"{where}: {key} = {_shown(value)} is no {_meant(hint)}")
        given[name] = value
    return kind(**given)


def _check_known(section: Table, known: Sequence[str], where: str) -> None:
    for key in section:
        if key not in known:
            raise InputError(f"{where} has no {printable(key)!r}; {_near(key, known)}")


def _near(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    meant = f"did you mean {printable(near[0])}? " if near else ""
    few = ", ".join(map(printable, known[:24])) + (", ..." if len(known) > 24 else "")
    return f"{meant}there are {few}"


def _typed(field: str) -> str:
    """A field as the command line calls it."""
    return _TYPED.get(field, field.replace("_", "-"))


def _shown(value: Any) -> str:
    text = printable(repr(value))
    return text if len(text) <= 60 else f"{text[:59]}…"


def _meant(hint: Any) -> str:
    """An annotation as people say it."""
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false",
             "list": "list of texts", "dict": "table"}  # fmt: skip
    written = str(hint).replace("typing.", "")
    if "Literal" in written:
        return "one of " + written.split("[", 1)[1].split("]")[0].replace("'", "")
    plain = getattr(hint, "__name__", written).split(" ")[0].split("[")[0]
    return names.get(plain, plain)

"""``attnviz doctor``: whether a model is captured exactly."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from attnviz.cli.options import Model, command

if TYPE_CHECKING:
    from rich.table import Table

    from attnviz.models.diagnosis import Diagnosis, LayerReport, Needs

SENTENCE = "The cat sat on the mat because it was tired, and nobody woke it up."
HEADINGS = ("layer", "kind", "heads", "key heads", "window", "route", "differs", "sums", "disturbed")
SPARED = ("key heads", "window", "route", "kind", "sums", "disturbed")
"""What is left out first where a terminal has no room for all of it; the document has it."""


@dataclass(frozen=True)
class Examination:
    """What a model is examined with."""

    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What the model reads; a sentence if nothing is given.")
    ] = SENTENCE
    tokens: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Also say what a text of so many tokens takes; may be given several times.",
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print what was found as one JSON document.")] = False


@command
def doctor(examination: Examination, model: Model) -> None:
    """Check that a model is captured exactly: the weights against its own eager attention, the sums of rows,
    and that disturbing the weights disturbs what it says. Ends with status 3 if something is wrong."""
    from attnviz import api

    found = api.doctor(examination.text, model=model.load(), tokens=examination.tokens or ())
    if examination.json:
        sys.stdout.write(_document(found) + "\n")
    else:
        _print(found)
    if not found.passed:
        raise typer.Exit(3)


def _document(found: "Diagnosis") -> str:
    """One JSON document."""
    import json
    from dataclasses import asdict

    entry = {"schema": 1, **asdict(found), "tolerance": found.tolerance, "failures": list(found.failures)}
    return json.dumps(entry, ensure_ascii=True)


def _print(found: "Diagnosis") -> None:
    from rich.console import Console

    from attnviz.inputs import printable

    console = Console(highlight=False, markup=False)
    model = found.model
    kind = f"{printable(model.family)}, {model.dtype}, {model.device}, {found.tokens} tokens"
    console.print(f"{printable(model.name)}  {kind}")
    table, left_out = _layers(found, console.width)
    console.print(table)
    if left_out:
        console.print(f"not shown: {', '.join(left_out)}; a wider terminal or --json has room")
    if found.needs:
        console.print(_needs(found.needs))
    for line in found.unread:
        console.print(line, soft_wrap=True)
    console.print(_summary(found))


def _layers(found: "Diagnosis", columns: int) -> tuple["Table", list[str]]:
    """As much of each layer as fits into so many columns, and what does not."""
    rows = [_row(layer) for layer in found.layers]
    widths = {name: max(map(len, cells)) for name, *cells in zip(HEADINGS, HEADINGS, *rows, strict=True)}
    left_out: list[str] = []
    for name in SPARED:
        shown = [name for name in HEADINGS if name not in left_out]
        if sum(widths[name] + 2 for name in shown) - 2 <= columns:  # two blanks between them
            break
        left_out.append(name)
    shown = [name for name in HEADINGS if name not in left_out]
    table = _table(shown, left=("layer", "kind", "route"))
    for row in rows:
        table.add_row(*(cell for name, cell in zip(HEADINGS, row, strict=True) if name in shown))
    return table, left_out


def _row(layer: "LayerReport") -> list[str]:
    facts = layer.facts
    numbers = (facts.heads or None, facts.key_heads, facts.window)
    heads, key_heads, window = ("-" if number is None else f"{number:,}" for number in numbers)
    measured = (_small(value) for value in (layer.difference, layer.sums, layer.disturbed))
    return [facts.name, facts.kind, heads, key_heads, window, facts.route or "-", *measured]


def _needs(needs: "tuple[Needs, ...]") -> "Table":
    table = _table(("tokens", "all maps", "statistics", "time"), left=())
    for need in needs:
        sizes = _size(need.maps), _size(need.statistics)
        table.add_row(f"{need.tokens:,}", *sizes, f"{need.seconds:,.1f} s")
    return table


def _table(headings: Sequence[str], *, left: tuple[str, ...]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right", no_wrap=True)
    return table


def _summary(found: "Diagnosis") -> str:
    if not found.passed:
        return "Not captured exactly:\n" + "\n".join(found.failures)
    differences = [layer.difference for layer in found.layers if layer.difference is not None]
    if not differences:
        return "Rows sum to 1, but this model returns no weights to compare with."
    return f"Captured exactly: at most {max(differences):.1g} from {found.reference}."


def _small(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.0e}"


def _size(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"

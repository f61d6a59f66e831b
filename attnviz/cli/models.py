"""``attnviz models``: what can be loaded."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from attnviz.cli.options import command

if TYPE_CHECKING:
    from rich.table import Table

    from attnviz.models.coverage import Coverage, Report


@dataclass(frozen=True)
class Listing:
    """Which models are listed, and how."""

    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only those that have this in their names.")
    ] = None
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage", help="Every model type of transformers: how it is captured, or why it is not."
        ),
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print them as one JSON document.")] = False


@command
def models(listing: Listing) -> None:
    """What can be loaded: the models that ship, those in the cache of the Hugging Face hub, and which types
    of models are captured."""
    from attnviz.models.coverage import coverage
    from attnviz.models.known import known_models

    report = coverage()
    here = [name for name in known_models() if _matches(name, listing.name)]
    types = [one for one in report.types if _matches(one.kind, listing.name)]
    if listing.json:
        sys.stdout.write(_document(here, replace(report, types=tuple(types))) + "\n")
    elif listing.coverage:
        _print_coverage(types, report.transformers)
    else:
        _print(here, types, of=len(report.types))


def _matches(name: str, part: str | None) -> bool:
    return part is None or part.casefold() in name.casefold()


def _document(here: Sequence[str], report: "Report") -> str:
    import json

    return json.dumps({"schema": 1, "models": list(here), **asdict(report)})


def _print(here: Sequence[str], types: "Sequence[Coverage]", *, of: int) -> None:
    """A model a line; below them what types there are, by name where the list is short."""
    from rich.console import Console

    from attnviz.inputs import printable

    console = Console(highlight=False, markup=False)
    for name in here:
        console.print(printable(name), soft_wrap=True)
    captured = [one.kind for one in types if _captured(one)]
    if len(types) == of:
        console.print(
            "\nA directory or a name on the Hugging Face hub can be loaded too: "
            f"{len(captured)} of {of} types of models are captured (--coverage lists them)."
        )
    elif captured:
        console.print(f"\nTypes that are captured, from a directory or the hub:\n{', '.join(captured)}")
    elif not here:
        console.print("No model and no type of models that is captured has this in its name.")


def _print_coverage(types: "Sequence[Coverage]", version: str) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(_table(sorted(types, key=lambda one: one.kind)))
    captured = sum(map(_captured, types))
    console.print(f"{captured} of {len(types)} types of transformers {version} are captured.")


def _captured(one: "Coverage") -> bool:
    return one.status == "captured"


def _table(types: "Sequence[Coverage]") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("type", no_wrap=True)
    table.add_column("route")
    table.add_column("heads", justify="right")
    table.add_column("differs by, or why not")
    for one in types:
        table.add_row(*(Text(cell) for cell in _row(one)))
    return table


def _row(one: "Coverage") -> list[str]:
    difference = f"{one.difference:.0e}" if one.difference else "0"
    outcome = difference if _captured(one) else one.why or one.status
    return [one.kind, " ".join(one.routes) or "-", str(one.heads or "-"), outcome]

"""What the conformance run found of every model type that transformers knows. No torch.

The run (``make conformance``) builds a small random model of each type, captures it, compares the weights
with the model's own eager ones on all rows that are not padding, and writes ``coverage.tsv`` beside this
file.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("coverage.tsv")
EXACT = 1e-5  # difference up to which weights count as the model's own

Status = Literal["captured", "not captured", "part of another model", "failed"]


@dataclass(frozen=True)
class Coverage:
    """What was found of one model type.

    kind:       the type, as in a model's configuration (``bert``)
    status:     "part of another model": a configuration that has no model of its own
    model:      the class that was run; of a missing package its name; "" if there is none
    routes:     how its weights are taken (see ``facts.LayerFacts``)
    layers, heads: how many were compared
    difference: the largest between a captured weight and the model's own; None if it was not captured
    own_config: it needs a configuration or inputs of its own: the run's general rules cannot build or run it
    why:        the reason of one that is not captured, or what failed
    """

    kind: str
    status: Status
    model: str = ""
    routes: tuple[str, ...] = ()
    layers: int = 0
    heads: int = 0
    difference: float | None = None
    own_config: bool = False
    why: str = ""

    @property
    def exact(self) -> bool:
        """Whether its weights are the model's own to 1e-5."""
        return self.difference is not None and self.difference <= EXACT


@dataclass(frozen=True)
class Report:
    """What a conformance run found, with the version of transformers that it ran over."""

    transformers: str
    types: tuple[Coverage, ...]


COLUMNS = ("type", "status", "model", "routes", "layers", "heads", "difference", "own config", "why")


@cache
def coverage() -> Report:
    """The report of the last conformance run."""
    return parsed(FILE.read_text(encoding="utf-8"))


def parsed(text: str) -> Report:
    """A report from its file: a line with the version, one with the names of the columns, one a type.

    Raises ValueError if it is no such file.
    """
    version, *rows = text.splitlines()
    name, _, number = version.removeprefix("# ").partition(" ")
    table = [row.split("\t") for row in rows]
    if name != "transformers" or not table or tuple(table[0]) != COLUMNS:
        raise ValueError(f"no report of a conformance run: it begins with {version[:40]!r}")
    return Report(number, tuple(_read(row) for row in table[1:]))


def _read(row: list[str]) -> Coverage:
    kind, status, model, routes, layers, heads, difference, own, why = row
    return Coverage(
        kind=kind,
        status=status,  # type: ignore[arg-type] # as ``written`` wrote it
        model=model,
        routes=tuple(routes.split()),
        layers=int(layers or 0),
        heads=int(heads or 0),
        difference=float(difference) if difference else None,
        own_config=own == "yes",
        why=why,
    )


def written(report: Report) -> str:
    """A report as its file."""
    lines = [f"# transformers {report.transformers}", "\t".join(COLUMNS)]
    return "\n".join([*lines, *_lines(report.types)]) + "\n"


def _lines(types: Iterable[Coverage]) -> Iterable[str]:
    for one in types:
        difference = "" if one.difference is None else f"{one.difference:.1e}"
        counts = [str(count or "") for count in (one.layers, one.heads)]
        why = " ".join(one.why.split())[:160].rstrip()
        own = "yes" if one.own_config else ""
        yield "\t".join(
            (one.kind, one.status, one.model, " ".join(one.routes), *counts, difference, own, why)
        )

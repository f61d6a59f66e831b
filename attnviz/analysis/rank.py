"""Which heads a table has, and in which order: by the numbers and words that are known of each."""

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial

from attnviz.analysis.where import Condition, Names, Value, condition, unknown
from attnviz.errors import SelectionError, UsageError
from attnviz.inputs import printable
from attnviz.metrics import METRICS, PATTERNS
from attnviz.recipes import Listing
from attnviz.render.rows import HeadRow, Statistic

WORDS = (*PATTERNS, "local", "broad", "global", "mixed")
PARTS = tuple(entry.name for entry in fields(Statistic) if entry.name != "value")


def _statistic(row: HeadRow, *, name: str, part: str) -> float:
    return float(getattr(row.statistics.get(name, Statistic()), part))


def _evidence(row: HeadRow) -> float:
    return row.evidence.weight if row.evidence else math.nan


NUMBERS: dict[str, Callable[[HeadRow], float]] = {
    "layer": lambda row: float(row.head.layer),
    "head": lambda row: float(row.head.head),
    "score": lambda row: row.score,
    **{name: partial(_statistic, name=name, part="value") for name in METRICS},
    "evidence": _evidence,
    "window": lambda row: math.nan if row.window is None else float(row.window),
    "positional.offset": lambda row: math.nan if row.offset is None else float(row.offset),
    **{f"{name}.{part}": partial(_statistic, name=name, part=part) for name in METRICS for part in PARTS},
}
"""What is known of a head as a number, by name: ``previous``, ``previous.baseline``, ``previous.rows``"""

NAMES = Names(
    numbers=tuple(NUMBERS),
    words={"pattern": WORDS, "stack": ()},
    counted={
        "layer": "layers count from 0 upwards; the last ones alone are -l -1",
        "head": "heads count from 0 in their layer: head 3.5 is layer=3 and head=5",
    },
)


def values(row: HeadRow) -> dict[str, Value]:
    """All that a condition may speak of."""
    numbers: dict[str, Value] = {name: number(row) for name, number in NUMBERS.items()}
    return numbers | {"pattern": row.pattern, "stack": row.head.stack}


def check(listing: Listing) -> None:
    """Raises UsageError for a condition or an order that cannot be understood, whatever the model."""
    if listing.where is not None:
        condition(listing.where, NAMES)
    if listing.sort is not None and listing.sort.removeprefix("-") not in {*NUMBERS, "pattern"}:
        name = printable(listing.sort.removeprefix("-"))
        raise UsageError(f"--sort {printable(listing.sort)!r}: no such name; {unknown(name, NAMES)}")
    if listing.top is not None and listing.top < 1:
        raise UsageError(f"--top {listing.top} shows nothing: give at least 1")


def spoken_of(listing: Listing) -> tuple[str, ...]:
    """The names that heads are chosen and sorted by, each once."""
    names = condition(listing.where, NAMES).names() if listing.where is not None else ()
    by = (listing.sort.removeprefix("-"),) if listing.sort is not None else ()
    return tuple(dict.fromkeys((*by, *names)))


def ranked(rows: Sequence[HeadRow], listing: Listing) -> tuple[HeadRow, ...]:
    """The rows for which the condition holds, in the order asked for, the first ``top`` of them.

    Sorted by a number the largest come first, by ``pattern`` the heads of one pattern stand together, the
    highest score first; a ``-`` before the name turns it around. What is missing stands last either way.
    Raises UsageError as ``check`` does, SelectionError for a stack that none of them is in.
    """
    check(listing)
    kept = list(rows)
    if listing.where is not None:
        wanted = condition(listing.where, NAMES)
        _check_stacks(rows, wanted)
        kept = [row for row in kept if wanted.holds(values(row))]
    if listing.sort is not None:
        kept = _ordered(kept, listing.sort.removeprefix("-"), turned=listing.sort.startswith("-"))
    return tuple(kept[: listing.top])


def order_told(sort: str) -> str:
    """An order in words: "previous", "entropy, the smallest first", "layer backwards"."""
    name = sort.removeprefix("-")
    if name == sort:
        return name
    return f"{name} backwards" if name in ("layer", "head", "pattern") else f"{name}, the smallest first"


def _check_stacks(rows: Sequence[HeadRow], wanted: Condition) -> None:
    """Raises SelectionError where heads are asked for by a stack that is not there."""
    there = list(dict.fromkeys(row.head.stack for row in rows))
    strange = [str(stack) for stack in wanted.compared("stack") if stack not in there]
    if strange and there:
        names = ", ".join(filter(None, there))
        has = f"there are {names}" if names else "the model has a single one, without a name"
        raise SelectionError(f"--where: no head is in a stack {printable(strange[0])}: {has}")


def _ordered(rows: list[HeadRow], name: str, *, turned: bool) -> list[HeadRow]:
    if name == "pattern":
        by_score = _ordered(rows, "score", turned=False)
        return sorted(by_score, key=lambda row: WORDS.index(row.pattern), reverse=turned)
    number = NUMBERS[name]
    missing = [row for row in rows if math.isnan(number(row))]
    there = [row for row in rows if not math.isnan(number(row))]
    up = turned != (name in ("layer", "head"))
    return sorted(there, key=lambda row: number(row) if up else -number(row)) + missing

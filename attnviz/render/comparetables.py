"""What a comparison has found, made into tables, and what is said of it beside every picture."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from attnviz.analysis import resample
from attnviz.analysis.chance import LEAST_ABOVE, LEVEL
from attnviz.analysis.comparison import Change, Comparison, Match, Verdict, change_fields_of, fields_of
from attnviz.errors import SelectionError
from attnviz.inputs import printable
from attnviz.recipes import Comparing, Listing, Recipe, Style, recipe_of_models
from attnviz.render.rows import Cell, Column, Table

TABLE, RANKED = "matches", "ranked"
COLOURS = "viridis"
CHANGED = {"js": "Jensen-Shannon distance", "cka": "1 - centred kernel alignment"}
MEANING: dict[Verdict, str] = {
    "match": f"match: above null with q ≤ {LEVEL:g}, and by more than {LEAST_ABOVE:g} above floor",
    "position": "position: no more alike than the head's positions alone would be",
    "chance": f"chance: not above null, or with q above {LEVEL:g}: B is as alike on another text",
    "untested": "untested: too few samples for a null",
}
COLUMNS = (
    Column("first", "A", "text"),
    Column("second", "B", "text"),
    Column("similarity", "similarity", tinted=True),
    Column("low", "low", rank=3),
    Column("high", "high", rank=3),
    Column("samples", "n", "whole", shown=False),
    Column("null", "null", rank=2),
    Column("floor", "floor", rank=4),
    Column("q", "q", digits=3, rank=1, least=0.001),
    Column("verdict", "verdict", "text"),
)
CHANGES = (
    Column("head", "head", "text"),
    Column("stack", "stack", "text", shown=False),
    Column("layer", "layer", "whole", shown=False),
    Column("number", "number", "whole", shown=False),
    Column("change", "change", digits=3, tinted=True),
    Column("low", "low", digits=3),
    Column("high", "high", digits=3),
    Column("samples", "samples", "whole", rank=1),
)
NOT_CHANGED = "position and chance do not mean that a head changed: --view ranked is of changes"


def table(found: Comparison, style: Style, top: int | None) -> Table:
    """A row a head of the first, the most alike pairs first."""
    every = strongest(found)
    rows = [fields_of(match) for match in every[:top]]
    words = {match.verdict for match in found.matches}
    meanings = "; ".join(
        MEANING[verdict] for verdict in MEANING if verdict in {row["verdict"] for row in rows}
    )
    aside = [NOT_CHANGED] if found.changes and words & {"position", "chance"} else []
    return Table(
        title=title(found, style, summary_line(found)),
        what="matches",
        columns=tuple(replace(column, shown=column.shown and _told(column, found)) for column in COLUMNS),
        rows=tuple(tuple(row[column.name] for column in COLUMNS) for row in rows),
        notes=(
            *_cut(top, len(every), "matches, the most alike"),
            meanings,
            *aside,
            *found.notes,
            *of_matches(found),
        ),
        document=_document(found),
        cmap=style.cmap or COLOURS,
        recipe=recipe(found, style, TABLE, top),
    )


def ranked(found: Comparison, style: Style, top: int | None) -> Table:
    """A row a head, those that the second changed most first, each with its interval."""
    check_changes(found)
    rows = [change_fields_of(one) for one in _by_change(found)]
    return Table(
        title=title(found, style, f"heads that changed most, over {len(found.samples)} samples"),
        what="changes",
        columns=tuple(
            replace(column, shown=column.shown and _there(row[column.name] for row in rows))
            for column in CHANGES
        ),
        rows=tuple(tuple(row[column.name] for column in CHANGES) for row in rows[:top]),
        notes=(*_cut(top, len(rows), "heads, the most changed"), *_change_notes(found)),
        document={name: entry for name, entry in _document(found).items() if name != "changes"},
        cmap=style.cmap or COLOURS,
        recipe=recipe(found, style, RANKED, top),
    )


def _change_notes(found: Comparison) -> Iterator[str]:
    interval = f"; low, high: {resample.LEVEL * 100:.0f} % interval of the mean over samples"
    sure = any(not math.isnan(one.change.low) for one in found.changes)
    yield (
        f"change: {CHANGED[found.measure]} between a head's rows in A and in B, 0 to 1, the mean over samples"
        f"{interval if sure else ''}"
    )
    yield from found.notes


def _cut(top: int | None, count: int, what: str) -> Iterator[str]:
    """How many rows of a table are shown, where not all are."""
    if top is not None and top < count:
        yield f"{top} of {count} {what} first; --top shows more"


def of_matches(found: Comparison) -> Iterator[str]:
    """What is said beside a view that tells how many matches there are."""
    alone = found.comparable - len(found.matches)
    if alone > 0:
        whose = "1 head of A has no partner" if alone == 1 else f"{alone} heads of A have no partner"
        yield f"{whose}, as B has {len(found.second)}: --match nearest gives each one"
    if found.testing:
        yield found.testing


def _told(column: Column, found: Comparison) -> bool:
    """Whether a column of the table has anything to say."""
    return _there(fields_of(match)[column.name] for match in found.matches)


def _there(cells: Iterable[Cell]) -> bool:
    """Whether any of them is not missing."""
    return any(cell == cell for cell in cells)  # noqa: PLR0124 - NaN


def check_changes(found: Comparison) -> None:
    if not found.changes:
        names = " and ".join(printable(model.name) for model in found.models)
        raise SelectionError(
            f"no change head by head: {names} do not have the same layers and heads of one architecture"
        )


def summary_line(found: Comparison) -> str:
    """How many heads of the first have a match: "41 of 72 heads of A have a match in B, over 9 samples".

    Heads that can be compared with none of the second are not counted.
    """
    heads, over = found.comparable, f"over {len(found.samples)} samples"
    noun = "head" if heads == 1 else "heads"
    if all(match.verdict == "untested" for match in found.matches):
        return f"{heads} {noun} of A beside {len(found.second)} of B {over}: matches are not tested"
    has = "has" if found.matched == 1 else "have"
    return f"{found.matched} of {heads} {noun} of A {has} a match in B, {over}"


def strongest(found: Comparison) -> list[Match]:
    """The matches, the most alike first; those without a value last."""
    return sorted(found.matches, key=lambda match: _last_if_missing(-match.similarity.value))


def _by_change(found: Comparison) -> list[Change]:
    """The heads that changed most first; those without a value last."""
    return sorted(found.changes, key=lambda one: _last_if_missing(-one.change.value))


def _last_if_missing(number: float) -> float:
    return math.inf if math.isnan(number) else number


def title(found: Comparison, style: Style, rest: str) -> str:
    if style.title is not None:
        return printable(style.title)
    sides = (f"{side}: {printable(model.name)}" for side, model in zip("AB", found.models, strict=True))
    return f"{'  '.join(sides)}  {rest}"


def recipe(found: Comparison, style: Style, view: str, top: int | None = None) -> Recipe:
    comparing = Comparing(found.measure, found.matching, found.as_is, found.seed)
    made = recipe_of_models(found.models, found.samples, comparing, style, view=view, versions=found.versions)
    return replace(made, listing=Listing(top=top)) if top else made


def _document(found: Comparison) -> dict[str, object]:
    """What the JSON holds besides the matches."""
    return {
        "models": [model.name for model in found.models],
        "samples": [sample.name for sample in found.samples],
        "measure": found.measure,
        "matching": found.matching,
        "as_is": found.as_is,
        "seed": found.seed,
        "hidden": list(found.hidden),
        "matched": found.matched,
        "comparable": found.comparable,
        "first": [head.name for head in found.first],
        "second": [head.name for head in found.second],
        "similarity": found.similarity.values,
        "changes": [change_fields_of(one) for one in found.changes],
    }

"""What a comparison has found, made into tables, maps and grids: which rows, which title, which notes."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np

from attnviz.analysis import resample
from attnviz.analysis.average import heatmaps
from attnviz.analysis.chance import LEAST_ABOVE, LEVEL
from attnviz.analysis.comparison import Change, Comparison, Match, Verdict, change_fields_of, fields_of
from attnviz.analysis.words import by_words
from attnviz.captures import Capture, Head, Numbers
from attnviz.errors import SelectionError, UsageError
from attnviz.inputs import printable
from attnviz.recipes import Comparing, Listing, Recipe, Style, recipe_of_models
from attnviz.render import pages
from attnviz.render.headpages import stacks_of, top_of
from attnviz.render.views import (
    CKA,
    JS,
    Cell,
    Column,
    HeadGrid,
    Heatmap,
    Page,
    Scale,
    Table,
)  # fmt: skip

Drawn = Page | HeadGrid | Table
"""What a comparison can be drawn as."""

MAPS, TABLE, CHANGE, RANKED = "maps", "matches", "change", "ranked"
PICTURES = (".png", ".pdf", ".svg")
COLOURS = "viridis"
ENDS = 2  # pairs of maps from either end of the matches
NARROW = 12  # words of a map of which four have room side by side
UNCHANGED = 0.0005  # what is less is written as 0.000
MEASURED = {"js": JS, "cka": CKA}
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


@dataclass(frozen=True)
class Seen:
    """One sample as both models saw it: what pairs of maps are drawn from."""

    first: Capture
    second: Capture


def comparison_view(
    found: Comparison, view: str, style: Style, seen: Seen | None = None, *, top: int | None = None
) -> Drawn:
    """A comparison as ``attnviz compare --view`` shows it: one of ``NAMES``.

    seen: a sample as both models saw it, which the view "maps" is drawn from
    top:  so many rows of a table, the first; None for all
    Raises UsageError for another view, and for a style that cannot be drawn; SelectionError for changes of
    models that have other layers or heads.
    """
    check(view, style, top)
    changes = [one.change.value for one in found.changes]
    style = style.settled(vmax=top_of(changes) if view == CHANGE else 1.0)
    if view == MAPS:
        if seen is None:
            raise UsageError("the view 'maps' is drawn from captures: give those of one sample, seen=(A, B)")
        return _pairs(found, seen, style)
    return TABLES[view](found, style, top) if view in TABLES else VIEWS[view](found, style)


def usual(suffix: str) -> str:
    """The view that a file of this suffix holds unless another is asked for."""
    return "heads" if suffix.lower() in PICTURES else TABLE


def kind_of(view: str) -> type[Drawn]:
    """What a view is drawn as."""
    return Table if view in TABLES else HeadGrid if view == CHANGE else Page


def check(view: str, style: Style, top: int | None = None) -> None:
    """Raises UsageError for what cannot be drawn, before a model is loaded."""
    if view not in NAMES:
        raise UsageError(f"--view {printable(view)!r} is none of {', '.join(NAMES)}")
    if top is not None and (top < 1 or view not in TABLES):
        raise UsageError(
            f"--top {top} is of rows of a table, at least 1: "
            f"add --view {' or '.join(TABLES)}, or leave it out"
        )
    pages.check(style)


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


def _table(found: Comparison, style: Style, top: int | None) -> Table:
    """A row a head of the first, the most alike pairs first."""
    every = _strongest(found)
    rows = [fields_of(match) for match in every[:top]]
    words = {match.verdict for match in found.matches}
    meanings = "; ".join(
        MEANING[verdict] for verdict in MEANING if verdict in {row["verdict"] for row in rows}
    )
    aside = [NOT_CHANGED] if found.changes and words & {"position", "chance"} else []
    return Table(
        title=_title(found, style, summary_line(found)),
        what="matches",
        columns=tuple(replace(column, shown=column.shown and _told(column, found)) for column in COLUMNS),
        rows=tuple(tuple(row[column.name] for column in COLUMNS) for row in rows),
        notes=(
            *_cut(top, len(every), "matches, the most alike"),
            meanings,
            *aside,
            *found.notes,
            *_of_matches(found),
        ),
        document=_document(found),
        cmap=style.cmap or COLOURS,
        recipe=_recipe(found, style, TABLE, top),
    )


def _ranked(found: Comparison, style: Style, top: int | None) -> Table:
    """A row a head, those that the second changed most first, each with its interval."""
    _check_changes(found)
    rows = [change_fields_of(one) for one in _by_change(found)]
    return Table(
        title=_title(found, style, f"heads that changed most, over {len(found.samples)} samples"),
        what="changes",
        columns=tuple(
            replace(column, shown=column.shown and _there(row[column.name] for row in rows))
            for column in CHANGES
        ),
        rows=tuple(tuple(row[column.name] for column in CHANGES) for row in rows[:top]),
        notes=(*_cut(top, len(rows), "heads, the most changed"), *_change_notes(found)),
        document={name: entry for name, entry in _document(found).items() if name != "changes"},
        cmap=style.cmap or COLOURS,
        recipe=_recipe(found, style, RANKED, top),
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


def _of_matches(found: Comparison) -> Iterator[str]:
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


def _heads(found: Comparison, style: Style) -> Page:
    """All heads beside all: those of the second stand in the order of the heads that they match."""
    by_match = 2 * sum(match.verdict in ("match", "untested") for match in found.matches) >= found.comparable
    order = _order(found) if by_match else list(range(len(found.second)))
    heatmap = _heatmap(
        "every head of A beside every head of B",
        found.similarity.values[:, order],
        [head.name for head in found.first],
        [found.second[place].name for place in order],
        "head",
    )
    note = (
        "columns: the heads of B in the order of the heads of A that they match, then those without"
        if by_match
        else "columns: the heads of B in their own order, as fewer than half of A have a match"
    )
    heatmap = replace(
        heatmap,
        marked=tuple(_matched_cells(found, order)),
        divided=(_begun(found.first), () if by_match else _begun(found.second)),
    )
    page = _page(found, style, "heads", (heatmap,), note)
    return replace(
        page,
        title=_title(found, style, summary_line(found)),
        notes=(*page.notes, *_of_matches(found)),
        marked="a match",
    )


def _matched_cells(found: Comparison, order: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Rows and columns of the matches. order: of the second's heads from left to right."""
    columns = {found.second[place]: column for column, place in enumerate(order)}
    rows = {head: row for row, head in enumerate(found.first)}
    for match in found.matches:
        if match.verdict == "match":
            yield rows[match.first], columns[match.second]


def _begun(heads: Sequence[Head]) -> tuple[int, ...]:
    """The places at which another layer than before begins."""
    return tuple(place for place in range(1, len(heads)) if heads[place][:2] != heads[place - 1][:2])


def _layers(found: Comparison, style: Style) -> Page:
    """All layers beside all: how alike the best of a layer is to each head of another, on the average."""
    first, second = _by_layer(found.first), _by_layer(found.second)
    values = np.array(
        [
            [_best(found.similarity.values, rows, columns) for columns in second.values()]
            for rows in first.values()
        ]
    )
    note = (
        "a cell: the mean over the heads of A's layer of their similarity to the most alike head of B's layer"
    )
    heatmap = _heatmap("every layer of A beside every layer of B", values, [*first], [*second], "layer")
    return replace(_page(found, style, "layers", (heatmap,), note), numbered=True)


def _pairs(found: Comparison, seen: Seen, style: Style) -> Page:
    """Maps of words of the most and the least alike matches: of A, and at the right of it of B."""
    matches = _strongest(found)
    chosen = matches if len(matches) <= 2 * ENDS else [*matches[:ENDS], *matches[-ENDS:]]
    shown = tuple(heatmap for match in chosen for heatmap in _pair(match, seen))
    few = "pairs of a head of A and its match in B, the most alike first"
    note = few if chosen is matches else f"{few}: the {ENDS} most alike, then the {ENDS} least alike"
    page = _page(found, style, "maps", shown, note)
    return replace(
        page,
        title=_title(found, style, pages.quoted(seen.first)),
        scale=Scale(style.scale, style.vmax or 1.0),
        measured="attention weight",
        axes=("query", "key"),
        across=4 if max(heatmap.weights.shape[1] for heatmap in shown) <= NARROW else 2,
    )


def _change(found: Comparison, style: Style) -> HeadGrid:
    """Head by head, what the second does otherwise than the first."""
    _check_changes(found)
    values = {one.head: one.change.value for one in found.changes}
    return HeadGrid(
        title=_title(found, style, "what changed, head by head"),
        metric=f"{found.measure}_change",
        measured=f"change ({CHANGED[found.measure]})",
        stacks=stacks_of(values),
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or COLOURS,
        notes=(_most_changed(found.changes), *found.notes),
        recipe=_recipe(found, style, CHANGE),
    )


def _most_changed(changes: Sequence[Change]) -> str:
    most = max(changes, key=lambda one: (not math.isnan(one.change.value), one.change.value))
    if most.change.value < UNCHANGED:
        return f"nothing changed: no change reaches {2 * UNCHANGED:g}"
    return f"most changed: head {most.head.name}, {most.change.value:.3f}"


def _check_changes(found: Comparison) -> None:
    if not found.changes:
        names = " and ".join(printable(model.name) for model in found.models)
        raise SelectionError(
            f"no change head by head: {names} do not have the same layers and heads of one architecture"
        )


TABLES: dict[str, Callable[[Comparison, Style, int | None], Table]] = {TABLE: _table, RANKED: _ranked}
VIEWS: dict[str, Callable[[Comparison, Style], Drawn]] = {
    "heads": _heads,
    "layers": _layers,
    CHANGE: _change,
}
NAMES = (*TABLES, *VIEWS, MAPS)


def _page(found: Comparison, style: Style, view: str, shown: tuple[Heatmap, ...], note: str) -> Page:
    """A page of similarities; rows are of the first, columns of the second."""
    return Page(
        title=_title(found, style, f"over {len(found.samples)} samples"),
        heatmaps=shown,
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or COLOURS,
        notes=(note, *found.notes),
        recipe=_recipe(found, style, view),
        measured=MEASURED[found.measure],
        axes=("A", "B"),
    )


def _heatmap(
    title: str, values: Numbers, rows: Sequence[str], columns: Sequence[str], unit: Literal["head", "layer"]
) -> Heatmap:
    there = ~np.isnan(values)
    return Heatmap(
        name=f"{unit}s",
        title=title,
        weights=np.where(there, values, 0).astype(np.float32),
        visible=there,
        computed=there,
        query_labels=tuple(rows),
        key_labels=tuple(columns),
        unit=unit,
        additive=False,
    )


def _pair(match: Match, seen: Seen) -> Iterator[Heatmap]:
    """The maps of words of a match's heads, on one sample."""
    for side, capture, head in (("A", seen.first, match.first), ("B", seen.second, match.second)):
        told = f"{side} {head.name}" + (f", similarity {match.similarity.value:.2f}" if side == "B" else "")
        yield replace(_word_map(capture, head), name=f"{side}.{head.name}", title=told)


def _word_map(capture: Capture, head: Head) -> Heatmap:
    kept = capture.words or capture.maps
    maps = next((one for one in kept if (one.stack, one.layer) == head[:2] and head.head in one.heads), None)
    if maps is None:
        raise SelectionError(
            f"no map of head {head.name} of {printable(capture.sample.name)} was kept: capture it again with "
            "--keep words"
        )
    return heatmaps([maps if capture.words else by_words(maps)])[maps.heads.index(head.head)]


def _strongest(found: Comparison) -> list[Match]:
    """The matches, the most alike first; those without a value last."""
    return sorted(found.matches, key=lambda match: _last_if_missing(-match.similarity.value))


def _by_change(found: Comparison) -> list[Change]:
    """The heads that changed most first; those without a value last."""
    return sorted(found.changes, key=lambda one: _last_if_missing(-one.change.value))


def _last_if_missing(number: float) -> float:
    return math.inf if math.isnan(number) else number


def _order(found: Comparison) -> list[int]:
    """Places of the second's heads: the matched ones in the order of the first's heads, then the rest."""
    place = {head: number for number, head in enumerate(found.second)}
    matched = {match.first: place[match.second] for match in found.matches}
    in_order = dict.fromkeys(matched[head] for head in found.first if head in matched)
    return [*in_order, *(number for number in place.values() if number not in in_order)]


def _by_layer(heads: Sequence[Head]) -> dict[str, list[int]]:
    """The places of each layer's heads, by the layer's name."""
    named = groupby(range(len(heads)), key=lambda place: heads[place].name.rpartition(".")[0])
    return {name: list(places) for name, places in named}


def _best(values: Numbers, rows: Sequence[int], columns: Sequence[int]) -> float:
    """The mean over rows of the largest value in these columns; NaN where there is none."""
    best = np.fmax.reduce(values[np.ix_(rows, columns)], axis=1)
    return float(np.nanmean(best)) if (~np.isnan(best)).any() else math.nan


def _title(found: Comparison, style: Style, rest: str) -> str:
    if style.title is not None:
        return printable(style.title)
    sides = (f"{side}: {printable(model.name)}" for side, model in zip("AB", found.models, strict=True))
    return f"{'  '.join(sides)}  {rest}"


def _recipe(found: Comparison, style: Style, view: str, top: int | None = None) -> Recipe:
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

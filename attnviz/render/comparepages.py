"""What a comparison has found, made into tables, maps and grids: which rows, which title, which notes."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np

from attnviz.analysis.average import heatmaps
from attnviz.analysis.comparison import Change, Comparison, Match
from attnviz.analysis.words import by_words
from attnviz.captures import Capture, Head, Numbers
from attnviz.errors import SelectionError, UsageError
from attnviz.inputs import printable
from attnviz.recipes import Style
from attnviz.render import pages
from attnviz.render.comparetables import (
    CHANGED,
    COLOURS,
    RANKED,
    TABLE,
    check_changes,
    of_matches,
    ranked,
    recipe,
    strongest,
    summary_line,
    table,
    title,
)
from attnviz.render.headpages import stacks_of, top_of
from attnviz.render.rows import Table
from attnviz.render.views import CKA, JS, HeadGrid, Heatmap, Page, Scale

Drawn = Page | HeadGrid | Table
"""What a comparison can be drawn as."""

MAPS, CHANGE = "maps", "change"
PICTURES = (".png", ".pdf", ".svg")
ENDS = 2  # pairs of maps from either end of the matches
UNCHANGED = 0.0005  # what is less is written as 0.000
NARROW = 12  # words of a map of which four have room side by side
MEASURED = {"js": JS, "cka": CKA}


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
        title=title(found, style, summary_line(found)),
        notes=(*page.notes, *of_matches(found)),
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
    matches = strongest(found)
    chosen = matches if len(matches) <= 2 * ENDS else [*matches[:ENDS], *matches[-ENDS:]]
    shown = tuple(heatmap for match in chosen for heatmap in _pair(match, seen))
    few = "pairs of a head of A and its match in B, the most alike first"
    note = few if chosen is matches else f"{few}: the {ENDS} most alike, then the {ENDS} least alike"
    page = _page(found, style, "maps", shown, note)
    return replace(
        page,
        title=title(found, style, pages.quoted(seen.first)),
        scale=Scale(style.scale, style.vmax or 1.0),
        measured="attention weight",
        axes=("query", "key"),
        across=4 if max(heatmap.weights.shape[1] for heatmap in shown) <= NARROW else 2,
    )


def _change(found: Comparison, style: Style) -> HeadGrid:
    """Head by head, what the second does otherwise than the first."""
    check_changes(found)
    values = {one.head: one.change.value for one in found.changes}
    return HeadGrid(
        title=title(found, style, "what changed, head by head"),
        metric=f"{found.measure}_change",
        measured=f"change ({CHANGED[found.measure]})",
        stacks=stacks_of(values),
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or COLOURS,
        notes=(_most_changed(found.changes), *found.notes),
        recipe=recipe(found, style, CHANGE),
    )


def _most_changed(changes: Sequence[Change]) -> str:
    most = max(changes, key=lambda one: (not math.isnan(one.change.value), one.change.value))
    if most.change.value < UNCHANGED:
        return f"nothing changed: no change reaches {2 * UNCHANGED:g}"
    return f"most changed: head {most.head.name}, {most.change.value:.3f}"


TABLES: dict[str, Callable[[Comparison, Style, int | None], Table]] = {TABLE: table, RANKED: ranked}
VIEWS: dict[str, Callable[[Comparison, Style], Drawn]] = {
    "heads": _heads,
    "layers": _layers,
    CHANGE: _change,
}
NAMES = (*TABLES, *VIEWS, MAPS)


def _page(found: Comparison, style: Style, view: str, shown: tuple[Heatmap, ...], note: str) -> Page:
    """A page of similarities; rows are of the first, columns of the second."""
    return Page(
        title=title(found, style, f"over {len(found.samples)} samples"),
        heatmaps=shown,
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or COLOURS,
        notes=(note, *found.notes),
        recipe=recipe(found, style, view),
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

"""What differs between two captures, made into a page: heads that changed most, and maps of differences."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from attnviz.analysis.average import heatmaps
from attnviz.analysis.beside import Beside
from attnviz.analysis.difference import Difference, HeadChange, difference
from attnviz.analysis.naming import Wanted
from attnviz.analysis.reduce import percent
from attnviz.analysis.spread import spread
from attnviz.captures import Capture
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.recipes import Choice, Listing, Recipe, Style, recipe
from attnviz.render import pages
from attnviz.render.rows import Cell, Column, Table
from attnviz.render.views import DIFFERENCE, Heatmap, Page, Scale

COLOURS = "coolwarm"  # Moreland 2009: for the colour-blind too; its grey middle is not the white of paper
TOP = 10  # heads of a table, unless asked otherwise
_ROUND = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10)  # halves of them are short numbers
_LEAST = 0.001  # at the top of a scale
_NAMED = 6  # entries without a counterpart that a note names, at most

TABLES = (".csv", ".md", ".tex")
"""Files that hold the heads that changed most, and no maps."""

COLUMNS = (
    Column("head", "head", "text"),
    Column("stack", "stack", "text", shown=False),
    Column("layer", "layer", "whole", shown=False),
    Column("number", "number", "whole", shown=False),
    Column("change", "change", tinted=True),
    Column("rows", "rows", "whole", shown=False),
    Column("query", "query", "token"),
    Column("key", "key", "token"),
    Column("query_place", "query place", "whole", shown=False),
    Column("key_place", "key place", "whole", shown=False),
    Column("first", "first", rank=1),
    Column("second", "second", rank=1),
    Column("difference", "difference"),
)


def kind_of(choice: Choice, suffix: str) -> type[Page | Table]:
    """What a file of this suffix holds of the difference."""
    return Table if not choice.maps and suffix.lower() in TABLES else Page


def check(choice: Choice, style: Style, top: int | None = None) -> None:
    """Raises UsageError for what cannot be understood, or says nothing of differences, whatever the model."""
    pages.check(style)
    if style.scale != "linear":
        raise UsageError(
            f"--scale {style.scale} is of weights, not of differences, which are linear: leave it out"
        )
    if top is not None and top < 1:
        raise UsageError(f"--top {top} shows nothing: give at least 1")
    if top is not None and choice.mean:
        raise UsageError("--top is of heads, not of means over them: leave out --top or --mean")


def difference_page(
    first: Capture, second: Capture, choice: Choice, style: Style, top: int | None = None
) -> Page:
    """The page of ``attnviz diff``.

    With a choice of maps those maps, or the ``top`` of them that changed most, in that order; else a table of
    the heads that changed most, and the map of the first of them.
    Raises UsageError or SelectionError for a choice that means nothing here, InputError for captures that
    have nothing in common.
    """
    check(choice, style, top)
    found = difference(first, second, choice)
    shown = _maps(found, choice, top)
    style = style.settled(COLOURS, _round_up(_largest(shown)))
    made = _recipe(found, choice, style, top)
    title = _title(found) if style.title is None else printable(style.title)
    return Page(
        title=title,
        heatmaps=shown,
        scale=Scale("diverging", style.vmax or 1.0),
        cmap=style.cmap or COLOURS,
        notes=tuple(_notes(found, shown)),
        recipe=made,
        measured=DIFFERENCE,
        missing=_missing(found),
        table=None if choice.maps else _table(found, title, top or TOP, made),
    )


def _maps(found: Difference, choice: Choice, top: int | None) -> tuple[Heatmap, ...]:
    """The maps to be drawn, each with those that it is the difference of."""
    if choice.maps and top is None:
        every = {layer.name: layer.first.heads for layer in found.layers}
        return _heatmaps(found, every, choice)
    ranked = [change.head for change in found.changes[: top if choice.maps else 1]]
    wanted: Wanted = {}
    for head in ranked:
        layer = head.name.rpartition(".")[0]
        wanted[layer] = (*wanted.get(layer, ()), head.head)
    by_name = {heatmap.name: heatmap for heatmap in _heatmaps(found, wanted, choice)}
    return tuple(by_name[head.name] for head in ranked)


def _heatmaps(found: Difference, wanted: Wanted, choice: Choice) -> tuple[Heatmap, ...]:
    maps = spread(found.layers, wanted)
    first, second, both = (heatmaps(layers, choice.mean) for layers in maps)
    return tuple(
        replace(heatmap, sides=sides)
        for heatmap, sides in zip(both, zip(first, second, strict=True), strict=True)
    )


def _largest(shown: Sequence[Heatmap]) -> float:
    """The largest difference that is painted, without its sign."""
    return max(float(np.abs(heatmap.weights[heatmap.painted]).max(initial=0)) for heatmap in shown)


def _round_up(largest: float) -> float:
    """A number for the top of a scale: the next that reads well, of differences at most 1; 1 if all are 0."""
    if largest == 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(largest))
    rounded = next(step * unit for step in _ROUND if largest <= step * unit * (1 + 1e-6))
    return min(max(float(f"{rounded:.3g}"), _LEAST), 1.0)


def _title(found: Difference) -> str:
    names = [printable(seen.model.name) for seen in (found.first, found.second)]
    texts = [pages.quoted(seen) for seen in (found.first, found.second)]
    if names[0] == names[1] and not found.one_model:
        fingerprints = [seen.model.fingerprint[:8] for seen in (found.first, found.second)]
        names = [f"{name} ({digits})" for name, digits in zip(names, fingerprints, strict=True)]
    return "  ".join(" → ".join(dict.fromkeys(parts)) for parts in (names, texts))


def _notes(found: Difference, shown: Sequence[Heatmap]) -> Iterator[str]:
    yield from found.notes
    for side in (0, 1):
        yield from _alone_note(found, side)
    if not any(np.any(heatmap.weights) for heatmap in shown):
        same = "one text and one model" if found.one_model and found.one_text else "nothing differs"
        yield f"{same}: every difference is 0"
    else:
        yield "above 0: more weight in the second; below 0: more in the first"


def _alone_note(found: Difference, side: int) -> Iterator[str]:
    """What only one of the two has, and how much of its weight lies there."""
    labels = list(dict.fromkeys(label for layer in found.layers for label in _alone(layer, side)))
    if not labels:
        return
    named = ", ".join(labels[:_NAMED])
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    where = f"{('first', 'second')[side]} {'text' if found.one_model else 'model'}"
    share = percent(found.alone[side])
    yield f"in the {where} alone: {named}{more}; {share} of its weight lies there, not compared"


def _alone(layer: Beside, side: int) -> Iterator[str]:
    """The labels of keys that only one has."""
    axis = (layer.first, layer.second)[side].keys
    for pair in layer.keys:
        place = pair[side]
        if not pair.common and place is not None:
            yield axis.labels[place]


def _missing(found: Difference) -> str:
    """What it means that a cell has no difference."""
    alone = f"in one {'text' if found.one_model else 'model'} alone"
    alone += ", or seen in one alone" * found.restricted
    whole = all(maps.computed.all() for layer in found.layers for maps in (layer.first, layer.second))
    return alone if whole else f"{alone}, or never computed"


def _table(found: Difference, title: str, top: int, made: Recipe) -> Table:
    """A row a head, the most changed first."""
    shown = found.changes[:top]
    notes = [
        "change: Jensen-Shannon distance between the rows of both, 0 to 1; then where a weight changed most"
    ]
    if len(shown) < len(found.changes):
        notes.append(f"{len(shown)} of {len(found.changes)} heads, those that changed most; --top shows more")
    layers = {layer.name: layer for layer in found.layers}
    return Table(
        title=title,
        what="heads",
        columns=COLUMNS,
        rows=tuple(_row(change, layers[change.head.name.rpartition(".")[0]]) for change in shown),
        notes=tuple(notes),
        document={"changes": {change.head.name: change.change for change in found.changes}},
        recipe=made,
    )


def _row(change: HeadChange, layer: Beside) -> tuple[Cell, ...]:
    head, most = change.head, change.most
    known = (head.name, head.stack, head.layer, head.head, change.change, change.rows)
    if most is None:
        return (*known, *(None,) * (len(COLUMNS) - len(known)))
    labels = layer.label("queries", most.query), layer.label("keys", most.key)
    return (*known, *labels, most.query, most.key, most.first, most.second, most.second - most.first)


def _recipe(found: Difference, choice: Choice, style: Style, top: int | None) -> Recipe:
    return recipe(
        "diff",
        (found.first, found.second),
        choice,
        style,
        listing=Listing(top=top) if top else None,
        view="difference",
        reduction={"hidden": [dict(hidden) for hidden in found.hidden], "alone": list(found.alone)},
    )

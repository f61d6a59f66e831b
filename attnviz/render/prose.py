"""What a figure shows, in words: a caption made of its recipe, and a text for who cannot see it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import accumulate, takewhile
from typing import Any

import numpy as np

from attnviz.inputs import printable
from attnviz.recipes import Recipe, Style, Varying
from attnviz.render.plots import Chart, Curve, Plot
from attnviz.render.rows import HeadTable, Steps, Table
from attnviz.render.views import HeadGrid, HeadLines, Heatmap, Page, TokenStrip, View

LONGEST_TEXT = 60  # characters of a sample that are quoted
_CELLS = 3  # that are told of a map
_NAMED = 4  # maps, rows or samples that are named one by one
_AXES = "rows are queries, columns are keys"
_SCALES = {
    "linear": "colours run evenly",
    "sqrt": "colours run with the square root of the weight",
    "log": "colours run with the logarithm of the weight",
}


def caption(recipe: Recipe) -> str:
    """One line: the model, what is shown and of which text, what was averaged or hidden with its share of the
    weight, how neighbours were put together, and the scale. Whatever a recipe says is shown as it is."""
    what = f"{_what(recipe)} of {_model(recipe.model)}{_samples(recipe.sample)}"
    notes = [printable(str(note)) for note in _listed(recipe.reduction.get("notes"))]
    parts = [what, *notes, *_scale(recipe)]
    return " ".join(f"{_begun(part.rstrip('.'))}." for part in parts)


def alternative_text(view: View) -> str:
    """What can be seen, told by the strongest cells or the first rows; one line."""
    view = view.page if isinstance(view, HeadLines | TokenStrip) else view
    if isinstance(view, Page):
        return f"{view.title}. {_page(view)}"
    if isinstance(view, Table):
        return f"{view.title}. A table of {len(view.rows)} {view.what}."
    if isinstance(view, Steps):
        return f"{view.title}. {'; '.join(table.title for table in view.tables)}."
    if isinstance(view, HeadTable):
        return f"{view.title}. {_table(view)}"
    if isinstance(view, Chart):
        return f"{view.title}. {' '.join(_plot(plot) for plot in view.plots)}"
    return f"{view.title}. {_grid(view)}"


def _what(recipe: Recipe) -> str:
    shown = ", ".join(printable(str(title)) for title in _listed(recipe.reduction.get("shown")))
    if recipe.command == "align":
        return f"Cross-attention weights ({shown}; columns are the source)"
    if recipe.command == "variants":
        head = printable(str(recipe.reduction.get("head", "")))
        return (
            f"Variants of the attention weights of head {head} ({_varied(recipe.varying) or shown}; {_AXES})"
        )
    if recipe.command not in ("heatmap", "heads"):
        return f"What attnviz {printable(recipe.command)} shows" + (f" ({shown})" if shown else "")
    if recipe.listing is None:
        return f"Attention weights ({shown}; {_AXES})" if shown else "Attention weights"
    listing = recipe.listing
    named = f"The {printable(listing.grid)}" if listing.grid else "Statistics"
    chosen = f" where {printable(listing.where)}" if listing.where else ""
    order = f", by {printable(listing.sort)}" if listing.sort else ""
    first = f"the first {listing.top} " if listing.top else ""
    return f"{named} of {first}heads{chosen}{order}"


def _varied(asked: Varying | None) -> str:
    """What was asked for besides the model's own, by name: "scores dot, scaled; temperature 0.1"."""
    texts = {} if asked is None else {name: text for name, text in asdict(asked).items() if text is not None}
    parts = {name: [printable(part.strip()) for part in text.split(",")] for name, text in texts.items()}
    return "; ".join(f"{name}{'s' * (len(each) > 1)} {', '.join(each)}" for name, each in parts.items())


def _model(entry: Mapping[str, Any]) -> str:
    if isinstance(several := entry.get("models"), list):
        return " and ".join(_model(each) for each in several if isinstance(each, dict))
    name, revision = (printable(str(entry.get(key) or "")) for key in ("name", "revision"))
    return (name or "a model") + (f" (revision {revision})" if revision else "")


def _samples(entry: Mapping[str, Any]) -> str:
    several = entry.get("samples")
    if isinstance(several, list):
        return f", over {len(several)} samples"
    texts = [shortened(str(entry[key])) for key in ("text", "pair") if entry.get(key)]
    if texts:
        return f" reading {' / '.join(texts)}"
    return f" reading {printable(str(entry['name']))}" if entry.get("name") else ""


def shortened(text: str) -> str:
    """As much of a text as a title has room for, in quotation marks; escapes in it whole or not at all."""
    pieces = [printable(letter) for letter in text.strip()[: LONGEST_TEXT + 1]]
    if sum(map(len, pieces)) <= LONGEST_TEXT:
        return f"“{''.join(pieces)}”"
    kept = takewhile(lambda end: end < LONGEST_TEXT, accumulate(map(len, pieces)))
    return f"“{''.join(pieces[: len(list(kept))]).rstrip()}…”"


def _scale(recipe: Recipe) -> Iterable[str]:
    style: Style = recipe.style
    if recipe.command in ("heatmap", "align", "variants") and (top := style.vmax) is not None:
        yield f"{_SCALES.get(style.scale, style.scale)} from 0 to {top:g}"


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def _page(page: Page) -> str:
    if page.atlas is not None and not page.heatmaps:
        return f"Small maps of {page.atlas.title}. {_strongest_maps([each for *_, each in page.atlas.maps])}"
    maps = " ".join(_map(heatmap) for heatmap in page.heatmaps[:_NAMED])
    more = len(page.heatmaps) - _NAMED
    return maps + (f" And {more} more maps." if more > 0 else "")


def _map(heatmap: Heatmap) -> str:
    rows, columns = heatmap.weights.shape
    return f"{_begun(heatmap.title)}, {rows} queries by {columns} keys; strongest: {_cells(heatmap, _CELLS)}."


def _strongest_maps(heatmaps: Sequence[Heatmap]) -> str:
    """Of the maps with the largest weights, the largest each."""
    tops = [(_top(heatmap), -place) for place, heatmap in enumerate(heatmaps)]
    best = [heatmaps[-place] for _, place in sorted(tops, reverse=True)[:_CELLS]]
    return f"Strongest: {'; '.join(f'{each.name}: {_cells(each, 1)}' for each in best)}."


def _top(heatmap: Heatmap) -> float:
    return float(np.where(heatmap.painted, heatmap.weights, -1).max(initial=-1))


def _cells(heatmap: Heatmap, count: int) -> str:
    """ "it" to "cat" 0.74, the strongest first; of equals the first."""
    weights = np.where(heatmap.painted, heatmap.weights, -np.inf)
    order = np.argsort(-weights, axis=None, kind="stable")[:count]
    places = [divmod(int(place), weights.shape[1]) for place in order]
    return ", ".join(
        f"“{heatmap.query_labels[query]}” to “{heatmap.key_labels[key]}” {weights[query, key]:.2f}"
        for query, key in places
        if np.isfinite(weights[query, key])
    )


def _table(view: HeadTable) -> str:
    rows = "; ".join(f"{row.head.name} {row.pattern}" for row in view.rows[:_NAMED])
    return f"{len(view.rows)} of {view.of} heads: {rows}{'; …' if len(view.rows) > _NAMED else ''}."


def _plot(plot: Plot) -> str:
    named = [curve for curve in plot.curves if not curve.faint]
    curves = "; ".join(_curve(curve) for curve in named[:_NAMED]) + ("; …" if len(named) > _NAMED else "")
    return f"{_begun(plot.title)}, {plot.up} by {plot.across}: {curves}."


def _curve(curve: Curve) -> str:
    """Where it begins and where it ends."""
    there = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if not math.isnan(y)]
    (first, low), (last, high) = there[0], there[-1]
    return f"{curve.name} from {low:.3g} at {first:,.0f} to {high:.3g} at {last:,.0f}"


def _grid(view: HeadGrid) -> str:
    values = [
        (float(value), f"{stack.name}.{layer}.{head}".lstrip("."))
        for stack in view.stacks
        for layer, row in zip(stack.layers, stack.values, strict=True)
        for head, value in enumerate(row)
        if not np.isnan(value)
    ]
    best = sorted(values, key=lambda entry: -entry[0])[:_CELLS]
    return f"{_begun(view.measured)} of {len(values)} heads; largest: " + (
        ", ".join(f"{name} {value:.2f}" for value, name in best) + "."
    )

"""A capture and a choice, made into a page: what is shown, under which title, with which notes."""

from typing import get_args

from attnviz.analysis.average import heatmaps
from attnviz.analysis.queries import alone
from attnviz.analysis.reduce import reduced
from attnviz.analysis.select import at_hand
from attnviz.captures import Capture, LayerMaps
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.recipes import Choice, Style, ViewName, recipe
from attnviz.render.colours import colours
from attnviz.render.prose import shortened
from attnviz.render.views import Atlas, HeadLines, Heatmap, Page, Scale, TokenStrip, View
from attnviz.venues import NARROWEST, WIDEST

MOST_DOTS = 16_384  # across a figure
ALONE = ("lines", "strip")
"""Views that without a choice show one map."""

FEW = 4  # maps that need no overview
_TITLES = 8  # of maps that a recipe names one by one
_DPI, _POINTS = (30, 1200), (2, 40)


def heatmap_view(
    capture: Capture, choice: Choice, style: Style, view: ViewName = "heatmap"
) -> Page | HeadLines | TokenStrip:
    """What ``attnviz heatmap`` shows, as that view.

    Raises UsageError or SelectionError for a choice that means nothing here.
    """
    page = heatmap_page(capture, choice, style, view)
    if view == "lines":
        return HeadLines(page)
    return TokenStrip(page) if view == "strip" else page


def kind_of(view: ViewName) -> type[View]:
    """What a view is drawn from."""
    kinds: dict[str, type[View]] = {"lines": HeadLines, "strip": TokenStrip}
    return kinds.get(view, Page)


def heatmap_page(capture: Capture, choice: Choice, style: Style, view: ViewName = "heatmap") -> Page:
    """The page of ``attnviz heatmap``.

    view: "heatmap": with a choice of maps those maps, and where few were kept these; else an overview of
          every layer and head, and one map, the mean over the heads of the last layer; "maps": every chosen
          map under its labels; "atlas": every chosen map, small, under its name; "lines", "strip": the chosen
          maps, or that mean
    Raises UsageError or SelectionError for a choice that means nothing here.
    """
    check(style)
    check_view(view, choice)
    chosen = at_hand(capture, choice)
    outcome = reduced(chosen.maps, choice)
    few = chosen.notes != capture.notes and _count(chosen.maps) <= FEW
    maps, asked = _asked(outcome.maps, choice)
    shown, atlas = _content(maps, choice, "maps" if few and view == "heatmap" else view)
    notes = (*chosen.notes, *outcome.notes, *asked)
    reduction = {
        "hidden": outcome.hidden,
        "groups": _groups(outcome.maps),
        "shown": [*([atlas.title] if atlas else []), *titles(shown)],
        "notes": list(notes),
    }
    made = recipe("heatmap", capture, choice, style, view=view, reduction=reduction)
    return Page(
        title=title_of(capture) if style.title is None else printable(style.title),
        heatmaps=shown,
        atlas=atlas,
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or "viridis",
        notes=notes,
        recipe=made,
    )


def _asked(maps: tuple[LayerMaps, ...], choice: Choice) -> tuple[tuple[LayerMaps, ...], tuple[str, ...]]:
    """Of a strip the maps it shows, with one row each, and what is said of that; else all as they are."""
    if choice.query is None:
        return maps, ()
    return alone(maps if choice.maps else maps[-1:], choice.query)


def _content(
    maps: tuple[LayerMaps, ...], choice: Choice, view: ViewName
) -> tuple[tuple[Heatmap, ...], Atlas | None]:
    if view == "atlas":
        return (), _atlas(maps)
    if choice.maps or view == "maps":
        return heatmaps(maps, choice.mean), None
    if view in ALONE:
        return heatmaps(maps[-1:], "heads"), None
    return heatmaps(maps[-1:], "heads"), _atlas(maps)


def titles(heatmaps: tuple[Heatmap, ...]) -> list[str]:
    """Of the maps; of many how many they are."""
    return [each.title for each in heatmaps] if len(heatmaps) <= _TITLES else [f"{len(heatmaps)} maps"]


def check_view(view: ViewName, choice: Choice) -> None:
    """Raises UsageError for a view that is not there, or that the choice does not go with."""
    if view not in get_args(ViewName):
        raise UsageError(f"--view {view!r} is none of {', '.join(get_args(ViewName))}")
    if (view == "strip") != (choice.query is not None):
        raise UsageError("--view strip goes with --query WORD, or a token's number: whose attention it shows")
    if view == "atlas" and choice.mean:
        raise UsageError(f"--view atlas shows every head by itself: leave out --mean {choice.mean}")


def _count(layers: tuple[LayerMaps, ...]) -> int:
    return sum(len(layer.heads) for layer in layers)


def check(style: Style) -> None:
    """Raises UsageError for a style that cannot be drawn."""
    if style.scale not in ("linear", "log", "sqrt"):
        raise UsageError(f"--scale {style.scale!r} is none of linear, log, sqrt")
    colours(style.cmap or "viridis")
    for name, value, (least, most) in (
        ("--dpi", style.dpi, _DPI),
        ("--font-size", style.font_size, _POINTS),
        ("--width", style.width or WIDEST, (NARROWEST, WIDEST)),
    ):
        if not least <= value <= most:
            raise UsageError(f"{name} {value:g} is not between {least:g} and {most:g}")
    if style.width is not None and style.width * style.dpi > MOST_DOTS:
        raise UsageError(
            f"--width {style.width:g}in at --dpi {style.dpi} is {style.width * style.dpi:,.0f} dots: "
            f"{MOST_DOTS:,} are the most"
        )
    if style.vmax is not None and not 1e-3 <= style.vmax <= 1:
        raise UsageError(f"--vmax {style.vmax:g} is no weight: give one from 0.001 to 1")


def _groups(layers: tuple[LayerMaps, ...]) -> list[int]:
    """How many tokens make an entry where maps were pooled while the model ran, of queries and of keys."""
    axes = (layers[0].queries, layers[0].keys)
    return [axis.positions[1] - axis.positions[0] for axis in axes if axis.unit == "group" and len(axis) > 1]


def _atlas(layers: tuple[LayerMaps, ...]) -> Atlas:
    cells = [
        (row, head, view)
        for row, layer in enumerate(layers)
        for head, view in zip(layer.heads, heatmaps([layer]), strict=True)
    ]
    return Atlas(tuple(layer.name for layer in layers), tuple(cells))


def title_of(capture: Capture) -> str:
    """The model and what it read."""
    return f"{printable(capture.model.name)}  {quoted(capture)}"


def quoted(capture: Capture) -> str:
    """The beginning of what was read, or its name where the text was not kept."""
    sample = capture.sample
    texts = [sample.text] if sample.pair is None else [sample.text, sample.pair]
    return " / ".join(shortened(text) for text in texts if text) or printable(sample.name)

"""A capture and a choice, made into a page: what is shown, under which title, with which notes."""

from typing import get_args

from attnviz.analysis.average import heatmaps
from attnviz.analysis.reduce import reduced
from attnviz.analysis.select import selected
from attnviz.captures import Capture, LayerMaps
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.recipes import Choice, Style, ViewName, recipe
from attnviz.render.colours import colours
from attnviz.render.views import Atlas, Heatmap, Page, Scale

MOST_DOTS = 16_384  # across a figure
TITLE_LENGTH = 60  # characters of the text in a title


def heatmap_page(capture: Capture, choice: Choice, style: Style, view: ViewName = "heatmap") -> Page:
    """The page of ``attnviz heatmap``.

    view: "heatmap": with a choice of maps those maps; else an overview of every layer and head, and one map,
          the mean over the heads of the last layer; "maps": every chosen map under its labels; "atlas": every
          chosen map, small, under its name
    Raises UsageError or SelectionError for a choice that means nothing here.
    """
    check(style)
    check_view(view, choice)
    outcome = reduced(selected(capture, choice).maps, choice)
    shown, atlas = _content(outcome.maps, choice, view)
    reduction = {"hidden": outcome.hidden, "groups": _groups(outcome.maps)}
    made = recipe("heatmap", capture, choice, style, view=view, reduction=reduction)
    return Page(
        title=title_of(capture) if style.title is None else printable(style.title),
        heatmaps=shown,
        atlas=atlas,
        scale=Scale(style.scale, style.vmax),
        cmap=style.cmap,
        notes=(*capture.notes, *outcome.notes),
        recipe=made,
    )


def _content(
    maps: tuple[LayerMaps, ...], choice: Choice, view: ViewName
) -> tuple[tuple[Heatmap, ...], Atlas | None]:
    if view == "atlas":
        return (), _atlas(maps)
    if choice.maps or view == "maps":
        return heatmaps(maps, choice.mean), None
    return heatmaps(maps[-1:], "heads"), _atlas(maps)


def check_view(view: ViewName, choice: Choice) -> None:
    """Raises UsageError for a view that is not there, or that the choice does not go with."""
    if view not in get_args(ViewName):
        raise UsageError(f"--view {view!r} is none of {', '.join(get_args(ViewName))}")
    if view == "atlas" and choice.mean:
        raise UsageError(f"--view atlas shows every head by itself: leave out --mean {choice.mean}")


def check(style: Style) -> None:
    """Raises UsageError for a style that cannot be drawn."""
    if style.scale not in ("linear", "log", "sqrt"):
        raise UsageError(f"--scale {style.scale!r} is none of linear, log, sqrt")
    colours(style.cmap)
    if style.width is not None and style.width * style.dpi > MOST_DOTS:
        raise UsageError(
            f"--width {style.width:g}in at --dpi {style.dpi} is {style.width * style.dpi:,.0f} dots: "
            f"{MOST_DOTS:,} are the most"
        )
    if not 1e-3 <= style.vmax <= 1:
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
    sample = capture.sample
    texts = [sample.text] if sample.pair is None else [sample.text, sample.pair]
    quoted = " / ".join(f"“{_shortened(printable(text.strip()))}”" for text in texts if text)
    return f"{printable(capture.model.name)}  {quoted or printable(sample.name)}"


def _shortened(text: str) -> str:
    return text if len(text) <= TITLE_LENGTH else text[: TITLE_LENGTH - 1].rstrip() + "…"

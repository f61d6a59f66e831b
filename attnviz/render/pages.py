"""A capture and a choice, made into a page: what is shown, under which title, with which notes."""

from attnviz.analysis.average import heatmaps
from attnviz.analysis.reduce import reduced
from attnviz.analysis.select import selected
from attnviz.captures import Capture, LayerMaps
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.recipes import Choice, Style, recipe
from attnviz.render.colours import colours
from attnviz.render.views import Atlas, Page, Scale

MOST_DOTS = 16_384  # across a figure
TITLE_LENGTH = 60  # characters of the text in a title


def heatmap_page(capture: Capture, choice: Choice, style: Style) -> Page:
    """The page of ``attnviz heatmap``.

    With a choice of maps those maps; else an overview of every layer and head, and one map: the mean
    over the heads of the last layer.
    Raises UsageError or SelectionError for a choice that means nothing here.
    """
    check(style)
    chosen = selected(capture, choice)
    outcome = reduced(chosen.maps, choice)
    if choice.maps:
        shown, atlas = heatmaps(outcome.maps, choice.mean), None
    else:
        shown, atlas = heatmaps(outcome.maps[-1:], "heads"), _atlas(outcome.maps)
    reduction = {"hidden": outcome.hidden, "groups": _groups(outcome.maps)}
    made = recipe("heatmap", capture, choice, style, reduction=reduction)
    return Page(
        title=title_of(capture) if style.title is None else printable(style.title),
        heatmaps=shown,
        atlas=atlas,
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or "viridis",
        notes=(*capture.notes, *outcome.notes),
        recipe=made,
    )


def atlas_page(capture: Capture, choice: Choice, style: Style) -> Page:
    """The chosen heads as small maps without labels, and nothing else. Raises as ``heatmap_page`` does."""
    check(style)
    outcome = reduced(selected(capture, choice).maps, choice)
    reduction = {"hidden": outcome.hidden, "groups": _groups(outcome.maps)}
    return Page(
        title=title_of(capture) if style.title is None else printable(style.title),
        heatmaps=(),
        atlas=_atlas(outcome.maps),
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or "viridis",
        notes=(*capture.notes, *outcome.notes),
        recipe=recipe("heatmap", capture, choice, style, view="atlas", reduction=reduction),
    )


def check(style: Style) -> None:
    """Raises UsageError for a style that cannot be drawn."""
    if style.scale not in ("linear", "log", "sqrt"):
        raise UsageError(f"--scale {style.scale!r} is none of linear, log, sqrt")
    colours(style.cmap or "viridis")
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
    beginnings = (f"“{_shortened(printable(text.strip()))}”" for text in texts if text)
    return " / ".join(beginnings) or printable(sample.name)


def _shortened(text: str) -> str:
    return text if len(text) <= TITLE_LENGTH else text[: TITLE_LENGTH - 1].rstrip() + "…"

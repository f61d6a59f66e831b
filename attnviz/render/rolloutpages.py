"""Attention rollout as a page: one map for each stack, up to its last layer."""

import numpy as np

from attnviz.analysis import naming, reduce
from attnviz.analysis.reduce import reduced
from attnviz.captures import Booleans, Capture, LayerMaps
from attnviz.errors import SelectionError, UsageError
from attnviz.inputs import printable
from attnviz.recipes import Choice, Style, recipe
from attnviz.render import pages
from attnviz.render.views import Heatmap, Page, Scale

MEASURED = "share after rollout"


def check(choice: Choice, style: Style) -> None:
    """Raises UsageError for what cannot be understood, or says nothing of a rollout, whatever the model."""
    naming.check(choice)
    reduce.check(choice)
    pages.check(style)
    if choice.maps or choice.kind:
        raise UsageError("a rollout is of all layers and heads: leave out layer, head, kind and mean")


def rollout_page(capture: Capture, choice: Choice, style: Style) -> Page:
    """How much of each token reaches each other one through all layers (Abnar & Zuidema 2020).

    choice: its tokens, special tokens and words
    Raises SelectionError if no rollout was kept.
    """
    pages.check(style)
    last = {maps.stack: maps for maps in capture.rollout}
    if not last:
        said = [note for note in capture.notes if "rollout" in note]
        raise SelectionError(f"there is no rollout of {printable(capture.sample.name)}: {'; '.join(said)}")
    outcome = reduced(tuple(last.values()), choice)
    shown = tuple(map(_heatmap, outcome.maps))
    notes = (*capture.notes, *outcome.notes, "rollout: product over layers of (mean over heads + I) / 2")
    reduction = {"hidden": outcome.hidden, "shown": [each.title for each in shown], "notes": list(notes)}
    made = recipe("rollout", capture, choice, style, view="rollout", reduction=reduction)
    return Page(
        title=pages.title_of(capture) if style.title is None else printable(style.title),
        heatmaps=shown,
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or "viridis",
        notes=notes,
        recipe=made,
        measured=MEASURED,
    )


def _heatmap(maps: LayerMaps) -> Heatmap:
    stack = f"{maps.stack} " if maps.stack else ""
    return Heatmap(
        name=f"{maps.stack}.rollout".removeprefix("."),
        title=f"{stack}rollout up to layer {maps.layer}",
        weights=maps.weights[0],
        visible=_whole(maps.visible, maps),
        computed=_whole(maps.computed, maps),
        query_labels=maps.queries.labels,
        key_labels=maps.keys.labels,
        unit=maps.queries.unit,
        query_positions=maps.queries.positions,
        key_positions=maps.keys.positions,
    )


def _whole(mask: Booleans, maps: LayerMaps) -> Booleans:
    whole: Booleans = np.broadcast_to(mask, maps.weights.shape)[0]
    return whole

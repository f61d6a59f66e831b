"""The words of a translation beside those of its source, as a page: ``attnviz align``."""

from typing import Any

from attnviz.analysis.translated import Aligned, Alignment
from attnviz.inputs import printable
from attnviz.recipes import Aligning, Style, recipe
from attnviz.render.pages import titles
from attnviz.render.prose import shortened
from attnviz.render.views import Page, Scale

WRITTEN = "rows are words of the target as they are written"
STRONGEST = "each target word's strongest source word"


def align_page(found: Aligned, style: Style) -> Page:
    """Rows are words of the target, columns those of the source and its special tokens.

    The ink: how much each was looked at while the word of the row was written, 0 to 1; of a word of several
    tokens their sum where it is looked at, their mean where it is written. Dots: the links.
    """
    heatmaps = tuple(each.heatmap for each in found.alignments)
    notes = (WRITTEN, *_best(found), *found.notes)
    reduction = {"hidden": found.hidden, "shown": titles(heatmaps), "notes": list(notes)}
    made = recipe(
        "align", found.capture, found.choice, style, aligning=Aligning(found.threshold), reduction=reduction
    )
    return Page(
        title=_title(found) if style.title is None else printable(style.title),
        heatmaps=heatmaps,
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or "viridis",
        notes=notes,
        recipe=made,
        axes=("target", "source"),
        marked=STRONGEST if found.threshold is None else f"{STRONGEST}, and all from {found.threshold:g} on",
        document=_document(found),
    )


def _best(found: Aligned) -> tuple[str, ...]:
    """Why it is this head that is shown, if it is because of how well it aligns."""
    best = found.capture.model.best
    shown = [each.name for each in found.alignments]
    return (f"{best} is the head that aligned best when the model was trained",) if shown == [best] else ()


def _title(found: Aligned) -> str:
    """The model, what it read and what was written."""
    model = printable(found.capture.model.name)
    return f"{model}  {shortened(found.source)} → {shortened(found.translation)}"


def _document(found: Aligned) -> dict[str, Any]:
    return {
        "source": found.source,
        "translation": found.translation,
        "source_words": found.source_words,
        "target_words": found.target_words,
        "alignments": [_entry(each) for each in found.alignments],
    }


def _entry(each: Alignment) -> dict[str, Any]:
    """One alignment in Pharaoh's format, and link by link with its weight."""
    links = [
        {"source": source, "target": target, "weight": float(each.weights[target, source])}
        for source, target in each.links
    ]
    return {"name": each.name, "pharaoh": each.pharaoh, "links": links}

"""One head looked at closely, its queries and keys: the verbs of ``attnviz.api`` that study one."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attnviz import DEFAULT_MODEL
from attnviz.captures import Head
from attnviz.errors import RoomError
from attnviz.inputs import printable
from attnviz.recipes import Choice, Style, Varying
from attnviz.render.rows import Steps
from attnviz.render.views import Page
from attnviz.wishes import encoded_all, several

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedModel

    from attnviz.analysis.naming import Wanted
    from attnviz.facts import LayerFacts
    from attnviz.models.base import Encoded, Source
    from attnviz.observe.progress import Report
    from attnviz.projections import Projections
    from attnviz.variation import Variant
    from attnviz.wishes import Readable

TELLING = ("interface", "own")
"""Routes on which queries and keys come by."""


def variants(
    sample: "Readable",
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    score: str | None = None,
    temperature: str | None = None,
    mask: str | None = None,
    choice: Choice = Choice(),
    style: Style = Style(),
    truncate: bool = False,
    report: "Report | None" = None,
) -> Page:
    """What one head makes of its queries and keys in other ways: ``attnviz variants``.

    score:       "dot,scaled,cosine,linear"; "general", "concat" and "additive" of models that learnt them
    temperature: "0.1,1,5"; at 0 the key with the largest score has it all
    mask:        "causal,window:2,global:0", on top of the model's own; "window:2+global:0" what either
                 allows, "causal&window:2" what both do
    choice:      the head; without one, or among several, the one that looks hardest beyond its neighbours
    Each score goes with each temperature under each mask; what is not given is the model's own, and with
    nothing given the scores are dot, scaled, cosine and linear, or the one that it learnt.
    Raises UsageError for what cannot be understood, ModelError for a model that gives no queries and keys,
    SelectionError for a score with parameters that it has not learnt.
    """
    from attnviz.observe.variants import varied
    from attnviz.render import variantpages
    from attnviz.variation import rescored

    asked = check_variants(score, temperature, mask, choice, style)
    made, notes = _looked_at(sample, model, tokenizer, choice, truncate=truncate, report=report)
    asked = asked if score is not None or made.score == "scaled" else rescored(asked, made.score)
    written = Varying(score, temperature, mask)
    return variantpages.variant_page(
        made, asked, varied(made, asked), choice=choice, style=style, asked=written, notes=notes
    )


def check_variants(
    score: str | None, temperature: str | None, mask: str | None, choice: Choice, style: Style
) -> "tuple[Variant, ...]":
    """The variants that are meant. Raises UsageError for what cannot be understood, whatever the model."""
    from attnviz.analysis import naming, reduce
    from attnviz.render import variantpages
    from attnviz.variation import variants_of

    naming.check(choice)
    reduce.check(choice)
    variantpages.check(choice, style)
    return variants_of(score, temperature, mask)


def explain(
    sample: "Readable",
    word: str,
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    choice: Choice = Choice(),
    style: Style = Style(),
    truncate: bool = False,
    report: "Report | None" = None,
) -> Steps:
    """One query followed through by numbers: ``attnviz heatmap --explain``.

    word:   whose attention: a token by its number from 0, else a token or a word of the text; the first where
            it stands several times
    choice: the head; without one, or among several, the one that looks hardest at a token beyond its
            neighbours, from this word
    Raises SelectionError for a word that is not there, ModelError for a model that gives no queries and keys.
    """
    from attnviz.analysis.queries import row_of
    from attnviz.analysis.steps import worked
    from attnviz.render import explainpages

    check_explain(choice, style)
    made, notes = _looked_at(sample, model, tokenizer, choice, word=word, truncate=truncate, report=report)
    row, told = row_of(made.axes[0], word)
    every = (*notes, *([told] if told else []), *made.seen.notes)
    asked = replace(choice, query=word)
    return explainpages.explanation(made, worked(made, row), choice=asked, style=style, notes=every)


def check_explain(choice: Choice, style: Style) -> None:
    """Raises UsageError for what cannot be understood, or says nothing of one row, whatever the model."""
    from attnviz.analysis import naming
    from attnviz.render import explainpages

    naming.check(choice)
    explainpages.check(choice, style)


def _looked_at(
    sample: "Readable",
    model: "str | Source | PreTrainedModel",
    tokenizer: Any,
    choice: Choice,
    *,
    word: str | None = None,
    truncate: bool,
    report: "Report | None",
) -> "tuple[Projections, tuple[str, ...]]":
    """What the head that is meant made its weights of, and how it was found."""
    from attnviz.models.given import source_of
    from attnviz.observe.vectors import projections

    source = source_of(model, tokenizer)
    (encoded,) = encoded_all(source, several(sample, None), truncate=truncate)
    head, notes = _head(source, encoded, choice, word, report)
    return projections(source, encoded, head, report=report), notes


def _head(
    source: "Source", encoded: "Encoded", choice: Choice, word: str | None, report: "Report | None"
) -> tuple[Head, tuple[str, ...]]:
    """The only head of the choice, or of several the one that looks hardest beyond its neighbours."""
    from attnviz.analysis.naming import wanted_heads
    from attnviz.analysis.strongest import strongest
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.run import observe

    layers = {layer.name: layer for layer in source.facts.layers}
    wanted = _told(layers, wanted_heads(source.facts.layers, choice))
    heads = [
        Head(layers[name].stack, layers[name].layer, head) for name, some in wanted.items() for head in some
    ]
    if len(heads) == 1:
        return heads[0], ()
    try:
        head, weight = strongest(observe(source, encoded, [KeepMaps(wanted)], report=report), word)
    except RoomError as error:
        raise error.advising("name one head with -H, such as -H 0.0") from error
    if weight == 0:
        asking = "none looks" if word is None else f"from {printable(word)} none looks"
        return head, (f"head {head.name}: the first of {len(heads)}, since {asking} beyond its neighbours",)
    rows = "on the mean over its rows" if word is None else f"from {printable(word)}"
    why = f"of {len(heads)} heads the one that looks hardest beyond its neighbours, {rows}"
    return head, (f"head {head.name}: {why}",)


def _told(layers: "Mapping[str, LayerFacts]", wanted: "Wanted") -> "Wanted":
    """Those of layers that may tell their queries and keys; all where none does, for that to be said."""
    told = {name: heads for name, heads in wanted.items() if layers[name].route in TELLING}
    return told or wanted

"""Heads of one model beside those of another: the verbs of ``attnviz.api`` that compare."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast, get_args, get_type_hints

from attnviz.analysis.comparison import Comparison, Matching, Measure
from attnviz.captures import Capture
from attnviz.capturing import capture, load_model
from attnviz.errors import UsageError
from attnviz.inputs import Sample
from attnviz.recipes import Comparing, Style
from attnviz.render.rows import Table
from attnviz.render.views import HeadGrid, Page
from attnviz.wishes import WORDS

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from attnviz.models.base import Source
    from attnviz.observe.progress import Report


def compare(
    models: "Sequence[str | Source | PreTrainedModel | Capture | Sequence[Capture]]",
    texts: "str | Sequence[str | Sample] | None" = None,
    *,
    measure: Measure = "js",
    match: Matching = "one-to-one",
    as_is: bool = False,
    seed: int = 0,
    truncate: bool = False,
    report: "Report | None" = None,
) -> Comparison:
    """Every head of one model beside every head of another, over some texts: what ``attnviz compare`` finds.

    models:  two, each a name, what ``load_model`` returns, a model of transformers; or what was captured of
             the texts, with the maps of all heads (``keep="words"`` or ``"all"``)
    texts:   what both read; left out beside captures. Maps of no more than a few texts are held at a time
    measure: "js", 1 - Jensen-Shannon distance; "cka", centred kernel alignment
    match:   each head has one of its own ("one-to-one"), or its "nearest"
    as_is:   compare also what only one of the two may see
    seed:    of what is drawn for the null and for the intervals
    To compare more than two: ``[attnviz.compare([first, other], texts) for other in others]``.
    Raises UsageError for what cannot be understood, InputError for texts that a model cannot take and for
    models that have nothing in common.
    """
    from attnviz.analysis import compare as comparing

    check_comparing(Comparing(measure, match, as_is, seed))
    if isinstance(models, str) or len(models) != 2:
        count = 1 if isinstance(models, str) else len(models)
        raise UsageError(f"compare takes two models, not {count}: give [first, second]")
    first, second = (_seen_by(model, texts, truncate, report) for model in _told_apart(models))
    return comparing.compare(first, second, measure=measure, matching=match, as_is=as_is, seed=seed)


def comparison_view(
    found: Comparison,
    view: str = "matches",
    *,
    seen: "Sequence[Capture]" = (),
    style: Style = Style(),
    top: int | None = None,
) -> Page | HeadGrid | Table:
    """A comparison as a table of "matches"; every head, or layer, beside every other ("heads", "layers"); of
    models of one architecture the heads "ranked" by their change, or the "change" of each in its place; or
    the "maps" of the best and worst matches.

    seen: for "maps": two captures of one text, by the first model and by the second
    top:  so many rows of a table ("matches", the most alike first, and "ranked"); else all
    Raises UsageError for another view, SelectionError for changes of models with other heads.
    """
    from attnviz.render import comparepages

    both = comparepages.Seen(*seen) if seen else None
    return comparepages.comparison_view(found, view, style, both, top=top)


def check_comparing(comparing: Comparing) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    for name, value in (("measure", comparing.measure), ("match", comparing.match)):
        known = get_args(get_type_hints(Comparing)[name])
        if value not in known:
            raise UsageError(f"{name}={value!r} is none of {', '.join(known)}")


def _told_apart(
    models: "Sequence[str | Source | PreTrainedModel | Capture | Sequence[Capture]]",
) -> "list[str | Source | PreTrainedModel | Capture | Sequence[Capture]]":
    """The models; directories of one name are loaded, under names that tell them apart."""
    from attnviz.models.called import apart, called

    names = apart([model if isinstance(model, str) else "" for model in models])
    return [
        called(load_model(model), told) if told and isinstance(model, str) else model
        for model, told in zip(models, names, strict=True)
    ]


def _seen_by(
    model: "str | Source | PreTrainedModel | Capture | Sequence[Capture]",
    texts: "str | Sequence[str | Sample] | None",
    truncate: bool,
    report: "Report | None",
) -> "Sequence[Capture]":
    """What a model sees of the texts, one at a time; captures as they are."""
    if isinstance(model, Capture):
        return [model]
    if isinstance(model, Sequence) and not isinstance(model, str):
        return cast("Sequence[Capture]", model)
    if texts is None:
        raise UsageError(
            "no texts: compare models on some, compare([first, second], texts), or give captures"
        )
    samples: list[str | Sample] = [texts] if isinstance(texts, str) else list(texts)
    return capture(samples, model=model, keep=WORDS, statistics=False, truncate=truncate, report=report)

"""Translations beside what they were written from: the verbs of ``attnviz.api`` that align."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attnviz import DEFAULT_TRANSLATOR
from attnviz.analysis import naming, reduce, translated
from attnviz.analysis.translated import Aligned
from attnviz.captures import Capture
from attnviz.errors import ModelError, UsageError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, check_texts, printable
from attnviz.recipes import Choice, Style
from attnviz.render.views import Page

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from attnviz.models.base import Encoded, Source
    from attnviz.observe.progress import Report

ROOM = 64
"""Tokens that a translation may have besides one for each character of its source."""


def align(
    source: "str | Sample | Capture",
    target: str | None = None,
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_TRANSLATOR,
    tokenizer: Any = None,
    best: bool = False,
    threshold: float | None = None,
    choice: Choice = Choice(),
    truncate: bool = False,
    report: "Report | None" = None,
) -> Aligned:
    """Which source words a translator looks at while it writes each word of the target: ``attnviz align``.

    source:    a text; a Sample, whose pair is the target and whose ``generate`` is how many tokens the model
               may write; or a capture of such a sample, and no model is run
    target:    what the model is made to write; without it, it translates, always writing the likeliest token
    model:     a name, what ``load_model(..., generates=True)`` returns, or an encoder-decoder of transformers
    best:      show the head that was found to align best when the model was trained
    threshold: link all words with at least this weight, 0 to 1, besides each target word's strongest
    choice:    which heads, or the mean over which; without one the best, where that is known, else the mean
               over the heads of the last cross-attention but one
    Raises ModelError for a model without cross-attention, InputError for a text that it cannot take,
    UsageError and SelectionError for a choice that means nothing here.
    """
    check_align(choice, best=best, threshold=threshold)
    if isinstance(source, Capture):
        chosen = settled(source.model, choice, best=best)
        return translated.aligned(source, chosen, threshold)
    sample = Sample(source, name="text") if isinstance(source, str) else source
    sample = sample if target is None else replace(sample, pair=target)
    check_texts([sample])
    translator = _loaded(model, tokenizer, generates=sample.pair is None)
    chosen = settled(translator.facts, choice, best=best)
    seen = _seen(translator, _bounded(sample, translator.facts), chosen, truncate=truncate, report=report)
    return translated.aligned(seen, chosen, threshold)


def alignment_view(found: Aligned, *, style: Style = Style()) -> Page:
    """What ``attnviz align`` shows: target by source, a dot on every link, ready to be drawn.

    Raises UsageError for a style that cannot be drawn.
    """
    from attnviz.render import alignpages, pages

    pages.check(style)
    return alignpages.align_page(found, style)


def check_align(choice: Choice, *, best: bool = False, threshold: float | None = None) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    naming.check(choice)
    reduce.check(choice)
    if choice.kind == "self":
        raise UsageError("a translation is aligned by cross-attention: leave out --kind self")
    if choice.tokens or choice.query:
        raise UsageError("an alignment is of whole texts: leave out tokens and query")
    if best and choice.maps:
        raise UsageError("--best is a head by itself: leave out -l/--layer, -H/--head and --mean")
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"--threshold {threshold:g} is no weight: give one from 0 to 1")


def check_translates(name: str, *, offline: bool = False, allow_pickle: bool = False) -> None:
    """Raises ModelError for a model without cross-attention, as its configuration says, or for none."""
    from attnviz.models.outline import outline
    from attnviz.models.request import Request, split_revision

    bare, revision = split_revision(name)
    layers = outline(Request(bare, revision, offline=offline, allow_pickle=allow_pickle))
    if layers is not None:  # else the model itself will tell
        _check_crosses(name, layers)


def settled(model: ModelFacts, choice: Choice, *, best: bool) -> Choice:
    """Which maps are shown: those of the choice, or those that are usual for the model.

    Raises ModelError for a model without cross-attention, or with no head that is known to be its best.
    """
    _check_crosses(model.name, model.layers)
    if best and model.best is None:
        raise ModelError(
            f"no head of {printable(model.name)} is known to align best: --best is for the translators that "
            "ship and those that attnviz train makes; choose with -l/--layer, -H/--head or --mean"
        )
    shown = Choice() if choice.maps else translated.usual(model.layers, model.best)
    return replace(
        choice,
        layers=choice.layers or shown.layers,
        heads=choice.heads or shown.heads,
        mean=choice.mean or shown.mean,
    )


def _check_crosses(name: str, layers: Sequence[LayerFacts]) -> None:
    if not any(layer.stack == translated.CROSS and layer.heads for layer in layers):
        raise ModelError(
            f"{printable(name)} has no cross-attention: align takes an encoder-decoder, such as "
            f"{DEFAULT_TRANSLATOR}"
        )


def _loaded(model: "str | Source | PreTrainedModel", tokenizer: Any, *, generates: bool) -> "Source":
    """generates: it is to write the translation, too"""
    from attnviz.capturing import load_model
    from attnviz.models.given import source_of

    if isinstance(model, str) and tokenizer is None:
        check_translates(model)
        return load_model(model, generates=generates)
    return source_of(model, tokenizer)


def _bounded(sample: Sample, model: ModelFacts) -> Sample:
    """The sample with the most tokens that may be written for it, where there is no target.

    (Those that ship translate what they read, and know when to stop.)
    """
    if sample.pair is not None or sample.generate or model.family == "builtin":
        return sample
    most = ROOM + len(sample.text)
    return replace(sample, generate=most if model.positions is None else min(most, model.positions - 1))


def _seen(
    source: "Source", sample: Sample, choice: Choice, *, truncate: bool, report: "Report | None"
) -> Capture:
    """What a translator looks at while it writes: in one pass over the source and the whole target."""
    from attnviz.observe.run import observe
    from attnviz.wishes import AUTO, Wishes, observers_of

    encoded = _cut_short(source.encode(sample, truncate=truncate))
    wishes = Wishes(AUTO, replace(choice, kind="cross"), None, statistics=False)
    return observe(source, encoded, observers_of(source, encoded, wishes), report=report)


def _cut_short(encoded: "Encoded") -> "Encoded":
    """The sample as one whose target was given: all of it is there. A note says if it has no end."""
    from attnviz.models.wrote import stopped

    target, _ = encoded.axes[translated.CROSS]
    most = encoded.sample.generate
    cut = bool(most) and encoded.written == most and not target.special[-1]
    notes = (*encoded.notes, stopped(most)) if cut else encoded.notes
    return replace(encoded, written=0, notes=notes)

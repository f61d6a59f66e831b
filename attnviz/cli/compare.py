"""``attnviz compare``: the heads of one model in another, and what changed between two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.cli.options import Drawing, KeptModels, Models, Pairing, Texts, command
from attnviz.errors import ExpectationError, SelectionError, UsageError

if TYPE_CHECKING:
    from attnviz.analysis.comparison import Comparison
    from attnviz.captures import Capture
    from attnviz.facts import ModelFacts
    from attnviz.inputs import Sample
    from attnviz.observe.progress import Report
    from attnviz.recipes import Style
    from attnviz.render.views import View

MATCHES, MAPS, CHANGE, RANKED = "matches", "maps", "change", "ranked"
USUAL = (RANKED, CHANGE, MATCHES)
TOP = 10  # rows of the tables of models of one architecture, where neither they nor --top were asked for


@dataclass(frozen=True)
class _Side:
    """One of the models, and what it sees: a sample at a time, when it is asked for."""

    model: "ModelFacts"
    seen: "Sequence[Capture]"


@command
def compare(*, inputs: Texts, kept: KeptModels, models: Models, pairing: Pairing, drawing: Drawing) -> None:
    """Find the heads of one model in another, and what changed between two.

    The first model (A) is compared with each of the others (B). Heads are alike that look at the same words.
    """
    from attnviz.cli import output, progress, read
    from attnviz.render.comparepages import kind_of

    style = drawing.style()
    wanted = _wanted(pairing, drawing)
    _check(pairing, wanted, style)
    names = _names(kept, models)
    samples = [] if kept.captures else read.samples(inputs)
    files = output.model_targets(drawing, names[1:], kind_of(wanted[0]))
    with progress.Bar() as bar:
        first, *others = _sides(kept, models, samples, inputs, bar.show)
        _check_expected(first, others, pairing)
        found = [(_compared(first, other, pairing), other) for other in others]
        shown = (
            view for one, other in found for view in _views(one, (first, other), wanted, pairing.top, style)
        )
        output.show(shown, files, drawing, style, several="comparisons")
    _expect([one for one, _ in found], pairing.expect)


def _wanted(pairing: Pairing, drawing: Drawing) -> tuple[str, ...]:
    """The views of each comparison; in a terminal the usual ones, where they can be had."""
    if pairing.view is not None:
        return (pairing.view.value,)
    from attnviz.render.comparepages import usual

    if drawing.output is not None:
        return (usual(Path(drawing.output).suffix),)
    return (MATCHES,) if drawing.json else USUAL


def _check(pairing: Pairing, wanted: Sequence[str], style: "Style") -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    from attnviz.analysis.expect import expectation
    from attnviz.render import comparepages

    comparepages.check(wanted[0], style, pairing.top)
    if pairing.expect is not None:
        expectation(pairing.expect, pairing.comparing().measure)


def _names(kept: KeptModels, models: Models) -> list[str]:
    """What the models are called in the names of files. Raises UsageError for fewer than two."""
    if kept.captures:
        names, more = [file.stem for file in kept.captures], "--from CAPTURE, what another one saw"
    else:
        from attnviz.models.called import apart

        several = models.several or []
        names = [told or Path(name).name for name, told in zip(several, apart(several), strict=True)]
        more = (
            "-m NAME, the other one"
            if names
            else "-m NAME twice, a directory or a name on the Hugging Face hub"
        )
    if len(names) < 2:
        count = "one is given" if names else "none is given"
        raise UsageError(f"compare takes two models or more, and {count}: add {more}")
    return names


def _sides(
    kept: KeptModels, models: Models, samples: "Sequence[Sample]", inputs: Texts, report: "Report"
) -> list[_Side]:
    """What each model sees, one sample at a time; all can read them before any of them is run."""
    from attnviz import api
    from attnviz.cli import read
    from attnviz.models.called import apart, called
    from attnviz.wishes import WORDS

    if kept.captures:
        found = [read.kept_in(file) for file in kept.captures]
        return [_Side(seen[0].model, seen) for seen in found]

    def side(name: str, told: str | None) -> _Side:
        source = called(models.model(name).load(), told)
        seen = api.capture(
            samples,
            model=source,
            keep=WORDS,
            statistics=False,
            truncate=inputs.truncate,
            report=report,
        )
        return _Side(source.facts, seen)

    names = models.several or []
    return [side(*each) for each in zip(names, apart(names), strict=True)]


def _check_expected(first: _Side, others: Sequence[_Side], pairing: Pairing) -> None:
    """Raises SelectionError for an expectation of a number that two of the models do not have."""
    from attnviz.analysis.expect import check_there

    for other in others if pairing.expect is not None else ():
        check_there((first.model, other.model), pairing.expect or "", pairing.comparing().measure)


def _compared(first: _Side, second: _Side, pairing: Pairing) -> "Comparison":
    from attnviz import api

    how = pairing.comparing()
    return api.compare(
        [first.seen, second.seen], measure=how.measure, match=how.match, as_is=how.as_is, seed=how.seed
    )


def _views(
    found: "Comparison",
    sides: tuple[_Side, _Side],
    wanted: Sequence[str],
    top: int | None,
    style: "Style",
) -> "Iterator[View]":
    """Those that are wanted; of the usual ones those that there are, and beside changes short tables.

    What one has said of the comparison the next does not say again.
    """
    from attnviz import api
    from attnviz.render.comparepages import TABLES

    if wanted == USUAL:
        wanted, top = (USUAL, top or TOP) if found.changes else ((MATCHES,), top)
    told: set[str] = set()
    for view in wanted:
        seen = [side.seen[0] for side in sides] if view == MAPS else ()
        rows = top if view in TABLES else None
        made = api.comparison_view(found, view, seen=seen, style=style, top=rows)
        yield replace(made, notes=tuple(note for note in made.notes if note not in told))
        told.update(made.notes)


def _expect(found: "Sequence[Comparison]", text: str | None) -> None:
    """Raises ExpectationError, naming the offenders, where a condition does not hold.

    Raises SelectionError if there is nothing else than comparisons without the number.
    """
    from attnviz.analysis.expect import check_expected

    told: list[ExpectationError | SelectionError] = []
    for one in found if text is not None else ():
        try:
            check_expected(one, text or "")
        except (ExpectationError, SelectionError) as error:
            told.append(error)
    if told:
        unmet = any(isinstance(error, ExpectationError) for error in told)
        raise (ExpectationError if unmet else SelectionError)("; ".join(map(str, told)))

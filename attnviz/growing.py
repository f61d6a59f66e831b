"""Heads over the snapshots of a training: the verbs of ``attnviz.api`` that follow them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.analysis import naming
from attnviz.analysis.growth import Growth, Moment
from attnviz.analysis.summary import Summary, summary
from attnviz.capturing import capture, load_model
from attnviz.files import name_of
from attnviz.inputs import Sample
from attnviz.recipes import Choice, Listing, Style, recipe
from attnviz.render.plots import Chart
from attnviz.render.probepages import Drawn

if TYPE_CHECKING:
    from collections.abc import Callable

SEQUENCES, LENGTH, TIMES = 20, 50, 2
"""Of the random tokens that are read where no texts are given: those of ``attnviz probe --induction``."""


def growth(
    directory: str | Path,
    texts: "Sequence[str | Sample] | None" = None,
    *,
    choice: Choice = Choice(),
    seed: int = 0,
    device: str = "auto",
    truncate: bool = False,
    report: "Callable[[int, int], None]" = lambda *_: None,
) -> Growth:
    """How the statistics of heads grew over a training that kept snapshots: ``attnviz heads --over``.

    texts:  what each snapshot reads; left out, 20 sequences of 50 random tokens twice, as ``induction`` draws
    choice: which heads
    seed:   of the random tokens
    report: told how many snapshots are through, of how many
    Raises ModelError for a directory without snapshots, InputError for texts that the model cannot take.
    """
    from attnviz.builtin.snapshots import taken_in

    naming.check(choice)
    taken = taken_in(Path(directory))
    drawn = Drawn(SEQUENCES, LENGTH, TIMES, seed)
    moments, last = [], None
    for number, (step, place) in enumerate(taken):
        report(number, len(taken))
        last = _seen(place, texts, drawn, choice, device=device, truncate=truncate)
        moments.append(Moment(step, last.rows))
    report(len(taken), len(taken))
    assert last is not None  # there is a snapshot at least
    return Growth(
        model=replace(last.samples[0].model, name=name_of(Path(directory))),
        moments=tuple(moments),
        read=_read(drawn) if texts is None else f"{len(texts)} text{'s' if len(texts) != 1 else ''}",
        sample=_sample(last, drawn if texts is None else None, choice),
        versions=last.samples[0].versions,
        notes=tuple(_notes(last)) if texts is not None else (),
    )


def growth_chart(found: Growth, *, listing: Listing = Listing(), style: Style = Style()) -> Chart:
    """What ``attnviz heads --over`` shows: a plot for each statistic, with a line for each head.

    listing: which heads (as they are at the last snapshot), in which order, how many, and which statistics
    """
    from attnviz.render import growthpages

    return growthpages.growth_chart(found, listing, style)


def check_growth(choice: Choice, listing: Listing, style: Style) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    from attnviz.render import growthpages

    naming.check(choice)
    growthpages.check(choice, listing, style)


def _seen(
    place: Path,
    texts: "Sequence[str | Sample] | None",
    drawn: Drawn,
    choice: Choice,
    *,
    device: str,
    truncate: bool,
) -> Summary:
    """What the heads of one snapshot do."""
    source = load_model(str(place), device=device)
    if texts is None:
        from attnviz import probes

        return probes.measured(source, drawn, choice)
    return summary(capture(list(texts), model=source, keep=None, truncate=truncate), choice)


def _read(drawn: Drawn) -> str:
    return f"{drawn.sequences} sequences, each {drawn.length} random tokens twice"


def _sample(last: Summary, drawn: Drawn | None, choice: Choice) -> dict[str, object]:
    if drawn is None:
        return dict(recipe("heads", last.samples, choice, Style()).sample)
    return {"sequences": drawn.sequences, "length": drawn.length, "times": drawn.times, "seed": drawn.seed}


def _notes(last: Summary) -> Iterator[str]:
    yield from dict.fromkeys(note for sample in last.samples for note in sample.notes)

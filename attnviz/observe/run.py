"""One pass of a model with everybody looking who wants to."""

from collections.abc import Sequence

from attnviz.captures import Capture
from attnviz.models.base import Encoded, Source
from attnviz.observe.base import Observer
from attnviz.observe.memory import answered, check_room
from attnviz.observe.progress import Pace, Paced, Report, planned
from attnviz.observe.together import Together


def observe(
    source: Source, encoded: Encoded, observers: Sequence[Observer], *, report: Report | None = None
) -> Capture:
    """What the observers saw of one sample, in numpy.

    report: told how far the run is, several times a second
    Raises ModelError if the weights cannot be captured exactly, InputError if they do not fit into memory.
    """
    (capture,) = observe_batch(source, [encoded], [observers], report=report)
    return capture


def observe_batch(
    source: Source,
    batch: Sequence[Encoded],
    observers: Sequence[Sequence[Observer]],
    *,
    report: Report | None = None,
) -> list[Capture]:
    """What was seen of several samples that the model reads at once: each has observers of its own.

    Raises as ``observe`` does: for what will not fit before the run.
    """
    watches = [Together(looking) for looking in observers]
    plan, device = planned(source, batch, watches), source.facts.device
    check_room(plan.needs, device)
    for encoded, looking in zip(batch, observers, strict=True):
        for observer in looking:
            observer.start(encoded.axes)
    pace = Pace(plan, report)
    with answered(f"{plan.name} read {plan.tokens:,} tokens", plan.needs, device):
        source.run(batch, [Paced(watch, pace) for watch in watches])
        captures = [_capture(source, *sample) for sample in zip(batch, observers, strict=True)]
    pace.finish()
    return captures


def _capture(source: Source, encoded: Encoded, observers: Sequence[Observer]) -> Capture:
    capture = Capture(
        model=source.facts,
        sample=encoded.sample,
        notes=encoded.notes,
        versions=dict(source.versions),
        axes=encoded.axes,
    )
    for observer in observers:
        capture = observer.added_to(capture)
    return capture

"""One pass of a model with everybody looking who wants to."""

from collections.abc import Sequence

from attnviz.captures import Capture, LayerFacts
from attnviz.models.base import Encoded, Source
from attnviz.observe.base import Observer
from attnviz.observe.tiles import Tile


def observe(source: Source, encoded: Encoded, observers: Sequence[Observer]) -> Capture:
    """What the observers saw of one sample, in numpy.

    Raises ModelError if the weights cannot be captured exactly.
    """
    (capture,) = observe_batch(source, [encoded], [observers])
    return capture


def observe_batch(
    source: Source, batch: Sequence[Encoded], observers: Sequence[Sequence[Observer]]
) -> list[Capture]:
    """What was seen of several samples that the model reads at once: each has observers of its own."""
    for encoded, looking in zip(batch, observers, strict=True):
        for observer in looking:
            observer.start(encoded.axes)
    source.run(batch, [_Together(looking) for looking in observers])
    return [_capture(source, *sample) for sample in zip(batch, observers, strict=True)]


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


class _Together:
    """Several observers as one: what any of them wants is computed once."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def wanted(self, layer: LayerFacts) -> range | None:
        ranges = [heads for observer in self._observers if (heads := observer.wanted(layer))]
        return range(min(r.start for r in ranges), max(r.stop for r in ranges)) if ranges else None

    def see(self, tile: Tile) -> None:
        for observer in self._observers:
            if observer.wanted(tile.layer):
                observer.see(tile)

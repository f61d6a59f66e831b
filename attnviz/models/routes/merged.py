"""Two attentions that share one softmax, told apart: what is written and what was read (T5Gemma 2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from attnviz.facts import LayerFacts
from attnviz.models.calls import Place
from attnviz.models.routes.base import Around, Called, Event
from attnviz.models.routes.frames import Frame
from attnviz.observe.tiles import Tile

MERGED = ("T5Gemma2MergedAttention",)
"""Decoder layers whose keys are those of their own tokens, and after them those of the encoder's."""


@dataclass(frozen=True)
class Part(Around):
    """Some of the keys of an attention, in the coordinates of their own side, as the model returns them.

    The other keys take from its rows what a sink would: they sum to less than 1.
    columns: which of the keys
    across:  whether they are the encoder's
    """

    columns: range
    across: bool

    @property
    def batch(self) -> int:
        return self.inner.batch

    @property
    def queries(self) -> int:
        return self.inner.queries

    @property
    def keys(self) -> int:
        return len(self.columns)

    def tiles(self, layer: LayerFacts, heads: range, place: Place) -> Iterator[Tile]:
        """The weights of some heads of one sample, cut to these keys."""
        first = self.columns.start
        wanted = range(first + place.keys.start, first + place.keys.stop)
        for tile in self.inner.tiles(layer, heads, place._replace(keys=range(self.inner.keys))):
            yield _cut(tile, wanted)


def _cut(tile: Tile, wanted: range) -> Tile:
    """The tile without the other keys; they are counted from the first of those wanted."""
    start = min(max(tile.columns.start, wanted.start), wanted.stop)
    stop = max(min(tile.columns.stop, wanted.stop), start)
    kept = slice(max(0, start - tile.columns.start), max(0, stop - tile.columns.start))
    return replace(
        tile,
        columns=range(start - wanted.start, stop - wanted.start),
        size=(tile.size[0], len(wanted)),
        weights=tile.weights[..., kept],
        visible=tile.visible if tile.visible.shape[-1] == 1 else tile.visible[..., kept],
        scores=None if tile.scores is None else tile.scores[..., kept],
        sink=True,
        vectors=None,  # they are those of the other keys too
    )


def merges(model: nn.Module) -> bool:
    """Whether some of its attentions share a softmax: then the modules that run must be followed."""
    return any(type(module).__name__ in MERGED for module in model.modules())


def apart(event: Event, running: Sequence[Frame]) -> list[Event]:
    """The attentions that one of a running model consists of: mostly itself.

    running: the modules that run, the innermost last
    """
    if not isinstance(event, Called) or type(event.call.module).__name__ not in MERGED:
        return [event]
    own = event.keys - _read(event, running)
    return [Part(event, range(own), across=False), Part(event, range(own, event.keys), across=True)]


def _read(event: Called, running: Sequence[Frame]) -> int:
    """How many keys are the encoder's: the module was called with its states."""
    frames = (frame for frame in reversed(running) if frame.module is event.call.module)
    states = next((frame.options.get("encoder_hidden_states") for frame in frames), None)
    return states.shape[1] if isinstance(states, Tensor) else 0

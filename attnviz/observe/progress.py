"""What a run will take, said before it and while it goes on.

Memory is known beforehand. Time is measured: layers are much alike, so the first one that is through says how
long all of them will take, exactly for this text, model and machine, and at no cost.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from attnviz.facts import LayerFacts
from attnviz.models.base import Encoded, Source
from attnviz.observe.base import Observer
from attnviz.observe.memory import Need
from attnviz.observe.tiles import Tile, Watch
from attnviz.observe.together import Together

TILES = 32 * 2**20  # bytes that a tile and what computes it take
EVERY = 0.1  # seconds between two reports

Clock = Callable[[], float]


@dataclass(frozen=True)
class Plan:
    """What a run will do, as far as that is known before it.

    name:    the model's
    tokens:  of the longest sample
    samples: how many are read at once
    layers:  how many are looked at, in a sample
    heads:   how many, in all of these
    needs:   what each observer of each sample keeps
    """

    name: str
    tokens: int
    samples: int
    layers: int
    heads: int
    needs: tuple[Need, ...]

    @property
    def memory(self) -> int:
        """Bytes above those of the model and its own work."""
        return TILES + sum(max(need.host, need.device) for need in self.needs)


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    done:    layers that are through, a part of one as a fraction
    seconds: since it began
    total:   seconds that it will take as a whole; None before that can be told
    """

    plan: Plan
    done: float
    seconds: float
    total: float | None = None

    @property
    def finished(self) -> bool:
        return self.done == self.plan.layers


Report = Callable[[Progress], None]


def planned(source: Source, batch: Sequence[Encoded], watches: Sequence[Together]) -> Plan:
    """What a run of these samples with these observers will do."""
    facts, observers = source.facts, [watch.observers for watch in watches]
    alone = watches[0] if len(watches) == 1 else None
    layers, everybody = facts.layers, alone or Together([one for looking in observers for one in looking])
    wanted = [len(everybody.wanted(layer) or ()) for layer in layers]
    return Plan(
        name=facts.name,
        tokens=max(
            (len(axis) for encoded in batch for both in encoded.axes.values() for axis in both), default=0
        ),
        samples=len(batch),
        layers=sum(map(bool, wanted)),
        heads=sum(wanted),
        needs=tuple(needs_of(facts.layers, batch, observers)),
    )


def needs_of(
    layers: Sequence[LayerFacts], batch: Sequence[Encoded], observers: Sequence[Sequence[Observer]]
) -> list[Need]:
    """What each observer of each sample will need."""
    return [
        observer.needs(layers, encoded.axes)
        for encoded, looking in zip(batch, observers, strict=True)
        for observer in looking
    ]


def seconds_for(source: Source, encoded: Encoded, observers: Sequence[Observer]) -> float:
    """How long a run over this sample takes, told by its first layer alone: then it is broken off."""
    for observer in observers:
        observer.start(encoded.axes)
    together = Together(observers)
    pace = Pace(planned(source, [encoded], [together]), _break_off)
    try:
        source.run([encoded], [Paced(together, pace)])
    except _KnownError as known:
        return known.seconds
    return pace.seconds  # there was no second layer


class _KnownError(Exception):
    """Ends a run whose time is known: no error, but nothing else ends one from within."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def _break_off(progress: "Progress") -> None:
    if progress.total is not None:
        raise _KnownError(progress.total)


@dataclass
class Pace:
    """Follows a run by the tiles that come by, and reports how far it is.

    done:     layers that are through, of all samples together
    first:    seconds until the first tile
    total:    seconds that the run will take
    reported: when that was last done, in seconds
    """

    plan: Plan
    report: Report | None
    clock: Clock = time.perf_counter
    done: float = 0.0
    first: float | None = None
    total: float | None = None
    reported: float = 0.0
    layer: LayerFacts | None = None
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def seconds(self) -> float:
        return self.clock() - self.began

    def begin(self, tile: Tile) -> None:
        """A tile is about to be looked at: when it is the first one of a layer, all before it are through."""
        if tile.layer == self.layer:
            return
        self.layer, now = tile.layer, self.seconds
        if self.first is None:
            self.first = now
        elif self.done:
            share = self.done / (self.plan.layers * self.plan.samples)
            self.total = self.first + (now - self.first) / share
        self._tell(now)

    def add(self, share: float) -> None:
        """A part of a layer is through."""
        self.done += share
        now = self.seconds
        if now - self.reported >= EVERY:
            self._tell(now)

    def finish(self) -> None:
        if self.report is not None:
            self.report(Progress(self.plan, self.plan.layers, self.seconds, self.seconds))

    def _tell(self, now: float) -> None:
        self.reported = now
        if self.report is not None:
            self.report(Progress(self.plan, self.done / self.plan.samples, now, self.total))


class Paced:
    """A watch whose tiles are counted."""

    def __init__(self, watch: Watch, pace: Pace) -> None:
        self._watch = watch
        self._pace = pace

    def wanted(self, layer: LayerFacts) -> range | None:
        return self._watch.wanted(layer)

    def see(self, tile: Tile) -> None:
        self._pace.begin(tile)
        self._watch.see(tile)
        heads = self.wanted(tile.layer) or tile.heads
        self._pace.add(len(tile.heads) * len(tile.rows) / (len(heads) * tile.size[0]))

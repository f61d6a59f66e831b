"""What a run will take: memory beforehand, time from its first layer."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from attnviz.captures import Capture, Layers
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample
from attnviz.observe.base import Observer
from attnviz.observe.keep import KeepMaps
from attnviz.observe.means import HeadMeans, PooledMeans
from attnviz.observe.pairs import StrongestPairs
from attnviz.observe.pool import PoolMaps
from attnviz.observe.progress import TILES, Pace, Paced, Progress, planned, seconds_for
from attnviz.observe.rollout import Rollout
from attnviz.observe.run import observe, observe_batch
from attnviz.observe.statistics import HeadStatistics
from attnviz.observe.tiles import Tile
from attnviz.observe.together import Together
from attnviz.observe.words import WordMaps
from tests.fakes import FakeSource
from tests.observe.looking import TEXT, seen


@dataclass(frozen=True)
class Slow(FakeSource):
    """Every layer takes three seconds of its own and one a tile; what comes before the first takes five."""

    passed: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return sum(self.passed)

    def _tiles(self, layer: LayerFacts, heads: range, length: int) -> Iterator[Tile]:
        self.passed.append(3 if self.passed else 5)
        for tile in super()._tiles(layer, heads, length):
            self.passed.append(1)
            yield tile


def reports_of(source: Slow, *observers: Observer) -> list[Progress]:
    reports: list[Progress] = []
    encoded = source.encode(Sample(TEXT))
    for observer in observers:
        observer.start(encoded.axes)
    together = Together(observers)
    pace = Pace(planned(source, [encoded], [together]), reports.append, clock=source.clock)
    source.run([encoded], [Paced(together, pace)])
    pace.finish()
    return reports


def test_the_first_layer_says_how_long_all_of_them_take() -> None:
    source = Slow(layers=5, heads=2, rows=4)  # two tiles a layer
    reports = reports_of(source, KeepMaps())
    known = [report for report in reports if report.total is not None]
    assert known[0].done == 1
    assert known[0].seconds == 6 + 2 - 1 + 3 + 1  # the first tile of the second layer is there
    assert known[0].total == 6 + 5 * 5
    assert {report.total for report in known[:-1]} == {31}
    assert reports[-1].seconds == 5 + 2 + 4 * (3 + 2)


def test_progress_rises_tile_by_tile_to_the_end() -> None:
    reports = reports_of(Slow(layers=2, heads=2, rows=3), KeepMaps())
    assert [report.done for report in reports] == [0, 0.75, 1, 1, 1.75, 2, 2]
    assert [report.finished for report in reports][-1]


def test_layers_that_nobody_wants_are_none_of_the_progress() -> None:
    source = Slow(layers=5, heads=3, rows=4, together=1)
    reports = reports_of(source, KeepMaps({"1": (0, 2), "4": (1,)}))
    assert reports[0].plan.layers == 2
    assert reports[0].plan.heads == 4  # what lies between is computed too
    assert reports[-1].finished
    assert max(report.done for report in reports) == pytest.approx(2)


def test_a_run_reports_to_who_asks() -> None:
    source, reports = FakeSource(), list[Progress]()
    capture = observe(source, source.encode(Sample(TEXT)), [KeepMaps()], report=reports.append)
    assert capture.maps.names == ("0", "1")
    assert reports[-1].finished
    (plan,) = {report.plan for report in reports}
    assert (plan.name, plan.tokens, plan.samples, plan.layers, plan.heads) == ("fake", 8, 1, 2, 6)
    assert plan.memory == TILES + 2 * 64 * 14


def test_a_batch_is_one_run() -> None:
    source, reports = FakeSource(), list[Progress]()
    batch = [source.encode(Sample(text)) for text in (TEXT, "The cat")]
    observe_batch(source, batch, [[KeepMaps()], [KeepMaps()]], report=reports.append)
    assert (reports[-1].plan.samples, reports[-1].plan.tokens) == (2, 8)
    assert reports[-1].plan.memory == TILES + 2 * (64 + 16) * 14
    assert max(report.done for report in reports) == pytest.approx(2)


def test_the_time_of_a_run_is_told_without_running_it_whole() -> None:
    seen_layers: list[int] = []

    class Counted(KeepMaps):
        def see(self, tile: Tile) -> None:
            seen_layers.append(tile.layer.layer)
            super().see(tile)

    source = FakeSource(layers=50, rows=100, together=3)
    encoded = source.encode(Sample(TEXT))
    assert 0 < seconds_for(source, encoded, [Counted()]) < 60
    assert set(seen_layers) == {0}
    assert 0 < seconds_for(FakeSource(layers=1), encoded, [KeepMaps()]) < 60


OBSERVERS = [
    KeepMaps(), KeepMaps({"1": (0, 2)}), PoolMaps(5), HeadMeans(), PooledMeans(5), Rollout(),
    Rollout(every=True), WordMaps(), StrongestPairs(4),
]  # fmt: skip


@pytest.mark.parametrize("observer", OBSERVERS, ids=lambda observer: type(observer).__name__)
def test_what_is_kept_takes_no_more_than_was_told(observer: Observer) -> None:
    source = FakeSource(layers=3, heads=5, rows=3)
    encoded = source.encode(Sample(TEXT))
    need = observer.needs(source.facts.layers, encoded.axes)
    kept = size(seen(source, observer))
    assert kept <= max(need.host, need.device) <= 10 * kept


def size(capture: Capture) -> int:
    groups: list[Layers] = [capture.maps, capture.pooled, capture.means, capture.rollout, capture.words]
    kept = [
        array for maps in groups for layer in maps for array in (layer.weights, layer.visible, layer.computed)
    ]
    if capture.pairs is not None:
        kept += [capture.pairs.queries, capture.pairs.keys, capture.pairs.weights]
    return sum(array.nbytes for array in kept)


def test_statistics_take_no_more_than_was_told_and_grow_with_the_length_alone() -> None:
    held: list[int] = []
    needs: list[int] = []
    for words in (100, 400):
        source, statistics = FakeSource(layers=2, heads=5, positions=500), HeadStatistics()
        encoded = source.encode(Sample("cat " * words))
        observe(source, encoded, [statistics])
        layers = statistics._layers.values()
        rows = [rows for layer in layers for rows in (layer.rows, layer.uniform) if rows is not None]
        tensors = [values for one in rows for values in one.values.values()]
        tensors += [layer.random for layer in layers if layer.random is not None]
        held.append(sum(tensor.nbytes for tensor in tensors))
        needs.append(statistics.needs(source.facts.layers, encoded.axes).device)
    assert all(kept <= need <= 3 * kept for kept, need in zip(held, needs, strict=True))
    assert needs[1] < 4 * needs[0]

"""What attention costs, measured: the memory is exact, and what is too much is not tried."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import nn

from attnviz.analysis.cost import Measured
from attnviz.costs.contenders import CONTENDERS, Contender, Size
from attnviz.costs.measure import LEAST, Bench, Step, steps
from attnviz.costs.memory import peak_bytes
from attnviz.observe import memory

CPU = torch.device("cpu")
SIZES = (Size(64, 4, 16), Size(48, 16, 3))


def test_the_peak_is_what_is_in_use_at_one_moment() -> None:
    """Two blocks at once, then a third alone."""

    def run() -> torch.Tensor:
        both = [torch.empty(1000), torch.empty(500)]
        del both
        return torch.empty(1200)

    assert peak_bytes(run, CPU) == 4 * 1500


def test_every_weight_is_there_twice_while_rows_are_divided_by_their_sums() -> None:
    query = torch.randn(3, 128, 16)
    with torch.inference_mode():
        peak = peak_bytes(lambda: (query @ query.mT).softmax(-1), CPU)
    assert peak == pytest.approx(2 * 3 * 128**2 * 4, rel=0.01)


def test_the_profiler_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with torch.profiler.profile():  # somebody has used it already
        pass
    capfd.readouterr()
    peak_bytes(lambda: torch.empty(10), CPU)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
@pytest.mark.parametrize("size", SIZES)
def test_no_contender_needs_more_than_it_is_expected_to(contender: Contender, size: Size) -> None:
    layer = contender.build(size).eval()
    for length in (7, 300, 1200):
        states = torch.randn(1, length, size.d_model)
        with torch.inference_mode():
            assert layer(states).shape == states.shape
            peak = peak_bytes(lambda states=states: layer(states), CPU)
        assert peak <= contender.needs(length, size) < 10 * peak + 2_000_000


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_memory_grows_as_the_mechanism_says(contender: Contender) -> None:
    layer = contender.build(Size(16, 1, 8)).eval()
    texts = [torch.empty(1, length, 16) for length in (768, 1536, 3072)]
    with torch.inference_mode():
        peaks = [peak_bytes(lambda text=text: layer(text), CPU) for text in texts]
    steps = [after - before for before, after in pairwise(peaks)]  # so that constants do not count
    assert steps[1] / steps[0] == pytest.approx(4 if contender.name == "materialised" else 2, rel=0.05)


def test_contenders_of_attention_have_the_same_maps() -> None:
    *attention, recurrent = (contender.build(Size()) for contender in CONTENDERS)
    counts = {sum(each.numel() for each in layer.parameters()) for layer in attention}
    assert counts == {4 * (256**2 + 256)}
    assert sum(each.numel() for each in recurrent.parameters()) == 6 * (256**2 + 256)


def test_long_texts_are_approached_in_steps() -> None:
    assert list(steps([100, 700])) == [Step(100, True), Step(512, False), Step(700, True)]
    assert list(steps([128, 512, 2048])) == [Step(length, True) for length in (128, 512, 2048)]
    assert [step.length for step in steps([30_000])] == [512, 2048, 8192, 30_000]


class Slow(nn.Module):
    """Takes a second a token, by the clock of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.read: list[int] = []

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        self.read.append(states.shape[1])
        self.now += states.shape[1]
        return states


def bench(layer: Slow, seconds: float) -> Bench:
    return Bench(SIZES[0], CPU, 0, seconds, lambda *_: None, clock=lambda: layer.now)


def measured(seconds: float, lengths: Sequence[int]) -> tuple[Slow, list[Measured]]:
    layer = Slow()
    contender = Contender("slow", "", lambda _: layer, lambda *_: 0, order=1)
    return layer, list(bench(layer, seconds).measured([contender], lengths))


def test_what_would_take_longer_than_there_is_time_is_not_tried() -> None:
    layer, (short, long) = measured(150, [2, 100])
    assert short.seconds == 2
    assert short.repeats >= LEAST
    assert math.isnan(long.seconds)
    assert long.skipped.startswith("it would take about 700 s of ")
    assert 100 not in layer.read
    assert layer.now < 150


def test_repeats_leave_time_for_longer_texts() -> None:
    layer, (_, long) = measured(300, [10, 20])
    assert long.repeats >= LEAST
    assert layer.now < 300


def test_what_does_not_fit_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 100_000_000)
    layer = Slow()
    contender = Contender("large", "", lambda _: layer, lambda length, _: length * 10**7, order=1)
    [point] = bench(layer, 1e6).measured([contender], [9])
    assert point.skipped == "it would take 90 MB, and 100 MB are free, 80% of which may be used"
    assert layer.read == []

"""Statistics of maps that were kept, without the model."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from attnviz.captures import Capture, Layers
from attnviz.facts import LayerFacts
from attnviz.observe.again import with_statistics
from attnviz.observe.keep import KeepMaps
from attnviz.observe.statistics import HeadStatistics
from tests.fakes import FakeSource, MapsSource
from tests.observe.looking import seen

LONG = "the cat sat on the mat and " * 20


@pytest.mark.parametrize("causal", [False, True])
def test_kept_maps_have_the_statistics_of_the_run(causal: bool) -> None:
    source = FakeSource(layers=3, heads=5, causal=causal, rows=7, positions=200)
    capture = seen(source, KeepMaps(), HeadStatistics(), text=LONG)
    again = with_statistics(replace(capture, statistics=None))
    _assert_alike(again, capture)
    assert again.notes == ()


def test_a_sink_is_found_in_maps() -> None:
    maps = torch.tensor([[[0.5, 0.0], [0.25, 0.25]]])
    source = MapsSource(maps=((LayerFacts("", 0, 1), maps),))
    again = with_statistics(seen(source, KeepMaps()))
    assert again.statistics is not None
    np.testing.assert_allclose(again.statistics.values["sink_mass"], [0.5])


def test_layers_that_were_not_kept_whole_have_no_statistics_and_a_note_says_so() -> None:
    capture = seen(FakeSource(layers=3, heads=2), KeepMaps({"0": (0, 1), "1": (1,)}))
    again = with_statistics(capture)
    assert again.statistics is not None
    assert [head.name for head in again.statistics.heads] == ["0.0", "0.1"]
    assert again.notes == ("statistics of layer 0 alone: of others not all heads have whole maps here",)
    assert with_statistics(replace(capture, maps=Layers(capture.maps[1:]))).statistics is None


def _assert_alike(one: Capture, other: Capture) -> None:
    assert one.statistics is not None
    assert other.statistics is not None
    assert one.statistics.heads == other.statistics.heads
    for field in ("values", "rows", "baselines"):
        mine, theirs = getattr(one.statistics, field), getattr(other.statistics, field)
        assert set(mine) == set(theirs)
        for name in set(mine) - ({"positional"} if field == "baselines" else set()):
            np.testing.assert_allclose(mine[name], theirs[name], atol=1e-5, err_msg=f"{field} {name}")
    np.testing.assert_array_equal(one.statistics.offsets, other.statistics.offsets)

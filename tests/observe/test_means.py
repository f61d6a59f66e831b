"""The mean map over the heads of each layer."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.observe.keep import KeepMaps
from attnviz.observe.means import HeadMeans, PooledMeans
from attnviz.observe.pool import PoolMaps
from attnviz.observe.tiles import Tile
from tests.fakes import FakeSource, MapsSource, random_maps
from tests.observe.looking import seen, tiled


@tiled
def test_a_mean_is_over_all_heads_of_its_layer(source: FakeSource) -> None:
    capture = seen(source, HeadMeans(), KeepMaps())
    assert capture.means.names == ("0", "1", "2")
    for mean, maps in zip(capture.means, capture.maps, strict=True):
        assert (mean.mean, mean.heads, mean.weights.shape) == (True, (0, 1, 2, 3, 4), (1, 8, 8))
        np.testing.assert_allclose(mean.weights[0], maps.weights.mean(0), atol=1e-6)
        np.testing.assert_array_equal(*np.broadcast_arrays(mean.visible, maps.visible))
        assert mean.computed.all()


@pytest.mark.parametrize("together", [1, 2])
def test_a_pair_that_some_head_may_see_is_visible_in_the_mean(together: int) -> None:
    apart = torch.stack([torch.eye(3), torch.eye(3).flip(0)]).bool()
    maps = ((LayerFacts("", 0, 2), random_maps(0, 2, 3, 3, apart)),)
    (mean,) = seen(MapsSource(together=together, maps=maps, seen=apart), HeadMeans()).means
    np.testing.assert_array_equal(mean.visible[0], apart.any(0))


def test_a_pair_that_no_head_computed_is_marked_in_the_mean() -> None:
    done = torch.ones(1, 3, 3, dtype=torch.bool)
    done[0, 2, 0] = False
    maps = ((LayerFacts("", 0, 2), random_maps(0, 2, 3, 3, done)),)
    (mean,) = seen(MapsSource(together=1, maps=maps, done=done), HeadMeans()).means
    np.testing.assert_array_equal(mean.computed, done)


@tiled
def test_pooled_means_are_the_means_of_pooled_maps(source: FakeSource) -> None:
    capture = seen(source, PooledMeans(3), PoolMaps(3))
    assert not any(maps.mean for maps in capture.pooled)
    for mean, maps in zip(capture.means, capture.pooled, strict=True):
        assert mean.mean
        np.testing.assert_allclose(mean.weights[0], maps.weights.mean(0), atol=1e-6)
    assert capture.notes == ("pooled while the model ran: groups of 3 queries (mean) and 3 keys (sum)",)


def test_a_layer_without_attention_has_no_mean() -> None:
    maps = ((LayerFacts("", 0, 0), torch.zeros(0, 3, 3)), (LayerFacts("", 1, 2), random_maps(0, 2, 3, 3)))
    assert seen(MapsSource(maps=maps), HeadMeans()).means.names == ("1",)


def test_a_layer_that_came_by_in_part_has_no_mean() -> None:
    class Breaks(FakeSource):
        def _tiles(self, layer: LayerFacts, heads: range, length: int) -> Iterator[Tile]:
            return iter(list(super()._tiles(layer, heads, length))[:-1])

    with pytest.raises(ModelError, match="layer 0 came by in part only"):
        seen(Breaks(), HeadMeans())

"""All observers at once, and what holds for each of them."""

import numpy as np
import pytest
import torch

import attnviz
from attnviz.analysis.words import by_words
from attnviz.facts import LayerFacts
from attnviz.observe.base import Observer
from attnviz.observe.keep import KeepMaps
from attnviz.observe.means import HeadMeans, PooledMeans
from attnviz.observe.pairs import StrongestPairs
from attnviz.observe.pool import PoolMaps
from attnviz.observe.rollout import Rollout
from attnviz.observe.words import WordMaps
from tests.fakes import FakeSource, MapsSource, random_maps
from tests.observe.looking import TEXT, assert_same, seen
from tests.observe.test_pairs import found_pairs, sorted_pairs
from tests.observe.test_rollout import rolled_out
from tests.observe.test_words import pieces_axis


def test_tiles_in_any_order_with_narrow_columns_make_the_maps() -> None:
    """The source of these tests itself."""
    band = (torch.arange(7)[:, None] - torch.arange(7)).abs() < 3
    maps = random_maps(0, 5, 7, 7, band)
    source = MapsSource(rows=2, together=2, maps=((LayerFacts("", 0, 5), maps),), seen=band[None], order=3)
    np.testing.assert_array_equal(seen(source, KeepMaps()).maps["0"].weights, maps)


def test_one_pass_of_the_model_that_ships_serves_them_all() -> None:
    source = attnviz.load_model()
    observers = [KeepMaps(), HeadMeans(), PooledMeans(4), Rollout(), WordMaps(), StrongestPairs(3)]
    capture = seen(source, *observers, text="The unbelievable cats near the old gardener sleep.")
    for mean, words, maps in zip(capture.means, capture.words, capture.maps, strict=False):
        np.testing.assert_allclose(mean.weights[0], maps.weights.mean(0), atol=1e-6)
        assert_same(words, by_words(maps))
    expected = rolled_out([maps.weights for maps in capture.maps])[-1]
    np.testing.assert_allclose(capture.rollout[0].weights[0], expected, atol=1e-5)
    whole = np.ones(capture.maps[0].weights.shape[1:], bool)
    assert found_pairs(capture, 0) == sorted_pairs(capture.map("0.0"), whole, 3)


@pytest.mark.parametrize("observer", [HeadMeans(), PooledMeans(4), Rollout(), WordMaps(), StrongestPairs(3)])
def test_it_can_be_used_again(observer: Observer) -> None:
    first, _, again = (seen(FakeSource(), observer, text=text) for text in (TEXT, "The cat", TEXT))
    for name in ("means", "rollout", "words"):
        for one, other in zip(getattr(first, name), getattr(again, name), strict=True):
            np.testing.assert_array_equal(one.weights, other.weights)
    if first.pairs is not None and again.pairs is not None:
        np.testing.assert_array_equal(first.pairs.keys, again.pairs.keys)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights_are_summed_in_single(dtype: torch.dtype) -> None:
    whole = random_maps(0, 2, 40, 40)
    maps = ((LayerFacts("", 0, 2), whole.to(dtype)),)
    source = MapsSource(rows=7, maps=maps, axis=pieces_axis([4] * 9 + [2]))
    capture = seen(source, HeadMeans(), WordMaps(), Rollout(), StrongestPairs(2))
    np.testing.assert_allclose(capture.means[0].weights[0], whole.to(dtype).float().mean(0), atol=1e-6)
    np.testing.assert_allclose(capture.words[0].weights.sum(-1), 1, atol=1e-2)
    assert capture.rollout[0].weights.dtype == capture.words[0].weights.dtype == np.float32


@pytest.mark.parametrize("together", [1, 2])
def test_masks_that_differ_by_head_stay_apart_however_the_heads_come(together: int) -> None:
    """Also where the last tile has one head, whose mask could be taken for that of all."""
    distance = torch.arange(4)[:, None] - torch.arange(4)
    masks = torch.stack([distance >= 0, distance <= 0, distance == 0])
    maps = ((LayerFacts("", 0, 3), random_maps(0, 3, 4, 4, masks)),)
    capture = seen(MapsSource(together=together, maps=maps, seen=masks), KeepMaps(), PoolMaps(4), WordMaps())
    for kept in (capture.maps, capture.pooled, capture.words):
        np.testing.assert_array_equal(kept["0"].visible, masks)

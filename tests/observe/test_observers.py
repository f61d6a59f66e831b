"""Observers over fixed weights: what is kept of a run, and at what cost."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from attnviz.captures import Capture
from attnviz.errors import InputError
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample, Span
from attnviz.models.base import Encoded
from attnviz.observe.base import Observer
from attnviz.observe.choice import map_bytes
from attnviz.observe.keep import KeepMaps
from attnviz.observe.pool import PoolMaps, grouped
from attnviz.observe.run import observe
from attnviz.observe.tiles import Tile, Watch
from tests.fakes import FakeSource

TEXT = "The cat sat on the mat"  # 8 tokens with [CLS] and [SEP]


def seen(source: FakeSource, *observers: Observer, text: str = TEXT) -> Capture:
    return observe(source, source.encode(Sample(text)), observers)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 8, 100])
def test_kept_maps_are_the_weights(causal: bool, rows: int) -> None:
    source = FakeSource(causal=causal, rows=rows)
    capture = seen(source, KeepMaps())
    assert [maps.name for maps in capture.maps] == ["0", "1"]
    for maps in capture.maps:
        np.testing.assert_array_equal(maps.weights, source.weights(maps.layer, 8).numpy())
        np.testing.assert_array_equal(maps.visible[0], source.visible(8).numpy())
        assert maps.computed.all()
        assert maps.weights.dtype == np.float32


def test_a_capture_says_what_was_read_by_what() -> None:
    source = FakeSource()
    capture = seen(source, KeepMaps())
    assert (capture.model, capture.sample) == (source.facts, Sample(TEXT))
    assert capture.maps[0].keys.labels == ("[CLS]", "The", "cat", "sat", "on", "the", "mat", "[SEP]")
    assert capture.versions == {"attnviz": "0", "torch": "0"}


def test_notes_of_the_sample_come_along() -> None:
    source = FakeSource(positions=5)
    with pytest.raises(InputError, match="text has 8 tokens and fake reads at most 5"):
        source.encode(Sample(TEXT))
    capture = observe(source, source.encode(Sample(TEXT), truncate=True), [KeepMaps()])
    assert capture.notes == ("cut to 5 of 8 tokens",)


def test_only_chosen_heads_are_kept() -> None:
    source = FakeSource(heads=5)
    capture = seen(source, KeepMaps({"1": (4, 1)}))
    (maps,) = capture.maps
    assert (maps.name, maps.heads) == ("1", (1, 4))
    np.testing.assert_array_equal(maps.weights, source.weights(1, 8)[[1, 4]].numpy())


def test_what_is_kept_is_a_copy() -> None:
    """Tiles live only while they are looked at."""

    class Spoils(FakeSource):
        def weights(self, layer: int, length: int) -> torch.Tensor:
            made = super().weights(layer, length)
            made_later.append(made)
            return made

    made_later: list[torch.Tensor] = []
    capture = seen(Spoils(), KeepMaps())
    expected = capture.maps[0].weights.copy()
    made_later[0].zero_()
    np.testing.assert_array_equal(capture.maps[0].weights, expected)


def test_one_pass_serves_many() -> None:
    passes: list[Tile] = []

    class Counted(KeepMaps):
        def see(self, tile: Tile) -> None:
            passes.append(tile)
            super().see(tile)

    source = FakeSource(heads=5, rows=100, together=5)
    capture = seen(source, Counted({"0": (0,)}), Counted({"0": (3,), "1": (2,)}))
    assert [(maps.name, maps.heads) for maps in capture.maps] == [("0", (0,)), ("0", (3,)), ("1", (2,))]
    assert [tile.heads for tile in passes] == [range(4), range(4), range(2, 3)]
    np.testing.assert_array_equal(capture.maps[1].weights[0], source.weights(0, 8)[3].numpy())


def test_an_observer_can_be_used_again() -> None:
    keep = KeepMaps()
    seen(FakeSource(), keep)
    assert seen(FakeSource(), keep, text="The cat").maps[0].weights.shape == (3, 4, 4)


# Pooling


def pooled_by_hand(weights: np.ndarray, size: int) -> np.ndarray:
    """The mean over the queries and the sum over the keys of each group, the slow way."""
    starts = range(0, weights.shape[-1], size)
    rows = [weights[:, start : start + size].mean(1) for start in starts]
    return np.stack([np.stack([row[:, s : s + size].sum(-1) for s in starts], -1) for row in rows], 1)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize(("size", "factor"), [(4, 2), (3, 3), (7, 2), (1, 8), (8, 1), (256, 1)])
def test_pooled_maps_are_means_of_queries_and_sums_of_keys(
    size: int, factor: int, rows: int, causal: bool
) -> None:
    source = FakeSource(causal=causal, rows=rows)
    capture = seen(source, PoolMaps(size))
    for maps in capture.pooled:
        whole = source.weights(maps.layer, 8).numpy()
        np.testing.assert_allclose(maps.weights, pooled_by_hand(whole, factor), atol=1e-6)
        np.testing.assert_allclose(maps.weights.sum(-1), 1, atol=1e-6)
        assert max(maps.weights.shape[1:]) <= size


def test_a_group_is_visible_if_any_of_its_pairs_is() -> None:
    capture = seen(FakeSource(causal=True), PoolMaps(3))
    np.testing.assert_array_equal(capture.pooled[0].visible[0], np.tri(3, dtype=bool))


def test_pooling_says_its_factor_and_nothing_where_it_did_nothing() -> None:
    assert seen(FakeSource(), PoolMaps(3)).notes == (
        "pooled while the model ran: groups of 3 queries (mean) and 3 keys (sum)",
    )
    assert seen(FakeSource(), PoolMaps(8)).notes == ()


def test_chosen_heads_can_be_pooled() -> None:
    source = FakeSource(heads=5)
    (maps,) = seen(source, PoolMaps(4, {"0": (1, 4)})).pooled
    expected = pooled_by_hand(source.weights(0, 8)[[1, 4]].numpy(), 2)
    np.testing.assert_allclose(maps.weights, expected, atol=1e-6)


def test_masks_of_single_heads_are_pooled_apart() -> None:
    class Uneven(FakeSource):
        """Head 0 sees everything, head 1 only what is before."""

        def visible(self, length: int) -> torch.Tensor:
            everything = torch.ones(length, length, dtype=torch.bool)
            return torch.stack([everything, everything.tril()])

        def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
            for layer in self.facts.layers:
                watches[0].see(self._tile(layer, len(batch[0].axes[""][0])))

        def _tile(self, layer: LayerFacts, length: int) -> Tile:
            (tile,) = self._tiles(layer, range(self.heads), length)
            return replace(tile, visible=self.visible(length))

    source = Uneven(heads=2, rows=100)
    capture = seen(source, KeepMaps(), PoolMaps(4))
    for maps, length in ((capture.maps, 8), (capture.pooled, 4)):
        visible = maps[0].visible
        assert visible[0].all()
        np.testing.assert_array_equal(visible[1], np.tri(length, dtype=bool))


def test_groups_are_called_by_their_ends() -> None:
    axis = FakeSource().encode(Sample(TEXT)).axes[""][0]
    groups = grouped(axis, 3)
    assert groups.labels == ("[CLS]…cat", "sat…the", "mat…[SEP]")
    assert groups.positions == (0, 3, 6)
    assert groups.spans == (Span(0, 0, 7), Span(0, 7, 18), Span(0, 18, 22))
    assert groups.words == (0, 2, 5)
    assert groups.special == (False, False, False)
    assert (groups.unit, groups.ids, groups.texts) == ("group", (), (TEXT,))


def test_a_group_over_two_texts_stands_in_the_first() -> None:
    axis = FakeSource().encode(Sample("The cat")).axes[""][0]
    pair = type(axis)(
        labels=("a", "b", "c"),
        positions=(0, 1, 2),
        spans=(Span(0, 0, 1), Span(0, 2, 3), Span(1, 0, 1)),
        words=(0, 1, 2),
        special=(False,) * 3,
    )
    assert grouped(pair, 3).spans == (Span(0, 0, 3),)


def test_the_memory_of_maps_is_told_before() -> None:
    source = FakeSource()
    axes = source.encode(Sample(TEXT)).axes
    assert map_bytes(source.facts.layers, None, axes) == 2 * 64 * (3 * 4 + 2)
    assert map_bytes(source.facts.layers, {"1": (0, 2)}, axes) == 64 * (2 * 4 + 2)
    assert map_bytes([LayerFacts("", 0, 0)], None, axes) == 0

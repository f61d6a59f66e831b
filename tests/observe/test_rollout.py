"""Attention rollout, against its formula written out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample
from attnviz.models.base import Encoded
from attnviz.observe.keep import KeepMaps
from attnviz.observe.rollout import Rollout
from attnviz.observe.tiles import Tile, Watch
from tests.fakes import FakeSource, MapsSource, random_maps
from tests.observe.looking import TEXT, assert_same, seen, tiled


def rolled_out(maps: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Abnar & Zuidema 2020, written out: the rollout up to each layer; rows that see nothing are zeros."""
    steps = []
    for heads in maps:
        step = (heads.astype(np.float64).mean(0) + np.eye(heads.shape[1])) / 2
        step[heads.sum((0, 2)) == 0] = 0
        steps.append(step / np.maximum(step.sum(-1, keepdims=True), 1e-30))
    return [np.linalg.multi_dot([*steps[layer::-1], np.eye(len(steps[0]))]) for layer in range(len(steps))]


@tiled
def test_rollout_is_the_product_of_the_layers_with_the_residual_stream(source: FakeSource) -> None:
    capture = seen(source, Rollout(), KeepMaps())
    expected = rolled_out([maps.weights for maps in capture.maps])[-1]
    (rollout,) = capture.rollout
    assert (rollout.name, rollout.mean) == ("2", True)
    np.testing.assert_allclose(rollout.weights[0], expected, atol=1e-6)
    np.testing.assert_allclose(rollout.weights.sum(-1), 1, atol=1e-6)
    np.testing.assert_array_equal(rollout.visible[0], source.visible(8))
    assert rollout.computed.all()
    assert capture.notes == ()


@tiled
def test_the_rollout_up_to_every_layer_can_be_kept(source: FakeSource) -> None:
    capture = seen(source, Rollout(every=True), KeepMaps())
    assert capture.rollout.names == ("0", "1", "2")
    expected = rolled_out([maps.weights for maps in capture.maps])
    for rollout, wanted in zip(capture.rollout, expected, strict=True):
        np.testing.assert_allclose(rollout.weights[0], wanted, atol=1e-6)


def test_rollout_by_hand() -> None:
    """Two layers of one head over two tokens; the first layer swaps them, the second looks at the first."""
    swaps, first = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    maps = ((LayerFacts("", 0, 1), swaps), (LayerFacts("", 1, 1), first))
    (rollout,) = seen(MapsSource(maps=maps), Rollout()).rollout
    np.testing.assert_allclose(rollout.weights[0], [[0.5, 0.5], [0.5, 0.5]])
    assert seen(MapsSource(maps=maps[1:]), Rollout()).rollout[0].weights.tolist() == [[[1, 0], [0.5, 0.5]]]


def test_what_a_sink_takes_from_a_row_is_given_back_in_rollout() -> None:
    sink = torch.tensor([[[0.5, 0.0], [0.25, 0.25]]])
    (rollout,) = seen(MapsSource(maps=((LayerFacts("", 0, 1), sink),)), Rollout()).rollout
    np.testing.assert_allclose(rollout.weights[0], [[1, 0], [1 / 6, 5 / 6]], atol=1e-6)


def test_a_row_that_sees_nothing_is_zeros_in_rollout() -> None:
    visible = torch.ones(1, 3, 3, dtype=torch.bool)
    visible[0, 1] = False
    maps = tuple((LayerFacts("", layer, 2), random_maps(layer, 2, 3, 3, visible)) for layer in range(2))
    capture = seen(MapsSource(maps=maps, seen=visible), Rollout(), KeepMaps())
    weights = capture.rollout[0].weights[0]
    assert not weights[1].any()
    np.testing.assert_allclose(weights, rolled_out([layer.weights for layer in capture.maps])[-1], atol=1e-6)


def test_each_stack_has_a_rollout_and_cross_attention_none() -> None:
    facts = [("encoder", 0, 4), ("encoder", 1, 4), ("decoder", 0, 3), ("cross", 0, (3, 4)), ("cross", 1, 3)]
    maps = tuple(
        (
            LayerFacts(stack, layer, 2),
            random_maps(layer, 2, *(size if isinstance(size, tuple) else (size, size))),
        )
        for stack, layer, size in facts
    )
    capture = seen(MapsSource(maps=maps), Rollout())
    assert {maps.name: maps.weights.shape for maps in capture.rollout} == {
        "encoder.1": (1, 4, 4),
        "decoder.0": (1, 3, 3),
    }
    assert capture.notes == ()
    expected = rolled_out([weights.numpy() for _, weights in maps[:2]])[-1]
    np.testing.assert_allclose(capture.rollout["encoder.1"].weights[0], expected, atol=1e-6)


def test_layers_without_attention_are_left_out_of_rollout_and_named() -> None:
    maps = tuple(
        (LayerFacts("", layer, heads), random_maps(layer, heads, 3, 3))
        for layer, heads in enumerate([2, 0, 2, 0])
    )
    capture = seen(MapsSource(maps=maps), Rollout())
    assert capture.notes == ("the rollout leaves out layers 1, 3: no attention there",)
    expected = rolled_out([maps[0][1].numpy(), maps[2][1].numpy()])[-1]
    np.testing.assert_allclose(capture.rollout["2"].weights[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("sizes", "note"),
    [
        ([(4, 4), (2, 4)], "no rollout: layer 1 has 2 queries and 4 keys"),
        ([(4, 4), (2, 2)], "no rollout: layer 1 reads 2 tokens, those before it 4"),
    ],
)
@pytest.mark.parametrize("every", [False, True])
def test_a_stack_whose_length_changes_has_no_rollout_and_says_so(
    sizes: list[tuple[int, int]], note: str, every: bool
) -> None:
    maps = tuple((LayerFacts("", layer, 2), random_maps(layer, 2, *size)) for layer, size in enumerate(sizes))
    capture = seen(MapsSource(maps=maps), Rollout(every=every))
    assert (capture.rollout, capture.notes) == ((), (note,))


def test_a_key_reached_through_others_counts_as_seen_in_rollout() -> None:
    band = torch.eye(3).bool() | torch.eye(3).bool().roll(1, 1).triu()  # each token sees itself and the next
    maps = tuple((LayerFacts("", layer, 2), random_maps(layer, 2, 3, 3, band)) for layer in range(2))
    (rollout,) = seen(MapsSource(maps=maps, seen=band[None]), Rollout()).rollout
    np.testing.assert_array_equal(rollout.visible[0], np.triu(np.ones((3, 3), bool)))


@dataclass(frozen=True)
class Interleaved(FakeSource):
    """The layers come by again and again, some rows at a time: as while a model writes."""

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        keeper = _Tiles()
        super().run(batch, [keeper])
        for tile in sorted(keeper.tiles, key=lambda tile: tile.rows.start):
            watches[0].see(tile)


class _Tiles:
    def __init__(self) -> None:
        self.tiles: list[Tile] = []

    def wanted(self, layer: LayerFacts) -> range | None:
        return range(layer.heads)

    def see(self, tile: Tile) -> None:
        self.tiles.append(tile)


@pytest.mark.parametrize("every", [False, True])
def test_layers_that_come_by_row_after_row_have_the_same_rollout(every: bool) -> None:
    size = {"layers": 3, "heads": 5, "causal": True, "rows": 3}
    one, other = (
        seen(FakeSource(**size), Rollout(every=every)),
        seen(Interleaved(**size), Rollout(every=every)),
    )
    assert other.rollout.names == one.rollout.names
    for expected, made in zip(one.rollout, other.rollout, strict=True):
        assert_same(made, expected)


def test_a_layer_of_which_a_part_never_comes_is_an_error() -> None:
    watch = Rollout()
    source = FakeSource(rows=3)
    encoded = source.encode(Sample(TEXT))
    watch.start(encoded.axes)
    keeper = _Tiles()
    source.run([encoded], [keeper])
    for tile in keeper.tiles[1:]:
        watch.see(tile)
    with pytest.raises(ModelError, match="layer 0 came by in part only"):
        watch.added_to(seen(source))

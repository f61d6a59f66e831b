"""The strongest pairs, against all pairs sorted."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnviz.captures import Capture
from attnviz.facts import LayerFacts
from attnviz.observe.keep import KeepMaps
from attnviz.observe.pairs import StrongestPairs
from tests.fakes import FakeSource, MapsSource, random_maps
from tests.observe.looking import seen, tiled


def sorted_pairs(weights: np.ndarray, counts: np.ndarray, count: int) -> list[tuple[int, int, float]]:
    pairs = [(query, key) for query, key in np.argwhere(counts)]
    pairs.sort(key=lambda pair: (-weights[pair], *pair))
    return [(int(query), int(key), float(weights[query, key])) for query, key in pairs[:count]]


def found_pairs(capture: Capture, head: int) -> list[tuple[int, int, float]]:
    assert capture.pairs is not None
    rows = (capture.pairs.queries[head], capture.pairs.keys[head], capture.pairs.weights[head])
    return [(int(q), int(k), float(w)) for q, k, w in zip(*rows, strict=True) if q >= 0]


@given(
    count=st.integers(1, 12),
    queries=st.integers(1, 7),
    keys=st.integers(1, 5),
    levels=st.integers(1, 6),
    rows=st.integers(1, 8),
    together=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_the_strongest_pairs_are_the_first_of_all_sorted(
    count: int, queries: int, keys: int, *, levels: int, rows: int, together: int, seed: int
) -> None:
    """Few levels of weights make many ties."""
    random = np.random.default_rng(seed)
    weights = random.integers(0, levels, (3, queries, keys)).astype(np.float32) / levels
    visible = random.random((3, queries, keys)) < 0.8
    weights *= visible
    source = MapsSource(
        rows=rows, together=together, order=seed,
        maps=((LayerFacts("", 0, 3), torch.from_numpy(weights)),), seen=torch.from_numpy(visible),
    )  # fmt: skip
    capture = seen(source, StrongestPairs(count))
    for head in range(3):
        assert found_pairs(capture, head) == sorted_pairs(weights[head], visible[head], count)


@tiled
def test_the_strongest_pairs_are_those_of_the_kept_maps(source: FakeSource) -> None:
    capture = seen(source, StrongestPairs(10), KeepMaps())
    assert capture.pairs is not None
    assert [head.name for head in capture.pairs.heads] == [f"{la}.{he}" for la in range(3) for he in range(5)]
    for place, head in enumerate(capture.pairs.heads):
        expected = sorted_pairs(capture.map(head.name), source.visible(8).numpy(), 10)
        assert found_pairs(capture, place) == expected


def test_pairs_of_tiles_that_begin_at_a_later_key_have_their_places_in_the_whole() -> None:
    band = (torch.arange(7)[:, None] - torch.arange(7)).abs() < 2
    maps = ((LayerFacts("", 0, 2), random_maps(0, 2, 7, 7, band)),)
    capture = seen(MapsSource(rows=2, maps=maps, seen=band[None]), StrongestPairs(6), KeepMaps())
    for head in range(2):
        assert found_pairs(capture, head) == sorted_pairs(capture.map(f"0.{head}"), band.numpy(), 6)


def test_special_tokens_can_be_left_out_of_the_pairs() -> None:
    source = FakeSource(layers=1, rows=3)
    capture = seen(source, StrongestPairs(5, special=False), KeepMaps())
    inner = np.zeros((8, 8), bool)
    inner[1:-1, 1:-1] = True
    for head in range(3):
        assert found_pairs(capture, head) == sorted_pairs(capture.map(f"0.{head}"), inner, 5)


def test_where_there_are_fewer_pairs_than_asked_for_the_rest_is_missing() -> None:
    capture = seen(FakeSource(layers=1, heads=1, causal=True), StrongestPairs(7), text="a")  # 3 tokens
    assert capture.pairs is not None
    assert capture.pairs.queries[0, 6] == capture.pairs.keys[0, 6] == -1
    assert np.isnan(capture.pairs.weights[0]).tolist() == [False] * 6 + [True]


def test_pairs_of_chosen_heads_alone() -> None:
    capture = seen(FakeSource(heads=5), StrongestPairs(2, {"1": (4, 1)}), KeepMaps())
    assert capture.pairs is not None
    assert [head.name for head in capture.pairs.heads] == ["1.1", "1.4"]
    assert found_pairs(capture, 1) == sorted_pairs(capture.map("1.4"), np.ones((8, 8), bool), 2)

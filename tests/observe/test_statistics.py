"""All statistics of all heads, against the definitions written out as loops."""

import math
import weakref
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnviz.captures import Axis, Capture, Grid, Statistics, numbered
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample
from attnviz.metrics import METRICS, PATTERNS
from attnviz.models import families
from attnviz.models.base import Source
from attnviz.observe.keep import KeepMaps
from attnviz.observe.rows import CHUNK, _largest
from attnviz.observe.run import observe
from attnviz.observe.statistics import HeadStatistics
from attnviz.observe.tiles import Tile
from tests.fakes import FakeSource
from tests.models import zoo

TEXT = "The cat, the dog, and the cat sat on the mat. The cat!"


@dataclass(frozen=True)
class Repeats(FakeSource):
    """Reads the same word as the same token; heads attend sharply; optionally only the last few keys."""

    window: int | None = None

    def encode(self, sample: Sample, *, truncate: bool = False):
        encoded = super().encode(sample, truncate=truncate)
        axis = encoded.axes[""][0]
        numbers = {label: number for number, label in enumerate(dict.fromkeys(axis.labels))}
        axis = replace(axis, ids=tuple(numbers[label] for label in axis.labels))
        return replace(encoded, axes={"": (axis, axis)})

    def visible(self, length: int) -> torch.Tensor:
        visible = super().visible(length)
        return visible if self.window is None else visible.triu(1 - self.window)

    def weights(self, layer: int, length: int) -> torch.Tensor:
        visible = self.visible(length)
        scores = super().weights(layer, length) * 40
        weights = scores.masked_fill(~visible, -torch.inf).softmax(-1)
        return weights.nan_to_num(0)


SOURCES = {
    "bidirectional": Repeats(),
    "causal": Repeats(causal=True),
    "a row at a time": Repeats(causal=True, rows=1, together=1),
    "in one": Repeats(rows=100, together=3),
    "window": Repeats(causal=True, window=4),
    "window, some rows": Repeats(causal=True, window=3, rows=5),
    "five heads": Repeats(heads=5, layers=3, rows=4, together=3),
}


def measured(source: Source, text: str = TEXT) -> tuple[Capture, Statistics]:
    capture = observe(source, source.encode(Sample(text)), [KeepMaps(), HeadStatistics()])
    assert capture.statistics is not None
    return capture, capture.statistics


@dataclass
class ByHand:
    """One head's map, and every definition as a loop over its rows."""

    weights: np.ndarray
    visible: np.ndarray
    axis: Axis

    def rows(self, name: str) -> list[tuple[float, float]]:
        """Value and uniform head's value of each eligible row."""
        found = []
        for i, row in enumerate(self.weights):
            keys = np.flatnonzero(self.visible[i])
            if len(keys) < 2:
                continue
            value = getattr(self, f"_{name}", None)
            if value is not None:
                found.append((value(i, row / row.sum(), keys), math.nan))
                continue
            if name == "distance":
                found.append((sum(row[j] * abs(i - j) for j in keys) / row.sum(), np.abs(i - keys).mean()))
                continue
            there = [j for j in keys if self._qualifies(name, i, j)]
            if there:
                found.append((sum(row[j] for j in there), len(there) / len(keys)))
        return found

    def _entropy(self, i: int, row: np.ndarray, keys: np.ndarray) -> float:
        del i, keys
        return -sum(weight * math.log2(weight) for weight in row if weight > 0)

    def _focus(self, i: int, row: np.ndarray, keys: np.ndarray) -> float:
        return 1 - self._entropy(i, row, keys) / math.log2(len(keys))

    def _confidence(self, i: int, row: np.ndarray, keys: np.ndarray) -> float:
        del i, keys
        return float(row.max())

    def _qualifies(self, name: str, i: int, j: int) -> bool:
        axis, ids = self.axis, self.axis.ids
        copyable = not axis.special[i]
        return {
            "previous": j == i - 1,
            "next": j == i + 1,
            "self": j == i,
            "first": j == 0 < i,
            "separator": axis.special[j] and j > 0,
            "punctuation": axis.labels[j].strip("+") in {",", ".", "!"},
            "duplicate": j < i and ids[j] == ids[i] and copyable,
            "induction": 0 < j < i and ids[j - 1] == ids[i] and copyable,
        }[name]


def heads_of(capture: Capture) -> list[ByHand]:
    return [
        ByHand(weights, np.broadcast_to(maps.visible, maps.weights.shape)[head], maps.keys)
        for maps in capture.maps
        for head, weights in enumerate(maps.weights)
    ]


@pytest.mark.parametrize("name", [*PATTERNS, "entropy", "focus", "confidence", "distance"])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_statistic_is_its_definition(kind: str, name: str) -> None:
    capture, statistics = measured(SOURCES[kind])
    for place, head in enumerate(heads_of(capture)):
        rows = head.rows(name)
        assert statistics.rows[name][place] == len(rows)
        expected = np.mean([value for value, _ in rows]) if rows else np.nan
        assert statistics.values[name][place] == pytest.approx(expected, abs=1e-5, nan_ok=True)
        if METRICS[name].baseline:
            base = np.mean([uniform for _, uniform in rows]) if rows else np.nan
            assert statistics.baselines[name][place] == pytest.approx(base, abs=1e-5, nan_ok=True)


def test_a_causal_row_has_no_next_and_that_is_missing_not_zero() -> None:
    _, statistics = measured(Repeats(causal=True))
    assert np.isnan(statistics.values["next"]).all()
    assert not statistics.rows["next"].any()


@pytest.mark.parametrize("kind", ["bidirectional", "causal", "window"])
def test_positional_is_the_share_at_the_commonest_offset(kind: str) -> None:
    capture, statistics = measured(SOURCES[kind], TEXT + " " + TEXT)
    for place, head in enumerate(heads_of(capture)):
        offsets = [
            int(row.argmax()) - i
            for i, row in enumerate(head.weights)
            if (count := head.visible[i].sum()) > 1 and row.max() > 1.001 / count
        ]
        counts = Counter(offsets)
        assert len(offsets) >= 20
        assert statistics.values["positional"][place] == pytest.approx(
            counts.most_common(1)[0][1] / len(offsets)
        )
        kept = statistics.offsets[statistics.offsets[:, 0] == place]
        assert {offset: count for _, offset, count in kept.tolist()} == counts


def test_positional_is_missing_below_twenty_rows() -> None:
    _, statistics = measured(Repeats(), "The cat sat on the mat")
    assert np.isnan(statistics.values["positional"]).all()
    assert (statistics.rows["positional"] == 8).all()


def test_flat_rows_have_no_largest_weight() -> None:
    class Flat(Repeats):
        def weights(self, layer: int, length: int) -> torch.Tensor:
            del layer
            return torch.full((self.heads, length, length), 1 / length)

    _, statistics = measured(Flat(), TEXT + " " + TEXT)
    assert not statistics.rows["positional"].any()
    assert statistics.values["focus"] == pytest.approx(np.zeros(6), abs=1e-6)
    for name in (*PATTERNS, "distance"):
        np.testing.assert_allclose(statistics.values[name], statistics.baselines[name], atol=1e-6)


def test_what_random_heads_reach_is_between_one_key_and_all_rows() -> None:
    """Of 40 rows that see 4 keys each, a random head's commonest offset holds a quarter or more."""
    _, statistics = measured(Repeats(causal=True, window=4), TEXT + " " + TEXT)
    assert np.all((statistics.baselines["positional"] > 0.25) & (statistics.baselines["positional"] < 0.5))


def test_the_evidence_is_the_strongest_pair_of_a_row_that_is_text() -> None:
    capture, statistics = measured(Repeats(heads=5))
    for place, head in enumerate(heads_of(capture)):
        inner = head.weights[1:-1]  # without [CLS] and [SEP]
        query, key = statistics.evidence.queries[place, 0], statistics.evidence.keys[place, 0]
        assert head.weights[query, key] == inner.max() == pytest.approx(statistics.evidence.weights[place, 0])


def test_heads_are_named_in_the_models_order() -> None:
    _, statistics = measured(Repeats(layers=2, heads=3))
    assert [head.name for head in statistics.heads] == ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]


@pytest.mark.parametrize("length", [3, 4 * CHUNK - 1, 4 * CHUNK, 5 * CHUNK + 7])
def test_the_largest_is_the_first_of_equals(length: int) -> None:
    weights = torch.rand(2, 30, length, generator=torch.Generator().manual_seed(length)).mul_(9).floor_()
    largest, places = _largest(weights)
    torch.testing.assert_close(largest, weights.amax(-1))
    torch.testing.assert_close(places, torch.tensor(weights.numpy().argmax(-1)))


def seen(axis: Axis, tiles: list[Tile], keys: Axis | None = None) -> Statistics:
    watch = HeadStatistics()
    watch.start({tiles[0].layer.stack: (axis, keys or axis)})
    for tile in tiles:
        watch.see(tile)
    source = FakeSource()
    statistics = watch.added_to(Capture(source.facts, Sample("x"))).statistics
    assert statistics is not None
    return statistics


def whole_tile(weights: torch.Tensor, *, stack: str = "", visible: torch.Tensor | None = None) -> Tile:
    heads, queries, keys = weights.shape
    true = torch.ones(1, 1, 1, dtype=torch.bool)
    layer = LayerFacts(stack, 0, heads)
    shown = true if visible is None else visible
    return Tile(layer, range(heads), range(queries), range(keys), (queries, keys), weights, shown, true)


def test_scores_tell_the_entropy_that_weights_do() -> None:
    scores = torch.randn(3, 50, 50, generator=torch.Generator().manual_seed(1)) * 3
    tile = whole_tile(scores.softmax(-1))
    plain = seen(numbered(50), [tile]).values["entropy"]
    np.testing.assert_allclose(
        seen(numbered(50), [replace(tile, scores=scores)]).values["entropy"], plain, rtol=1e-5
    )


def test_a_sink_is_told_and_taken_out_of_what_is_shared() -> None:
    weights = torch.rand(2, 30, 30, generator=torch.Generator().manual_seed(1)).softmax(-1)
    plain = seen(numbered(30), [whole_tile(weights)])
    sunk = seen(numbered(30), [replace(whole_tile(weights * 0.75), sink=True)])
    assert sunk.values["sink_mass"] == pytest.approx(np.array([0.25, 0.25]))
    assert "sink_mass" not in plain.values
    for name in ("entropy", "focus", "confidence", "distance"):
        np.testing.assert_allclose(sunk.values[name], plain.values[name], rtol=1e-5)
    np.testing.assert_allclose(sunk.values["self"], 0.75 * plain.values["self"], rtol=1e-5)


def test_heads_that_see_different_keys_have_baselines_of_their_own() -> None:
    visible = torch.stack([torch.ones(6, 6), torch.ones(6, 6).tril()]).bool()
    weights = (visible / visible.sum(-1, keepdim=True)).float()
    statistics = seen(numbered(6), [whole_tile(weights, visible=visible)])
    np.testing.assert_allclose(statistics.values["self"], statistics.baselines["self"], rtol=1e-6)
    assert statistics.rows["self"].tolist() == [6, 5]


def test_pairs_that_were_not_computed_are_not_seen() -> None:
    computed = torch.ones(1, 8, 8).tril(1).triu(-1).bool()
    computed[..., 0] = True  # a band and one key for all
    weights = (computed / computed.sum(-1, keepdim=True)).float()
    statistics = seen(numbered(8), [replace(whole_tile(weights), computed=computed)])
    assert statistics.values["focus"] == pytest.approx(np.zeros(1), abs=1e-6)
    assert statistics.baselines["self"] == pytest.approx((weights.diagonal(dim1=1, dim2=2)).mean(-1).numpy())


def test_cross_attention_has_no_neighbours() -> None:
    source = FakeSource()
    keys = source.encode(Sample("The cat sat.")).axes[""][0]
    weights = torch.rand(1, 4, len(keys)).softmax(-1)
    statistics = seen(numbered(4), [whole_tile(weights, stack="cross")], keys)
    assert set(statistics.values) == {"entropy", "focus", "confidence", "separator", "punctuation"}


def test_distance_on_an_image_is_between_patches() -> None:
    axis = replace(numbered(7), grid=Grid(1, 2, 3))  # one token of the model's own, then 2 rows of 3 patches
    weights = torch.zeros(1, 7, 7)
    weights[0, :, 6] = 1  # everybody looks at the last patch
    statistics = seen(axis, [whole_tile(weights, stack="vision")])
    places = [(place // 3, place % 3) for place in range(6)]
    assert statistics.values["distance"][0] == pytest.approx(
        np.mean([math.dist(at, (1, 2)) for at in places])
    )
    assert statistics.rows["distance"][0] == 6


def test_without_a_grid_an_image_has_no_distance() -> None:
    weights = torch.full((1, 7, 7), 1 / 7)
    assert "distance" not in seen(numbered(7), [whole_tile(weights, stack="vision")]).values


def test_a_mask_is_never_a_copy() -> None:
    axis = replace(numbered(6), unit="token", ids=(5, 9, 5, 9, 9, 5))
    weights = torch.full((1, 6, 6), 1 / 6)
    plain = seen(axis, [whole_tile(weights)]).rows["duplicate"]
    masks = tuple(number == 9 for number in axis.ids)
    assert (plain[0], seen(replace(axis, masks=masks), [whole_tile(weights)]).rows["duplicate"][0]) == (4, 2)


@given(st.data())
def test_how_a_map_is_cut_changes_nothing(data: st.DataObject) -> None:
    """Blocks of rows and heads in any size, the same tokens often or seldom."""
    length, heads = data.draw(st.integers(2, 90)), data.draw(st.integers(1, 3))
    ids = tuple(
        data.draw(st.lists(st.integers(0, data.draw(st.integers(1, 30))), min_size=length, max_size=length))
    )
    axis = replace(numbered(length), unit="token", ids=ids)
    visible = torch.ones(1, length, length, dtype=torch.bool).tril()
    weights = torch.rand(heads, length, length, generator=torch.Generator().manual_seed(length))
    weights = (weights * visible) / (weights * visible).sum(-1, keepdim=True)
    whole = whole_tile(weights, visible=visible)
    rows, together = data.draw(st.integers(1, length)), data.draw(st.integers(1, heads))
    cut = [
        replace(
            whole,
            heads=range(first, min(first + together, heads)),
            rows=range(start, min(start + rows, length)),
            columns=range(min(start + rows, length)),
            weights=weights[first : first + together, start : start + rows, : start + rows],
            visible=visible[:, start : start + rows, : start + rows],
        )
        for start in range(0, length, rows)
        for first in range(0, heads, together)
    ]
    one, other = seen(axis, [whole]), seen(axis, cut)
    for name in one.values:
        np.testing.assert_allclose(other.values[name], one.values[name], atol=1e-5, err_msg=name)
        np.testing.assert_array_equal(other.rows[name], one.rows[name])
    for name in set(one.baselines) - {"positional"}:  # drawn at random
        np.testing.assert_allclose(other.baselines[name], one.baselines[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("family", ["bert", "llama", "mistral", "gemma2", "gpt_oss"])
def test_a_models_statistics_are_those_of_its_maps(family: str, tmp_path: Path) -> None:
    source = families.load(str(zoo.save_model(family, tmp_path)))
    capture, statistics = measured(source, zoo.TEXT)
    axis = capture.axes[""][0]
    again = HeadStatistics()
    again.start(capture.axes)
    for maps in capture.maps:
        layer = capture.model.layers[maps.layer]
        true = torch.ones(1, 1, 1, dtype=torch.bool)
        size = (len(axis), len(axis))
        tile = Tile(
            layer, range(layer.heads), range(size[0]), range(size[1]), size,
            torch.tensor(maps.weights), torch.tensor(maps.visible), true, sink=family == "gpt_oss",
        )  # fmt: skip
        again.see(tile)
    expected = again.added_to(capture).statistics
    assert expected is not None
    assert set(statistics.values) == set(expected.values)
    for name, values in statistics.values.items():
        np.testing.assert_allclose(values, expected.values[name], atol=1e-5, err_msg=name)


def test_scores_far_from_zero_lose_no_precision() -> None:
    scores = torch.randn(2, 40, 40, generator=torch.Generator().manual_seed(2), dtype=torch.float64) + 2.5e5
    scores = scores.float()
    tile = whole_tile(scores.softmax(-1))
    plain = seen(numbered(40), [tile]).values["entropy"]
    told = seen(numbered(40), [replace(tile, scores=scores)]).values["entropy"]
    np.testing.assert_allclose(told, plain, atol=1e-4)


def test_stacks_of_the_same_size_have_baselines_of_their_own() -> None:
    """A text and an image that are equally long, and in which every row sees everything."""
    text = replace(
        numbered(8), unit="token", ids=(1, 2, 1, 2, 3, 3, 1, 2), special=(True, *(False,) * 6, True)
    )
    weights = torch.full((1, 8, 8), 1 / 8)
    watch = HeadStatistics()
    watch.start({"text": (text, text), "vision": (numbered(8), numbered(8))})
    for stack in ("vision", "text"):
        watch.see(whole_tile(weights, stack=stack))
    source = FakeSource()
    statistics = watch.added_to(Capture(source.facts, Sample("x"))).statistics
    assert statistics is not None
    assert statistics.baselines["separator"] == pytest.approx([np.nan, 1 / 8], nan_ok=True)
    assert statistics.baselines["duplicate"] == pytest.approx([np.nan, 1 / 8], nan_ok=True)


def test_no_tile_outlives_its_layer() -> None:
    """With a tile goes what its weights were made of: of twelve layers of a long text half a gigabyte."""
    tiles = [whole_tile(torch.full((2, 4, 4), 0.25))]
    statistics = HeadStatistics()
    statistics.start({"": (numbered(4), numbered(4))})
    statistics.see(tiles[0])
    gone = weakref.ref(tiles.pop())
    assert gone() is None

"""How alike maps are, against other people's code and against the definitions."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from attnviz.analysis.common import Block, Entries, shared_rows
from attnviz.analysis.comparison import Measure
from attnviz.analysis.similarity import MEASURES, similarities
from attnviz.captures import Booleans, Floats, Numbers


def entries(count: int, start: int = 0) -> Entries:
    return tuple(("word", 0, number) for number in range(start, start + count))


def block(weights: Floats, seen: Booleans | None = None, queries: Entries = (), keys: Entries = ()) -> Block:
    heads, rows, columns = weights.shape
    seen = np.ones((rows, columns), bool) if seen is None else seen
    weights = np.where(seen, weights, 0)
    return Block(
        heads=np.arange(heads),
        weights=weights,
        totals=weights.sum(-1),
        seen=seen,
        queries=queries or entries(rows),
        keys=keys or entries(columns),
    )


def maps(seed: int, heads: int, rows: int, keys: int, sharpness: float = 0.3) -> Floats:
    drawn = np.random.default_rng(seed).dirichlet(np.full(keys, sharpness), (heads, rows))
    return drawn.astype(np.float32)


def across(first: Block, second: Block, measure: Measure = "js", *, as_is: bool = False) -> Numbers:
    shape = len(first.heads), len(second.heads)
    return similarities([first], [second], measure, shape, as_is=as_is)[0]


def by_scipy(one: Floats, other: Floats, seen: Booleans) -> float:
    """1 - the mean distance over rows with more than one key and weight in both."""
    rows = [
        jensenshannon(p[keys].astype(float), q[keys].astype(float), base=2)
        for p, q, keys in zip(one, other, seen, strict=True)
        if keys.sum() > 1 and p[keys].any() and q[keys].any()
    ]
    return 1 - float(np.mean(rows)) if rows else np.nan


CASES = {
    "sharp": (maps(0, 5, 11, 13), maps(1, 3, 11, 13)),
    "flat": (maps(0, 5, 11, 13, 300.0), maps(1, 3, 11, 13, 300.0)),
    "nearly the same": (maps(0, 3, 11, 13), maps(0, 3, 11, 13) + maps(1, 3, 11, 13) * 1e-4),
    "the same": (maps(0, 3, 11, 13), maps(0, 3, 11, 13)),
    "with zeros": (maps(0, 5, 11, 13, 0.01).round(3), maps(1, 3, 11, 13, 0.01).round(3)),
    "long": (maps(0, 5, 7, 211, 3.0), maps(1, 3, 7, 211, 3.0)),
    "many heads": (maps(0, 97, 5, 151), maps(1, 101, 5, 151)),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_js_is_one_less_scipys_distance(name: str, masked: bool) -> None:
    one, other = (np.ascontiguousarray(side) for side in CASES[name])
    seen = np.tri(*one.shape[1:], 3, dtype=bool) if masked else np.ones(one.shape[1:], bool)
    found = across(block(one, seen), block(other))
    checked = list(np.ndindex(found.shape))[:: max(1, found.size // 40)]
    for pair in checked:
        assert found[pair] == pytest.approx(by_scipy(one[pair[0]], other[pair[1]], seen), abs=1e-6)


def test_what_is_the_same_is_alike_to_the_last_digit() -> None:
    assert (np.diag(across(block(maps(0, 7, 11, 13)), block(maps(0, 7, 11, 13)))) == 1).all()


def test_rows_without_weight_left_in_one_of_the_two_are_left_out() -> None:
    one, other = maps(0, 2, 5, 7), maps(1, 3, 5, 7)
    one[0, 2], other[1, :] = 0, 0
    found = across(block(one), block(other))
    every = np.ones((5, 7), bool)
    assert found[0, 0] == pytest.approx(by_scipy(one[0], other[0], every), abs=1e-6)
    assert np.isnan(found[:, 1]).all()
    assert not np.isnan(found[:, [0, 2]]).any()


def test_a_query_that_sees_one_common_key_says_nothing() -> None:
    seen = np.eye(3, 5, dtype=bool)
    assert np.isnan(across(block(maps(0, 2, 3, 5)), block(maps(1, 2, 3, 5), seen))).all()


def test_cka_is_its_definition() -> None:
    one, other = maps(0, 5, 11, 13), maps(1, 3, 11, 13)
    seen = np.tri(11, 13, 4, dtype=bool)
    found = across(block(one), block(other, seen), "cka")
    for i, j in np.ndindex(found.shape):
        x, y = (np.where(seen, each, 0).astype(float) for each in (one[i], other[j]))
        x, y = (each / each.sum(1, keepdims=True) for each in (x, y))
        x, y = (each - each.mean(0) for each in (x, y))
        aligned = np.linalg.norm(y.T @ x) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
        assert found[i, j] == pytest.approx(aligned, abs=1e-9)


def test_cka_of_a_map_whose_rows_are_all_the_same_is_missing() -> None:
    flat = np.full((1, 7, 9), 1 / 9, np.float32)
    assert np.isnan(across(block(flat), block(maps(1, 3, 7, 9)), "cka")).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_pairs_of_heads_are_as_alike_as_among_all(measure: Measure) -> None:
    one, other = block(maps(0, 5, 11, 13)), block(maps(1, 5, 11, 13), np.tri(11, 13, 2, dtype=bool))
    shared = shared_rows(one, other)
    assert shared is not None
    np.testing.assert_allclose(
        MEASURES[measure].along(shared), np.diag(across(one, other, measure)), atol=1e-6
    )


def test_only_entries_of_both_are_compared_wherever_they_stand() -> None:
    one, other = maps(0, 2, 6, 6), maps(1, 3, 5, 5)
    shifted = block(other, queries=entries(5, 2), keys=(("own", "[SEP]", 0), *entries(4, 2)))
    found = across(block(one), shifted)
    cut = block(one[:, 2:, 2:]), block(other[:, :4, 1:])
    np.testing.assert_allclose(found, across(*cut), atol=1e-6)


def test_as_they_are_keys_that_one_may_not_see_count() -> None:
    one, other = maps(0, 2, 6, 6), maps(1, 3, 6, 6)
    causal = block(other, np.tri(6, dtype=bool))
    every = np.ones((6, 6), bool)
    found = across(block(one), causal, as_is=True)
    assert found[1, 2] == pytest.approx(by_scipy(one[1], causal.weights[2], every), abs=1e-6)
    assert found[1, 2] < across(block(one), causal)[1, 2]


def test_what_is_hidden_is_counted_for_each_side() -> None:
    one, other = maps(0, 2, 6, 6), maps(1, 3, 6, 6)
    seen = np.tri(6, dtype=bool)
    _, hidden = similarities([block(one)], [block(other, seen)], "js", (2, 3))
    shares = hidden[:, 0] / hidden[:, 1]
    assert shares[0] == pytest.approx(one[:, 1:][:, ~seen[1:]].sum() / one[:, 1:].sum(), abs=1e-6)
    assert shares[1] == pytest.approx(0, abs=1e-6)

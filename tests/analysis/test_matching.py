from itertools import permutations

import numpy as np
import pytest

from attnviz.analysis.matching import matched


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", [(5, 5), (3, 6), (6, 4)])
def test_one_to_one_is_the_best_of_all_assignments(shape: tuple[int, int], seed: int) -> None:
    similarity = np.random.default_rng(seed).random(shape)
    rows, columns = matched(similarity, "one-to-one")
    tall = similarity if shape[0] <= shape[1] else similarity.T
    best = max(
        sum(tall[row, column] for row, column in enumerate(chosen))
        for chosen in permutations(range(tall.shape[1]), len(tall))
    )
    assert similarity[rows, columns].sum() == pytest.approx(best)
    assert len(set(columns)) == len(rows) == min(shape)


def test_nearest_may_take_a_head_twice() -> None:
    similarity = np.array([[0.2, 0.9, 0.1], [0.3, 0.8, 0.4]])
    assert [places.tolist() for places in matched(similarity, "nearest")] == [[0, 1], [1, 1]]
    assert [places.tolist() for places in matched(similarity, "one-to-one")] == [[0, 1], [1, 2]]


@pytest.mark.parametrize("matching", ["one-to-one", "nearest"])
def test_heads_that_cannot_be_compared_are_never_matched(matching: str) -> None:
    similarity = np.array([[np.nan, 0.1, np.nan], [0.9, np.nan, np.nan], [np.nan, np.nan, np.nan]])
    rows, columns = matched(similarity, matching)  # type: ignore[arg-type]
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]

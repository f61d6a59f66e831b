import numpy as np
import pytest

from attnviz.analysis.chance import best_of, chances, drawn_pairs, false_shares, null_points, verdict
from attnviz.analysis.resample import mean_of, resampled

NAN = float("nan")


def test_pairs_are_of_different_texts_and_nearest_lengths() -> None:
    words = [5, 9, 6, 20]
    assert drawn_pairs(words, list("abcd"), 0) == [
        (0, 2), (2, 0), (2, 1), (1, 2), (1, 3), (3, 1), (0, 1), (1, 0), (2, 3), (3, 2), (0, 3), (3, 0),
    ]  # fmt: skip
    assert drawn_pairs([5, 5, 5], ["a", "a", "b"], 0) == [(1, 2), (2, 1), (0, 2), (2, 0)]
    assert drawn_pairs([5, 5], ["a", "a"], 0) == []


def test_there_are_as_many_pairs_as_samples_and_at_least_200() -> None:
    def drawn(samples: int, seed: int = 0) -> list[tuple[int, int]]:
        return drawn_pairs(list(range(samples)), [str(number) for number in range(samples)], seed)

    assert [len(drawn(samples)) for samples in (14, 15, 100, 333)] == [14 * 13, 200, 200, 333]
    assert len(set(drawn(333))) == 333
    assert drawn(333) == drawn(333)
    assert drawn(333) != drawn(333, seed=1)
    assert {abs(one - other) for one, other in drawn(100)} == {1, 2}


def test_false_shares_are_those_of_benjamini_and_hochberg() -> None:
    """The fifteen p-values of their example (1995, 3.2): at 0.05 the four smallest are called."""
    p = np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
                  0.5719, 0.6528, 0.7590, 1.0])  # fmt: skip
    order = np.random.default_rng(0).permutation(len(p))
    shares = false_shares(p[order])
    assert sorted(p[order][shares <= 0.05]) == [0.0001, 0.0004, 0.0019, 0.0095]
    assert false_shares(p)[3] == pytest.approx(0.0095 * 15 / 4)
    np.testing.assert_array_equal(false_shares(np.array([0.01, NAN, 0.5])), [0.02, NAN, 0.5])


def test_chances_are_even_where_there_is_nothing_and_small_where_there_is() -> None:
    drawn = np.random.default_rng(0).normal(0.5, 0.05, (200, 300))
    nothing = np.random.default_rng(1).normal(0.5, 0.05, 300)
    p = chances(nothing, drawn)
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(p) == pytest.approx(0.5, abs=0.05)
    assert (chances(nothing + 0.5, drawn) < 1e-4).all()


def test_too_few_draws_are_no_test() -> None:
    drawn = np.full((19, 2), 0.5)
    assert np.isnan(chances(np.array([0.9, 0.9]), drawn)).all()
    assert np.isnan(null_points(drawn)).all()
    some = np.full((40, 2), 0.5)
    some[25:, 0] = some[10:, 1] = NAN
    np.testing.assert_array_equal(null_points(some), [[0.5, NAN], [0.5, NAN]])


def test_the_best_of_what_is_there_counts() -> None:
    np.testing.assert_array_equal(best_of(np.array([[0.1, NAN, 0.3], [NAN, NAN, NAN]])), [0.3, NAN])


@pytest.mark.parametrize(
    ("similarity", "null", "floor", "q", "expected"),
    [
        (0.9, 0.7, 0.6, 0.01, "match"),
        (0.9, 0.7, 0.6, 0.06, "chance"),
        (0.9, 0.7, 0.95, 0.01, "position"),
        (0.9, 0.95, 0.92, 0.5, "position"),
        (0.6, 0.7, 0.5, 0.5, "chance"),
        (0.3, 0.7, 0.4, 0.9, "chance"),
        (0.9, NAN, 0.6, NAN, "untested"),
        (0.9, 0.7, NAN, 0.01, "match"),
    ],
)
def test_a_match_beats_null_and_floor(
    similarity: float, null: float, floor: float, q: float, expected: str
) -> None:
    assert verdict(similarity, null, floor, q, middle=0.6) == expected


def test_intervals_hold_the_truth_in_95_of_100_cases() -> None:
    """Skewed values, as similarities are; nominally 95 %."""
    rng = np.random.default_rng(0)
    sets = rng.beta(8, 2, (400, 40))
    low, high = mean_of(sets.T).interval(resampled(40, 0))
    assert 0.90 <= np.mean((low <= 0.8) & (high >= 0.8)) <= 0.98

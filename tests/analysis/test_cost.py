"""Powers of the length, and where curves cross."""

import math

import numpy as np
import pytest

from attnviz.analysis.cost import Band, Cost, Crossing, Measured, Setting, crossing, fit

LENGTHS = (16, 64, 256, 1024)


@pytest.mark.parametrize("power", [0.0, 1.0, 1.7, 2.0])
def test_a_power_is_found_again(power: float) -> None:
    found = fit(LENGTHS, [3e-6 * length**power for length in LENGTHS])
    assert found == pytest.approx((power,) * 4, abs=1e-9)


def test_the_interval_covers_the_power_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    fits = [
        fit(LENGTHS, [length**1.5 * math.exp(draw.normal(0, 0.2)) for length in LENGTHS]) for _ in range(400)
    ]
    assert 0.92 < np.mean([found.low < 1.5 < found.high for found in fits]) < 0.98


def test_the_last_two_lengths_tell_what_a_sum_of_powers_approaches() -> None:
    found = fit(LENGTHS, [length + length**2 / 100 for length in LENGTHS])
    assert found.exponent < found.last < 2


def test_few_points_have_no_interval_and_one_has_no_power() -> None:
    two = fit([10, 100], [1.0, 100.0])
    assert two.exponent == pytest.approx(2)
    assert math.isnan(two.low)
    assert math.isnan(fit([10], [1.0]).exponent)
    assert fit([10, 50, 100], [1.0, math.nan, 100.0]).exponent == pytest.approx(2)


def bands(values: list[float], spread: float = 0.0) -> list[Band]:
    return [
        Band(length, value, value * (1 - spread), value * (1 + spread))
        for length, value in zip(LENGTHS, values, strict=True)
    ]


def test_a_crossing_lies_where_lines_through_the_logarithms_meet() -> None:
    found = crossing(bands([16, 64, 256, 1024]), bands([128] * 4))
    assert found == Crossing(True, (pytest.approx(128),))


def test_curves_that_never_cross_say_which_is_below() -> None:
    assert crossing(bands([9, 9, 9, 9]), bands([1, 2, 3, 4])) == Crossing(False, ())


def test_lengths_at_which_the_ranges_overlap_decide_nothing() -> None:
    first, second = bands([1, 10.2, 9.8, 10], 0.1), bands([10, 10, 10, 10], 0.1)
    assert crossing(first, second) == Crossing(True, ())
    assert crossing(first[1:], second[1:]) == Crossing(None, ())


def test_what_was_skipped_is_on_no_curve() -> None:
    setting = Setting({"a": "", "b": ""}, (10, 20), 8, 1, 2, "cpu", "this one", 1, 0)
    tried = [Measured("a", 10, 1.0, 1.0, 1.0, 5, 80.0), Measured("b", 10, 2.0, 2.0, 2.0, 5, 80.0)]
    cost = Cost(setting, (*tried, Measured("a", 20, skipped="no room"), Measured("b", 20, skipped="no room")))
    assert cost.curve("a") == (tried[0],)
    assert cost.crossings("seconds") == {("a", "b"): Crossing(True, ())}
    assert cost.crossings("bytes") == {("a", "b"): Crossing(None, ())}

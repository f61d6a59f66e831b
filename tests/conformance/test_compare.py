"""What the comparison itself can see: small maps, made by hand."""

import numpy as np
import pytest

from tests.conformance.compare import Weights, compared, difference


def rows(*shape: int, seed: int = 0) -> Weights:
    """Random distributions."""
    numbers = np.random.default_rng(seed).random(shape).astype(np.float32) ** 4
    return numbers / numbers.sum(-1, keepdims=True)


def test_the_same_weights_differ_by_nothing() -> None:
    own = rows(1, 2, 5, 7)
    assert difference(own[0], own, {}) == 0


def test_the_largest_difference_of_any_weight_counts() -> None:
    own = rows(1, 2, 5, 7)
    captured = own[0].copy()
    captured[1, 4, 6] += 0.25
    assert difference(captured, own, {}) == pytest.approx(0.25)


def test_rows_of_padding_do_not_count() -> None:
    own, real = rows(1, 2, 5, 5), np.array([False, True, True, True, True])
    captured = own[0].copy()
    captured[:, 0] = 9
    assert difference(captured, own, {5: real}) == 0
    assert difference(own[0][:, 1:, 1:], own, {5: real}) == 0


def test_several_images_lie_side_by_side() -> None:
    own = rows(2, 3, 5, 7)
    whole = np.zeros((3, 10, 14), dtype=np.float32)
    whole[:, :5, :7], whole[:, 5:, 7:] = own[0], own[1]
    assert difference(whole, own, {}) == 0
    assert difference(whole[:, ::-1], own[:, :, :, ::-1] * 0.5, {}) > 0.01


def test_rows_in_another_order_are_found_by_their_numbers() -> None:
    own = rows(4, 1, 3, 3)
    whole = np.zeros((1, 12, 20), dtype=np.float32)
    for place, row in enumerate(own.reshape(12, 3)[::-1]):
        whole[0, place, place : place + 3] = row
    assert difference(whole, own, {}) == 0
    assert difference(whole * 0.9, own, {}) > 0.01


def test_weights_of_another_form_are_not_compared() -> None:
    assert difference(rows(2, 5, 7), rows(1, 3, 5, 7), {}) is None


def test_a_layer_that_was_not_captured_is_wanting() -> None:
    first, second = rows(1, 2, 5, 5, seed=1), rows(1, 2, 5, 5, seed=2)
    found = compared([("0", first[0])], [("a.0", first), ("a.1", second)], [], {})
    assert found.wanting == ("a.1 [1, 2, 5, 5] was not captured",)


def test_a_layer_that_the_model_does_not_have_is_too_much() -> None:
    own = rows(1, 2, 5, 5)
    found = compared([("0", own[0]), ("1", own[0])], [("a.0", own)], [], {})
    assert found.wanting == ("1 [2, 5, 5] is none of the model's own weights",)

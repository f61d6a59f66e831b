"""The formula: worked by hand, against PyTorch's kernel, and where a query may see nothing."""

import math
from itertools import pairwise

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from attnviz.attention import ShapeError, attend, attention, attention_weights, causal, padding, weights_of

BATCH, HEADS, QUERIES, KEYS, HEAD_DIM = 2, 3, 5, 7, 11


@pytest.fixture
def tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return (
        torch.randn(BATCH, HEADS, QUERIES, HEAD_DIM),
        torch.randn(BATCH, HEADS, KEYS, HEAD_DIM),
        torch.randn(BATCH, HEADS, KEYS, HEAD_DIM),
    )


def test_a_case_worked_by_hand() -> None:
    query = torch.tensor([[math.log(3.0) * 2, 0.0, 0.0, 0.0]])  # head_dim 4: scores are halved
    key = torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])  # scores ln 3 and 0: weights 3/4 and 1/4
    value = torch.tensor([[4.0, 0.0], [0.0, 8.0]])
    weights = attention_weights(query, key)
    torch.testing.assert_close(weights, torch.tensor([[0.75, 0.25]]))
    torch.testing.assert_close(attend(weights, value), torch.tensor([[3.0, 2.0]]))
    halved = attention_weights(query, key, temperature=0.5)  # scores 2 ln 3 and 0: 9/10 and 1/10
    torch.testing.assert_close(halved, torch.tensor([[0.9, 0.1]]))


MASKS = {
    "none": None,
    "causal": causal(QUERIES, KEYS),
    "padded": padding(torch.tensor([[1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]])),
}
MASKS["both"] = MASKS["causal"] & MASKS["padded"]


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_weights_and_kernel_agree_with_pytorch(tensors, mask) -> None:
    query, key, value = tensors
    expected = scaled_dot_product_attention(query, key, value, attn_mask=mask)
    weights = attention_weights(query, key, mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(BATCH, HEADS, QUERIES), atol=1e-6, rtol=0)
    torch.testing.assert_close(attend(weights, value), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(attention(query, key, value, mask), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("apart", [True, False], ids=["weights", "kernel"])
def test_a_query_that_may_see_nothing_gets_zeros_and_finite_gradients(tensors, apart) -> None:
    query, key, value = (tensor.requires_grad_() for tensor in tensors)
    mask = causal(QUERIES, KEYS) & (torch.arange(QUERIES) != 3)[:, None]
    with torch.autograd.set_detect_anomaly(True):  # no NaN on the way back either
        weights = attention_weights(query, key, mask)
        read = attend(weights, value) if apart else attention(query, key, value, mask)
        read.square().sum().backward()
    assert weights[:, :, 3].eq(0).all()
    assert read[:, :, 3].eq(0).all()
    assert read[:, :, 2].ne(0).all()
    for tensor in (query, key, value):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.ne(0).any()
    assert query.grad[:, :, 3].eq(0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_what_may_not_be_seen_weighs_nothing_in_any_precision(tensors, dtype) -> None:
    query, key, _ = (tensor.to(dtype) for tensor in tensors)
    mask = MASKS["both"]
    weights = attention_weights(query, key, mask)
    assert weights.dtype == dtype
    assert weights.masked_select(~mask).eq(0).all()


def test_another_head_dim_is_an_error_that_says_both() -> None:
    with pytest.raises(ShapeError, match=r"query of head_dim 3 .* key of head_dim 5"):
        attention_weights(torch.zeros(2, 3), torch.zeros(2, 5))


@pytest.mark.parametrize("temperature", [-1.0, math.nan])
def test_a_temperature_is_not_below_0(temperature) -> None:
    with pytest.raises(ValueError, match=f"temperature {temperature} is not 0 or more"):
        attention_weights(torch.zeros(2, 3), torch.zeros(2, 3), temperature=temperature)


def test_at_temperature_0_the_largest_score_has_it_all_and_equals_share() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.0], [2.0, 0.0, 2.0], [9.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    mask = torch.tensor([[True, True, True], [True, True, True], [False, True, True], [False, False, False]])
    hard = weights_of(scores, mask, temperature=0)
    assert hard.tolist() == [[0, 1, 0], [0.5, 0, 0.5], [0, 0, 1], [0, 0, 0]]
    torch.testing.assert_close(weights_of(scores, mask, temperature=0.01), hard)  # the limit: no jump
    torch.testing.assert_close(weights_of(scores, temperature=0)[2], torch.tensor([1.0, 0.0, 0.0]))


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_from_hot_to_cold_rows_go_from_alike_to_one_key(tensors, mask) -> None:
    query, key, _ = tensors
    largest = [
        attention_weights(query, key, mask, temperature=temperature).amax(-1)
        for temperature in (math.inf, 5.0, 1.0, 0.1, 1e-30, 1e-320, 0.0)
    ]
    visible = torch.full((QUERIES,), KEYS) if mask is None else mask.sum(-1)
    torch.testing.assert_close(largest[0], (1 / visible).expand_as(largest[0]))
    for hotter, colder in pairwise(largest):
        assert (hotter <= colder + 1e-6).all()
    torch.testing.assert_close(largest[-1], torch.ones_like(largest[-1]))

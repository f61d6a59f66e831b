"""Linear attention against the weights that it implies, and those against a loop over the formula."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import elu

from attnviz.attention import ShapeError, attend, causal, linear_attention, linear_weights
from attnviz.attention.linear import CHUNK

BATCH, HEADS, HEAD_DIM, VALUE_DIM = 2, 3, 5, 7


def tensors(queries: int, keys: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    shapes = (queries, HEAD_DIM), (keys, HEAD_DIM), (keys, VALUE_DIM)
    query, key, value = (2 * torch.randn(BATCH, HEADS, *shape, dtype=dtype) for shape in shapes)
    return query, key, value


def test_implied_weights_are_the_loop_over_the_formula() -> None:
    query, key, _ = tensors(2, 3)
    q, k = query[0, 0], key[0, 0]
    alike = [[((elu(one) + 1) * (elu(other) + 1)).sum() for other in k] for one in q]
    expected = torch.tensor([[pair / sum(row) for pair in row] for row in alike], dtype=torch.float64)
    torch.testing.assert_close(linear_weights(query, key)[0, 0], expected)


LENGTHS = [(1, 1), (11, 13), (CHUNK, CHUNK), (2 * CHUNK + 17, 2 * CHUNK + 17), (CHUNK + 1, 3 * CHUNK)]


@pytest.mark.parametrize("is_causal", [False, True], ids=["everything", "causal"])
@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
def test_what_is_read_is_what_the_implied_weights_read(queries, keys, is_causal) -> None:
    query, key, value = tensors(queries, keys)
    weights = linear_weights(query, key, causal(queries, keys) if is_causal else None)
    torch.testing.assert_close(weights.sum(-1), torch.ones(BATCH, HEADS, queries, dtype=torch.float64))
    read = linear_attention(query, key, value, causal=is_causal)
    torch.testing.assert_close(read, attend(weights, value))


@pytest.mark.parametrize("is_causal", [False, True], ids=["everything", "causal"])
def test_gradients_are_those_of_small_differences(is_causal) -> None:
    inputs = [tensor[0, 0].clone().requires_grad_() for tensor in tensors(5, 7)]
    assert torch.autograd.gradcheck(lambda *given: linear_attention(*given, causal=is_causal), inputs)


def test_a_query_that_may_see_nothing_gets_zeros() -> None:
    query, key, _ = tensors(3, 3)
    weights = linear_weights(query, key, causal(3) & (torch.arange(3) != 1)[:, None])
    assert weights[:, :, 1].eq(0).all()


def test_very_small_features_are_not_rounded_away() -> None:
    key = torch.tensor([[-30.0], [-31.0]])
    weights = linear_weights(torch.zeros(1, 1), key)
    torch.testing.assert_close(weights, torch.tensor([[0.0, -1.0]]).softmax(-1))


@pytest.mark.parametrize("is_causal", [False, True], ids=["everything", "causal"])
def test_nothing_as_long_as_the_text_is_made_for_each_pair_or_each_feature(is_causal) -> None:
    length = 4096
    query, key, value = (tensor[0, 0] for tensor in tensors(length, length, torch.float32))
    with torch.profiler.profile(profile_memory=True) as watched:
        linear_attention(query, key, value, causal=is_causal)
    made = max(event.cpu_memory_usage for event in watched.events())
    assert made < 4 * length * HEAD_DIM * VALUE_DIM  # bytes of d x d at each position; of each pair: 64 MB


def test_more_causal_queries_than_keys_are_an_error_that_says_both() -> None:
    with pytest.raises(ShapeError, match=r"3 causal queries need as many keys or more: there are 2"):
        linear_attention(*tensors(3, 2), causal=True)

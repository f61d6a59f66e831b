"""Scores: each against a loop over its formula, its gradients against small differences."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from attnviz.attention import Additive, Concat, General, ShapeError, cosine, dot, scaled_dot

BATCH, QUERIES, KEYS, DIM, KEY_DIM, WIDTH = 2, 3, 5, 7, 11, 13


def general(score: General) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda q, k: q @ score.turn.weight.T @ k


def concat(score: Concat) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda q, k: score.score.weight[0] @ torch.tanh(score.hidden.weight @ torch.cat([q, k]))


def additive(score: Additive) -> Callable[[Tensor, Tensor], Tensor]:
    def one(q: Tensor, k: Tensor) -> Tensor:
        return score.score.weight[0] @ torch.tanh(score.query.weight @ q + score.key.weight @ k)

    return one


torch.manual_seed(0)
LEARNT = {
    "general": (general, General(DIM, KEY_DIM).double()),
    "concat": (concat, Concat(DIM, KEY_DIM, WIDTH).double()),
    "additive": (additive, Additive(DIM, KEY_DIM, WIDTH).double()),
}
SCORES = {
    "dot": (lambda q, k: q @ k, dot),
    "scaled": (lambda q, k: q @ k / math.sqrt(DIM), scaled_dot),
    "cosine": (lambda q, k: q @ k / (q @ q).sqrt() / (k @ k).sqrt(), cosine),
} | {name: (written(score), score) for name, (written, score) in LEARNT.items()}


def vectors(name: str) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    key_dim = KEY_DIM if name in LEARNT else DIM
    query, key = torch.randn(BATCH, QUERIES, DIM), torch.randn(BATCH, KEYS, key_dim)
    return query.double().requires_grad_(), key.double().requires_grad_()


@pytest.mark.parametrize("name", SCORES)
def test_a_score_is_the_loop_over_its_formula(name) -> None:
    formula, score = SCORES[name]
    query, key = (vector.detach() for vector in vectors(name))
    with torch.no_grad():
        pairs = [[[formula(q, k) for k in keys] for q in rows] for rows, keys in zip(query, key, strict=True)]
        torch.testing.assert_close(score(query, key), torch.tensor(pairs, dtype=torch.float64))


@pytest.mark.parametrize("name", SCORES)
def test_gradients_are_those_of_small_differences(name) -> None:
    _, score = SCORES[name]
    assert torch.autograd.gradcheck(score, vectors(name))


@pytest.mark.parametrize("name", LEARNT)
def test_gradients_of_what_is_learnt_are_those_of_small_differences(name) -> None:
    _, score = LEARNT[name]
    query, key = (vector.detach() for vector in vectors(name))
    names, values = zip(*score.named_parameters(), strict=True)

    def of_parameters(*given: Tensor) -> Tensor:
        return torch.func.functional_call(score, dict(zip(names, given, strict=True)), (query, key))

    assert torch.autograd.gradcheck(of_parameters, values)


def test_keys_projected_once_give_the_same_scores_query_by_query() -> None:
    _, score = LEARNT["additive"]
    query, key = vectors("additive")
    projected = score.projected(key)
    one_by_one = [score.against(query[:, [row]], projected) for row in range(QUERIES)]
    torch.testing.assert_close(torch.cat(one_by_one, -2), score(query, key))


def test_a_vector_of_no_length_is_like_none_by_its_direction() -> None:
    scores = cosine(torch.zeros(1, DIM), torch.ones(2, DIM))
    assert scores.tolist() == [[0, 0]]


@pytest.mark.parametrize("score", [dot, scaled_dot, cosine])
def test_another_head_dim_is_an_error_that_says_both(score) -> None:
    with pytest.raises(ShapeError, match=r"query of head_dim 3 .* key of head_dim 5"):
        score(torch.zeros(2, 3), torch.zeros(2, 5))


@pytest.mark.parametrize("name", LEARNT)
def test_what_was_not_learnt_for_is_an_error_that_says_both(name) -> None:
    with pytest.raises(ShapeError, match=r"query of 7 and a key of 3 .* for 7 and 11"):
        LEARNT[name][1](torch.zeros(2, DIM), torch.zeros(2, 3))

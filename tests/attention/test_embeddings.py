"""Positions and token vectors."""

import math

import pytest
import torch

from attnviz.attention import (
    LearnedPositions,
    MultiHeadAttention,
    RotaryPositions,
    ShapeError,
    SinusoidalPositions,
    TokenEmbedding,
)


def test_sinusoidal_positions_by_hand() -> None:
    waves = SinusoidalPositions(5)(torch.tensor([0, 3]))
    slower = 10000 ** (-2 / 5)
    assert waves[0].tolist() == [0, 1, 0, 1, 0]
    expected = [math.sin(3), math.cos(3), math.sin(3 * slower), math.cos(3 * slower)]
    torch.testing.assert_close(waves[1, :4], torch.tensor(expected))


def test_rotary_positions_by_hand() -> None:
    turned = RotaryPositions(4)(torch.tensor([[1.0, 0, 1, 0], [1, 0, 0, 2]]))
    assert turned[0].tolist() == [1, 0, 1, 0]  # position 0 is not turned
    slower = 10000 ** (-2 / 4)
    expected = [math.cos(1), math.sin(1), -2 * math.sin(slower), 2 * math.cos(slower)]
    torch.testing.assert_close(turned[1], torch.tensor(expected))


def test_rotary_scores_depend_on_distance_alone() -> None:
    torch.manual_seed(1)
    turn = RotaryPositions(6)
    query, key = torch.randn(6).expand(11, 6), torch.randn(6).expand(11, 6)
    scores = turn(query) @ turn(key).T
    for distance in (-7, 0, 3):
        diagonal = scores.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert scores[0, 3] != pytest.approx(scores[3, 0])


def test_rotary_attention_tells_an_order_that_plain_attention_cannot() -> None:
    torch.manual_seed(2)
    states = torch.randn(1, 5, 12)
    for rotary in (False, True):
        attention = MultiHeadAttention(12, 3, rotary=rotary)
        same = torch.allclose(attention(states)[:, :1], attention(states[:, [0, 2, 1, 3, 4]])[:, :1])
        assert same is not rotary


def test_an_odd_head_dim_cannot_be_turned() -> None:
    with pytest.raises(ShapeError, match="head_dim 5 is odd"):
        MultiHeadAttention(15, 3, rotary=True)


def test_a_token_is_its_vector_and_its_position() -> None:
    torch.manual_seed(2)
    embedding = TokenEmbedding(13, 7, LearnedPositions(11, 7))
    ids = torch.tensor([[4, 12, 4]])
    states = embedding(ids)
    assert states.shape == (1, 3, 7)
    torch.testing.assert_close(states[0, 2], embedding.tokens.weight[4] + embedding.positions.table.weight[2])
    moved = embedding(ids, torch.tensor([[5, 6, 7]]))
    torch.testing.assert_close(moved[0, 0], embedding.tokens.weight[4] + embedding.positions.table.weight[5])

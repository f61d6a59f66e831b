"""Positions and token vectors."""

import math

import torch

from attnviz.attention import LearnedPositions, SinusoidalPositions, TokenEmbedding


def test_sinusoidal_positions_by_hand() -> None:
    waves = SinusoidalPositions(5)(torch.tensor([0, 3]))
    slower = 10000 ** (-2 / 5)
    assert waves[0].tolist() == [0, 1, 0, 1, 0]
    expected = [math.sin(3), math.cos(3), math.sin(3 * slower), math.cos(3 * slower)]
    torch.testing.assert_close(waves[1, :4], torch.tensor(expected))


def test_a_token_is_its_vector_and_its_position() -> None:
    torch.manual_seed(2)
    embedding = TokenEmbedding(13, 7, LearnedPositions(11, 7))
    ids = torch.tensor([[4, 12, 4]])
    states = embedding(ids)
    assert states.shape == (1, 3, 7)
    torch.testing.assert_close(states[0, 2], embedding.tokens.weight[4] + embedding.positions.table.weight[2])
    moved = embedding(ids, torch.tensor([[5, 6, 7]]))
    torch.testing.assert_close(moved[0, 0], embedding.tokens.weight[4] + embedding.positions.table.weight[5])

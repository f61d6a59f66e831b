"""What enters the first layer: a vector for each token, and one for where it stands."""

import math

import torch
from torch import Tensor, nn


class SinusoidalPositions(nn.Module):
    """Sines and cosines of wavelengths from 2 pi to 20000 pi: no weights, any length.

    Vaswani et al. 2017, 3.5: even columns are sines, odd ones cosines.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.d_model = d_model

    def forward(self, positions: Tensor) -> Tensor:
        """``[..., length]`` positions from 0 to ``[..., length, d_model]``."""
        columns = torch.arange(0, self.d_model, 2, dtype=torch.float32, device=positions.device)
        angles = positions[..., None] * torch.exp(columns * (-math.log(10000.0) / self.d_model))
        waves = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)
        return waves[..., : self.d_model]


class LearnedPositions(nn.Module):
    """A trained vector for each of a fixed number of positions."""

    def __init__(self, positions: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Embedding(positions, d_model)

    def forward(self, positions: Tensor) -> Tensor:
        """``[..., length]`` positions from 0 to ``[..., length, d_model]``."""
        vectors: Tensor = self.table(positions)
        return vectors


class TokenEmbedding(nn.Module):
    """Token vectors plus position vectors, normalised if a norm is given (BERT's way).

    positions: what turns position numbers into vectors
    """

    def __init__(
        self, vocabulary: int, d_model: int, positions: nn.Module, norm: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, d_model)
        self.positions = positions
        self.norm = nn.Identity() if norm is None else norm

    def forward(self, ids: Tensor, positions: Tensor | None = None) -> Tensor:
        """``[batch, length]`` ids to ``[batch, length, d_model]``.

        positions: where each token stands, broadcastable to ids; 0, 1, 2, ... if not given
        """
        if positions is None:
            positions = torch.arange(ids.shape[-1], device=ids.device)
        embedded: Tensor = self.norm(self.tokens(ids) + self.positions(positions))
        return embedded

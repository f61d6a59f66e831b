"""What enters the first layer: a vector for each token, and one for where it stands."""

import math

import torch
from torch import Tensor, nn

from attnviz.attention.shapes import ShapeError


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


class RotaryPositions(nn.Module):
    """Turns queries and keys by an angle that grows with position: scores depend on the distance alone.

    Su et al. 2021 (RoFormer), 3.4.2: two neighbouring columns are a plane, turned at a speed of its own.
    Raises ShapeError if head_dim is odd.
    """

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        if head_dim % 2:
            raise ShapeError(f"head_dim {head_dim} is odd: rotary positions turn columns in pairs")
        self.head_dim = head_dim

    def forward(self, vectors: Tensor) -> Tensor:
        """``[..., length, head_dim]``, the positions 0 to length, to the same."""
        length = vectors.shape[-2]
        columns = torch.arange(0, self.head_dim, 2, device=vectors.device)
        speeds = torch.exp(columns * (-math.log(10000.0) / self.head_dim))
        angles = torch.arange(length, device=vectors.device)[:, None] * speeds
        turned = _as_planes(vectors) * torch.polar(torch.ones_like(angles), angles)
        return torch.view_as_real(turned).flatten(-2).to(vectors.dtype)


def _as_planes(vectors: Tensor) -> Tensor:
    """``[..., 2n]`` numbers as ``[..., n]`` complex ones."""
    return torch.view_as_complex(vectors.float().reshape(*vectors.shape[:-1], -1, 2))


class TokenEmbedding(nn.Module):
    """Token vectors plus position vectors. Vaswani et al. 2017, 3.4.

    positions: what turns position numbers into vectors; None where attention itself knows positions (rotary)
    scale:     what token vectors are multiplied by (their sqrt(d_model))
    norm:      what the sum is normalised by (BERT)
    """

    def __init__(
        self,
        vocabulary: int,
        d_model: int,
        positions: nn.Module | None = None,
        *,
        scale: float = 1.0,
        norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.tokens = nn.Embedding(vocabulary, d_model)
        self.positions = positions
        self.norm = nn.Identity() if norm is None else norm

    def forward(self, ids: Tensor, positions: Tensor | None = None) -> Tensor:
        """``[batch, length]`` ids to ``[batch, length, d_model]``.

        positions: where each token stands, broadcastable to ids; 0, 1, 2, ... if not given
        """
        vectors = self.tokens(ids) * self.scale
        if self.positions is not None:
            here = torch.arange(ids.shape[-1], device=ids.device) if positions is None else positions
            vectors = vectors + self.positions(here)
        embedded: Tensor = self.norm(vectors)
        return embedded

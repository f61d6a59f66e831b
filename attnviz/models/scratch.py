"""Room that is used again and again, so that what is computed tile by tile stays in the processor's cache."""

from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor


@dataclass
class Scratch:
    """Named pieces of memory, each as large as the largest tensor that was asked for under its name."""

    _room: dict[str, Tensor] = field(default_factory=dict)
    _last: dict[str, Tensor] = field(default_factory=dict)

    def take(self, name: str, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """A float32 tensor of this shape with anything in it; overwritten by the next of this name."""
        last = self._last.get(name)
        if last is not None and last.shape == shape and last.device == device:
            return last
        size = prod(shape)
        room = self._room.get(name)
        if room is None or room.numel() < size or room.device != device:
            room = self._room[name] = torch.empty(size, device=device)
        self._last[name] = room[:size].view(shape)
        return self._last[name]

    def dot(self, left: Tensor, right: Tensor) -> Tensor:
        """The dot products of the last axis, without new memory for the products."""
        products = self.take("products", tuple(left.shape), left.device)
        return torch.mul(left, right, out=products).sum(-1)

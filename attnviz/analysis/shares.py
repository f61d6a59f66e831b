"""How often something was found, how sure that is, and what guesses by distance find."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z = 1.959964


@dataclass(frozen=True)
class Share:
    """``hits`` out of ``of``, with the 95 % interval of Wilson 1927."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of

    @property
    def low(self) -> float:
        return self._middle - self._half_width

    @property
    def high(self) -> float:
        return self._middle + self._half_width

    @property
    def _middle(self) -> float:
        return (self.hits + _Z**2 / 2) / (self.of + _Z**2)

    @property
    def _half_width(self) -> float:
        spread = self.hits * (self.of - self.hits) / self.of + _Z**2 / 4
        return _Z * math.sqrt(spread) / (self.of + _Z**2)


def share(hits: NDArray[np.bool_]) -> Share:
    """The share of those that are hits."""
    return Share(int(hits.sum()), len(hits))


def nearest(place: int, candidates: Iterable[int], lot: Callable[[], float]) -> int:
    """The candidate nearest to a place; of two at the same distance one by lot. -1 if there is none.

    lot: gives a random number, such as ``random.random``
    """
    return min(candidates, key=lambda candidate: (abs(candidate - place), lot()), default=-1)

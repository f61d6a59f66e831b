"""Captures of several samples, one at a time."""

from collections.abc import Callable, Sequence
from typing import overload

from attnviz.captures import Capture
from attnviz.models.base import Encoded


class OneAtATime(Sequence[Capture]):
    """What is seen of some samples: each is looked at when it is asked for, and only the last one is kept.

    Whoever goes through them a second time makes the model run again; ``list(...)`` keeps them all.
    """

    def __init__(self, batch: Sequence[Encoded], look: Callable[[Encoded], Capture]) -> None:
        self._batch = batch
        self._look = look
        self._last: tuple[Encoded, Capture] | None = None

    def __len__(self) -> int:
        return len(self._batch)

    @overload
    def __getitem__(self, place: int) -> Capture: ...
    @overload
    def __getitem__(self, place: slice) -> "OneAtATime": ...

    def __getitem__(self, place: int | slice) -> "Capture | OneAtATime":
        if isinstance(place, slice):
            return OneAtATime(self._batch[place], self._look)
        encoded = self._batch[place]
        if self._last is None or self._last[0] is not encoded:
            self._last = None  # two are never kept at once
            self._last = encoded, self._look(encoded)
        return self._last[1]

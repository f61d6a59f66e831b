"""What an observer is: something that looks at one run of a model and keeps what it is after."""

from collections.abc import Mapping
from typing import Protocol

from attnviz.captures import Axis, Capture
from attnviz.observe.tiles import Watch

Axes = Mapping[str, tuple[Axis, Axis]]
"""The axes ``(queries, keys)`` of each stack."""


class Observer(Watch, Protocol):
    """A Watch over one run, that is told before what will come by and tells afterwards what it saw."""

    def start(self, axes: Axes) -> None:
        """Get ready for a run over these axes."""
        ...

    def added_to(self, capture: Capture) -> Capture:
        """The capture with what was seen in it."""
        ...

"""What an observer is: something that looks at one run of a model and keeps what it is after."""

from collections.abc import Mapping
from typing import Protocol

from attnviz.captures import Axis, Capture, LayerFacts, numbered
from attnviz.observe.tiles import Watch

Axes = Mapping[str, tuple[Axis, Axis]]
"""The axes ``(queries, keys)`` of stacks, and of single layers whose axes are others."""


class Observer(Watch, Protocol):
    """A Watch over one sample that is told before what will come by, and tells afterwards what it saw."""

    def start(self, axes: Axes) -> None:
        """Get ready for a run over these axes."""
        ...

    def added_to(self, capture: Capture) -> Capture:
        """The capture with what was seen in it."""
        ...


def axes_of(axes: Axes, layer: LayerFacts, size: tuple[int, int]) -> tuple[Axis, Axis]:
    """The axes of a layer's maps; where none of that size are known, places are simply numbered."""
    known = axes.get(layer.name) or axes.get(layer.stack)
    if known and (len(known[0]), len(known[1])) == size:
        return known
    return numbered(size[0]), numbered(size[1])

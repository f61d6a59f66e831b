"""What an observer is: something that looks at one run of a model and keeps what it is after."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from attnviz.captures import Axis, Capture, numbered
from attnviz.facts import LayerFacts
from attnviz.observe.memory import Need
from attnviz.observe.tiles import Watch

Axes = Mapping[str, tuple[Axis, Axis]]
"""The axes ``(queries, keys)`` of stacks, and of single layers whose axes are others."""


class Observer(Watch, Protocol):
    """A Watch over one sample that is told before what will come by, and tells afterwards what it saw."""

    def start(self, axes: Axes) -> None:
        """Get ready for a run over these axes."""
        ...

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        """How much memory it will hold at most in a run of a model of these layers over these axes."""
        ...

    def added_to(self, capture: Capture) -> Capture:
        """The capture with what was seen in it. Called once a run."""
        ...


def axes_of(axes: Axes, layer: LayerFacts, size: tuple[int, int]) -> tuple[Axis, Axis]:
    """The axes of a layer's maps; where none of that size are known, places are simply numbered."""
    known = axes.get(layer.name) or axes.get(layer.stack)
    if known and (len(known[0]), len(known[1])) == size:
        return known
    return numbered(size[0]), numbered(size[1])


def sizes(layers: Iterable[LayerFacts], axes: Axes) -> Iterator[tuple[LayerFacts, tuple[int, int]]]:
    """Each layer with the queries and keys of its maps, as far as that is known before a run.

    A layer of a stack without axes is taken to be as long as the longest known.
    """
    longest = max((len(axis) for both in axes.values() for axis in both), default=0)
    for layer in layers:
        known = axes.get(layer.name) or axes.get(layer.stack)
        yield layer, (len(known[0]), len(known[1])) if known else (longest, longest)

"""Attention rollout: how much of each token reaches each other one through all layers.

Abnar & Zuidema 2020 (Quantifying Attention Flow in Transformers), 3: the product from the first layer on of
(mean over heads + I) / 2, rows renormalised; I stands for the residual stream, which carries each token past
the attention. Of self-attention alone: each stack has a rollout of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from torch import Tensor

from attnviz.captures import Capture, LayerMaps, Layers
from attnviz.facts import LayerFacts
from attnviz.observe.base import Axes, axes_of, sizes
from attnviz.observe.means import PAIR, HeadSum, check_complete, mean_maps, size_of
from attnviz.observe.memory import Need
from attnviz.observe.tiles import Tile

ROWS = 256  # of a product that are computed at once
HELD = 12  # bytes that a pair of tokens takes while a stack comes by: two matrices and their masks


class Rollout:
    """Follows the rollout of each self-attention stack of one sample up to its last layer.

    every: keep the rollout up to each layer, not only the last
    A stack whose layers differ in length (Funnel) has none, and a note says so. Two matrices of the text's
    length are held of a stack, besides those that are kept; one more a layer while the model writes itself.
    """

    def __init__(self, *, every: bool = False) -> None:
        self._every = every
        self._axes: Axes = {}
        self._stacks: dict[str, _Stack] = {}

    def start(self, axes: Axes) -> None:
        self._axes = axes
        self._stacks = {}

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        pairs: dict[str, list[int]] = {}
        for layer, (queries, keys) in sizes(layers, axes):
            if _is_self(layer):
                pairs.setdefault(layer.stack, []).append(queries * keys)
        kept = sum(sum(stack) if self._every else max(stack) for stack in pairs.values())
        return Need(
            PAIR * kept,
            what="the rollout up to every layer" if self._every else "the rollout",
            instead="take that up to the last layer alone" if self._every else "leave it out",
            device=HELD * sum(map(max, pairs.values())),
        )

    def wanted(self, layer: LayerFacts) -> range | None:
        return range(layer.heads) if _is_self(layer) else None

    def see(self, tile: Tile) -> None:
        stack = self._stacks.setdefault(tile.layer.stack, _Stack(self._axes, self._every))
        stack.see(tile)

    def added_to(self, capture: Capture) -> Capture:
        rollout = [maps for stack in self._stacks.values() for maps in stack.finished()]
        notes = [note for name, stack in self._stacks.items() for note in stack.notes(name, capture)]
        return replace(capture, rollout=Layers((*capture.rollout, *rollout)), notes=(*capture.notes, *notes))


class _Reached(NamedTuple):
    """The rollout up to a layer.

    weights: ``[queries, keys]``
    visible: likewise: in some layer the query may see the key
    """

    layer: LayerFacts
    weights: Tensor
    visible: Tensor

    def maps(self, axes: Axes) -> LayerMaps:
        """Its record; a key that is reached through others counts as seen."""
        visible = self.visible | (self.weights > 0)
        own = axes_of(axes, self.layer, size_of(self.weights))
        return mean_maps(self.layer, own, self.weights, visible, visible.new_ones(1, 1))


@dataclass
class _Stack:
    """The rollout of one stack while its layers come by.

    coming:  the layers whose tiles are coming, in their order, and their sums over the heads: one layer at a
             time, but all of them while a model writes a text, token by token
    reached: the rollout up to the last layer that is complete
    kept:    that up to every layer, where they are wanted
    uneven:  why there is no rollout of this stack
    """

    axes: Axes
    every: bool
    coming: dict[LayerFacts, HeadSum] = field(default_factory=dict)
    reached: _Reached | None = None
    kept: list[LayerMaps] = field(default_factory=list)
    uneven: str = ""

    def see(self, tile: Tile) -> None:
        self.uneven = self.uneven or self._unevenness(tile)
        if self.uneven:
            self._forget()
            return
        if tile.layer not in self.coming:
            self.coming[tile.layer] = HeadSum.of(tile)
        self.coming[tile.layer].add(tile)
        self._follow_complete()

    def finished(self) -> list[LayerMaps]:
        check_complete(self.coming)
        return self.kept if self.every or self.reached is None else [self.reached.maps(self.axes)]

    def notes(self, name: str, capture: Capture) -> list[str]:
        stack = f"{name} " if name else ""
        if self.uneven:
            return [f"no {stack}rollout: {self.uneven}"]
        passed = [
            str(layer.layer) for layer in capture.model.layers if layer.stack == name and not layer.heads
        ]
        listed = f"{'layers' if len(passed) > 1 else 'layer'} {', '.join(passed)}"
        return [f"the {stack}rollout leaves out {listed}: no attention there"] if passed else []

    def _follow_complete(self) -> None:
        """Multiply the layers that are complete, but none before those that came by earlier."""
        while self.coming and (layer := next(iter(self.coming))) and self.coming[layer].complete:
            self._follow(layer, self.coming.pop(layer))

    def _follow(self, layer: LayerFacts, sums: HeadSum) -> None:
        """Multiply a layer onto what came before it."""
        step, visible = _step(sums, layer.heads), sums.visible
        if self.reached is not None:
            step, visible = _times(step, self.reached.weights), visible | self.reached.visible
        self.reached = _Reached(layer, step, visible)
        if self.every:
            self.kept.append(self.reached.maps(self.axes))

    def _forget(self) -> None:
        self.coming, self.reached, self.kept = {}, None, []

    def _unevenness(self, tile: Tile) -> str:
        queries, keys = tile.size
        if queries != keys:
            return f"layer {tile.layer.name} has {queries:,} queries and {keys:,} keys"
        weights = [sums.weights for sums in self.coming.values()]
        first = self.reached.weights if self.reached else next(iter(weights), None)
        before = queries if first is None else len(first)
        if before != queries:
            return f"layer {tile.layer.name} reads {queries:,} tokens, those before it {before:,}"
        return ""


def _is_self(layer: LayerFacts) -> bool:
    return layer.heads > 0 and "cross" not in layer.stack


def _step(sums: HeadSum, heads: int) -> Tensor:
    """(mean over heads + I) / 2, rows divided by their sums, in place; rows that see nothing are zeros."""
    step = sums.weights.div_(heads)
    step.diagonal().add_(1)
    step.div_(step.sum(-1, keepdim=True))
    return step.masked_fill_(~sums.visible.any(-1, keepdim=True), 0)


def _times(step: Tensor, before: Tensor) -> Tensor:
    """The matrix product ``step @ before``, in the place of ``step``: each of its rows is needed once."""
    for start in range(0, len(step), ROWS):
        rows = step[start : start + ROWS]
        rows.copy_(rows @ before)
    return step

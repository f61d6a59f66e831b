"""The queries, keys and values of one head."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from attnviz.captures import Booleans, Capture, Floats, Head
from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.models.base import Encoded, Source
from attnviz.observe.base import Axes, sizes
from attnviz.observe.keep import KeepMaps
from attnviz.observe.memory import Need
from attnviz.observe.progress import Report
from attnviz.observe.run import observe
from attnviz.observe.tiles import Tile, Vectors
from attnviz.projections import Projections

WIDE = 256
"""Numbers of a vector that memory is counted with before a run: more than a head has in nearly all models."""


class KeepVectors:
    """Keeps what one head made its weights of; ``found`` once the run is over, None if it was not told."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self.found: Gathered | None = None

    def start(self, axes: Axes) -> None:  # noqa: ARG002 - of every observer
        self.found = None

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        own = (both for layer, both in sizes(layers, axes) if self.wanted(layer))
        needed = sum(4 * (queries * keys * 2 + (queries + 2 * keys) * WIDE) for queries, keys in own)
        return Need(needed, what=f"queries and keys of head {self._head.name}", instead="give a shorter text")

    def wanted(self, layer: LayerFacts) -> range | None:
        own = (layer.stack, layer.layer) == self._head[:2]
        return range(self._head.head, self._head.head + 1) if own else None

    def see(self, tile: Tile) -> None:
        if self._head.head not in tile.heads or tile.vectors is None:
            return
        vectors = tile.vectors(self._head.head)
        if vectors is None:
            return
        if self.found is None:
            self.found = Gathered.of(vectors, tile.size)
        self.found.add(vectors, tile.rows, tile.columns)

    def added_to(self, capture: Capture) -> Capture:
        return capture


@dataclass(frozen=True)
class Gathered:
    """Vectors of a whole map while they come in; ``first`` tells what is the same for all of it."""

    first: Vectors
    query: Tensor
    key: Tensor
    value: Tensor
    bias: Tensor | None
    learnt: Tensor | None

    @classmethod
    def of(cls, first: Vectors, size: tuple[int, int]) -> "Gathered":
        """With room for a map of this size."""
        return cls(
            first=first,
            query=torch.zeros(size[0], first.query.shape[-1]),
            key=torch.zeros(size[1], first.key.shape[-1]),
            value=torch.zeros(size[1], first.value.shape[-1]),
            bias=None if first.bias is None else torch.zeros(size),
            learnt=None if first.learnt is None else torch.zeros(size),
        )

    def add(self, part: Vectors, rows: range, columns: range) -> None:
        """What a tile has, put in its place."""
        down, along = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        self.query[down] = part.query.to(self.query)
        self.key[along] = part.key.to(self.key)
        self.value[along] = part.value.to(self.value)
        for whole, some in ((self.bias, part.bias), (self.learnt, part.learnt)):
            if whole is not None and some is not None:
                whole[down, along] = some.to(whole)


def projections(source: Source, encoded: Encoded, head: Head, *, report: Report | None = None) -> Projections:
    """One pass of the model, in which one head is looked at closely.

    Raises ModelError if its queries and keys are not to be had.
    """
    keeper = KeepVectors(head)
    layer = head.name.rpartition(".")[0]
    seen = observe(source, encoded, [KeepMaps({layer: (head.head,)}), keeper], report=report)
    if keeper.found is None:
        raise ModelError(
            f"{source.facts.name} gives no q and k of head {head.name}: its attention is not computed "
            "through transformers' interface, where they are to be had; heatmap shows its weights"
        )
    return _projections(head, seen, keeper.found)


def _projections(head: Head, seen: Capture, found: Gathered) -> Projections:
    first = found.first
    made = Projections(
        head=head,
        seen=seen,
        query=found.query.numpy(),
        key=found.key.numpy(),
        value=found.value.numpy(),
        scale=first.scale,
        cap=first.cap,
        sink=first.sink,
        score=first.score,
        learnt=None if found.learnt is None else found.learnt.numpy(),
    )
    return made if found.bias is None else replace(made, bias=_biases(found.bias.numpy(), made.visible))


def _biases(added: Floats, visible: Booleans) -> Floats | None:
    """What is added where a key may be seen (a mask of numbers hides the others); None if that is nothing."""
    seen: Floats = np.where(visible, added, np.float32(0))
    return seen if seen.any() else None

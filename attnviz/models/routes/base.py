"""What comes by on every route: one attention of a running model, and who is told of it.

interface: it went through transformers' attention interface (``attnviz.models.tap``)
softmax:   a softmax was taken inside an attention module, or torch's own attention called (``softmax``)
hook:      a module returned its weights, asked by ``output_attentions`` (``hook``)
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from attnviz.facts import LayerFacts
from attnviz.models.calls import AttentionCall, Place, cut_rows, may_see, of_sample
from attnviz.models.scratch import Scratch
from attnviz.models.tiling import tiles, tiles_and_output
from attnviz.observe.tiles import Tile


class Event(Protocol):
    """One attention that came by, of all samples of a batch.

    route:     "interface", "softmax" or "hook"
    batch:     entries of its own batch: samples, or several images or windows of each
    key_heads: heads with keys of their own; None if unknown
    in_blocks: it computes some pairs only, in blocks that the model may have to fill up
    """

    @property
    def route(self) -> str: ...
    @property
    def batch(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def key_heads(self) -> int | None: ...
    @property
    def queries(self) -> int: ...
    @property
    def keys(self) -> int: ...
    @property
    def in_blocks(self) -> bool: ...

    def tiles(self, layer: LayerFacts, heads: range, place: Place) -> Iterator[Tile]:
        """The weights of some heads of one entry of the batch, a few rows at a time."""
        ...


@dataclass(frozen=True)
class Around:
    """What an attention that is seen in other coordinates has of the one that came by: all but its lengths.

    inner: the attention as it came by
    """

    inner: Event

    @property
    def route(self) -> str:
        return self.inner.route

    @property
    def heads(self) -> int:
        return self.inner.heads

    @property
    def key_heads(self) -> int | None:
        return self.inner.key_heads

    @property
    def in_blocks(self) -> bool:
        return False


def own_length(event: Event, length: int, tokens: int | None) -> int:
    """How many of an attention's places are tokens that the model was given: a model in blocks adds padding.

    length: how many queries, or keys, it has
    tokens: how many tokens the model was given
    """
    filled = event.in_blocks and event.queries == event.keys
    return tokens if filled and tokens is not None and tokens < length else length


class Listener(Protocol):
    """Who is told of the attentions of one model while it runs."""

    def path(self, module: nn.Module) -> str | None:
        """How the model calls this module of its own; None for a module that is not."""
        ...

    def take(self, path: str, event: Event) -> Tensor | None:
        """One attention came by, computed in the module of this path.

        Returns its output ``[batch, queries, heads, value_dim]``, if that was made on the way.
        """
        ...


@dataclass(frozen=True)
class Called:
    """An attention whose queries and keys are at hand.

    output: what the layer reads may be made on the way
    """

    call: AttentionCall
    route: str
    output: bool = False

    @property
    def batch(self) -> int:
        return self.call.query.shape[0]

    @property
    def heads(self) -> int:
        return self.call.heads

    @property
    def key_heads(self) -> int | None:
        return self.call.key.shape[1]

    @property
    def queries(self) -> int:
        return self.call.queries

    @property
    def keys(self) -> int:
        return self.call.keys

    @property
    def in_blocks(self) -> bool:
        return False

    def sees_beyond(self, place: Place) -> bool:
        """Whether some of the sample's queries may see keys that are not its own: padding, not masked."""
        call = of_sample(self.call, place.sample)
        if call.mask is None:
            return not call.causal or place.keys.start > 0
        rows = slice(place.queries.start, place.queries.stop)
        mask = cut_rows(call.mask, rows, call.keys)[0]
        seen = may_see(mask).flatten(0, 1).any(0).expand(call.keys)
        return bool(seen[: place.keys.start].any() or seen[place.keys.stop :].any())

    def tiles(self, layer: LayerFacts, heads: range, place: Place) -> Iterator[Tile]:
        return tiles(self.call, layer, heads, place)

    def with_output(
        self, layer: LayerFacts, place: Place, scratch: Scratch
    ) -> tuple[Iterator[Tile], Tensor] | None:
        """All heads, and the output, complete after the last; None if that is not to be had."""
        return tiles_and_output(self.call, layer, place, scratch) if self.output else None


def over_all(mask: Tensor) -> Tensor:
    """A mask with all four axes; those that are not there are the first ones."""
    return mask if mask.ndim == 4 else mask[(None,) * (4 - mask.ndim)]


def side_by_side(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values with the same batch: what all samples share is repeated (as a view)."""
    batch = max(query.shape[0], key.shape[0])
    if query.shape[0] == key.shape[0]:
        return query, key, value
    return (
        query.expand(batch, -1, -1, -1),
        key.expand(batch, -1, -1, -1),
        value.expand(batch, -1, -1, -1),
    )


class _Silence(threading.local):
    def __init__(self) -> None:
        self.depth = 0


_silence = _Silence()


class unheard:  # noqa: N801 - used as a function; entered for every attention, where a generator costs more
    """Inside the block what this thread computes is no attention of the model's own: it comes by nowhere."""

    def __enter__(self) -> None:
        _silence.depth += 1

    def __exit__(self, *_: object) -> None:
        _silence.depth -= 1


def heard() -> bool:
    """Whether what this thread computes is the model's own."""
    return not _silence.depth

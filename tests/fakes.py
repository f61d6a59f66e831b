"""A Source without a model: fixed weights, for tests of everything that comes after one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from torch import Tensor

from attnviz.captures import Axis
from attnviz.errors import InputError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span, word_spans
from attnviz.models.base import Encoded
from attnviz.models.labels import Tokens, token_axis
from attnviz.observe.tiles import Tile, Watch


@dataclass(frozen=True)
class FakeSource:
    """Reads a text word by word between [CLS] and [SEP], and attends by arithmetic.

    causal:    no query sees a later key
    rows:      query rows of a tile
    together:  heads of a tile
    positions: tokens that fit
    """

    layers: int = 2
    heads: int = 3
    causal: bool = False
    rows: int = 2
    together: int = 2
    positions: int = 50

    @property
    def facts(self) -> ModelFacts:
        layers = tuple(LayerFacts("", layer, self.heads) for layer in range(self.layers))
        return ModelFacts("fake", "fake", layers, fingerprint="f4ce", positions=self.positions)

    @property
    def versions(self) -> Mapping[str, str]:
        return {"attnviz": "0", "torch": "0"}

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:
        if not sample.text.strip():
            raise InputError(f"{sample.name} is empty: give at least one word")
        words = [Span(0, *span) for span in word_spans(sample.text)]
        count = len(words) + 2
        if count > self.positions and not truncate:
            raise InputError(f"{sample.name} has {count} tokens and fake reads at most {self.positions}")
        kept = words[: self.positions - 2]
        tokens = Tokens(
            ids=[0, *range(2, len(kept) + 2), 1],
            pieces=["[CLS]", *(sample.text[span.start : span.stop] for span in kept), "[SEP]"],
            spans=[None, *kept, None],
            special=[True, *(False for _ in kept), True],
            segments=[0] * (len(kept) + 2),
            texts=(sample.text,),
        )
        axis = token_axis(tokens)
        notes = () if len(kept) == len(words) else (f"cut to {len(axis)} of {count} tokens",)
        return Encoded(sample, {"input_ids": torch.tensor([axis.ids])}, {"": (axis, axis)}, notes)

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        for encoded, watch in zip(batch, watches, strict=True):
            length = len(encoded.axes[""][0])
            for layer in self.facts.layers:
                heads = watch.wanted(layer)
                for tile in self._tiles(layer, heads, length) if heads else ():
                    watch.see(tile)

    def weights(self, layer: int, length: int) -> Tensor:
        """The weights of a layer: ``[heads, length, length]``, different everywhere, rows summing to 1."""
        head, query, key = (torch.arange(size, dtype=torch.float64) for size in (self.heads, length, length))
        sums = 5 * layer + 7 * head[:, None, None] + 3 * query[:, None] + 11 * key
        scores = (1 + sums % 13) * self.visible(length)
        return (scores / scores.sum(-1, keepdim=True)).float()

    def visible(self, length: int) -> Tensor:
        everything = torch.ones(length, length, dtype=torch.bool)
        return everything.tril() if self.causal else everything

    def _tiles(self, layer: LayerFacts, heads: range, length: int) -> Iterator[Tile]:
        weights, visible = self.weights(layer.layer, length), self.visible(length)[None]
        firsts = range(heads.start, heads.stop, self.together)
        for first, start in product(firsts, range(0, length, self.rows)):
            some = range(first, min(first + self.together, heads.stop))
            rows = range(start, min(start + self.rows, length))
            columns = range(rows.stop if self.causal else length)
            part = slice(rows.start, rows.stop), slice(0, columns.stop)
            yield Tile(
                layer=layer,
                heads=some,
                rows=rows,
                columns=columns,
                size=(length, length),
                weights=weights[:, *part][some.start : some.stop],
                visible=visible[:, *part],
                computed=torch.ones(1, 1, 1, dtype=torch.bool),
            )


@dataclass(frozen=True)
class MapsSource(FakeSource):
    """Hands out maps made by hand, in tiles of any shape and order.

    maps:  by layer, ``[heads, queries, keys]``
    seen:  what may be seen, of the same shape; None for everything
    done:  what was computed, likewise
    order: seed of the order in which a layer's tiles come
    """

    maps: tuple[tuple[LayerFacts, torch.Tensor], ...] = ()
    seen: torch.Tensor | None = None
    done: torch.Tensor | None = None
    order: int = 0
    axis: Axis | None = None

    @property
    def facts(self) -> ModelFacts:
        return replace(super().facts, layers=tuple(layer for layer, _ in self.maps))

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:  # noqa: ARG002 - of the protocol
        axes = {"": (self.axis, self.axis)} if self.axis else {}
        return Encoded(sample, {}, axes)

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        assert len(batch) == len(watches)
        for (layer, weights), watch in product(self.maps, watches):
            heads = watch.wanted(layer)
            tiles = list(self._cut(layer, heads, weights)) if heads else []
            for place in np.random.default_rng(self.order).permutation(len(tiles)):
                watch.see(tiles[place])

    def _cut(self, layer: LayerFacts, heads: range, weights: torch.Tensor) -> Iterator[Tile]:
        queries, keys = weights.shape[1:]
        visible = torch.ones(1, 1, 1, dtype=torch.bool) if self.seen is None else self.seen
        computed = torch.ones(1, 1, 1, dtype=torch.bool) if self.done is None else self.done
        for first, start in product(heads[:: self.together], range(0, queries, self.rows)):
            some = range(first, min(first + self.together, heads.stop))
            rows = range(start, min(start + self.rows, queries))
            sees = visible.expand(-1, queries, keys)[:, rows.start : rows.stop].any(0).any(0).nonzero()
            columns = range(int(sees[0]), int(sees[-1]) + 1) if len(sees) else range(1)

            def cut(
                values: torch.Tensor, some: range = some, rows: range = rows, columns: range = columns
            ) -> torch.Tensor:
                values = values if values.shape[0] == 1 else values[some.start : some.stop]
                values = values if values.shape[1] == 1 else values[:, rows.start : rows.stop]
                return values if values.shape[2] == 1 else values[:, :, columns.start : columns.stop]

            yield Tile(layer, some, rows, columns, (queries, keys), cut(weights), cut(visible), cut(computed))


def random_maps(
    seed: int, heads: int, queries: int, keys: int, seen: torch.Tensor | None = None
) -> torch.Tensor:
    made = torch.from_numpy(np.random.default_rng(seed).random((heads, queries, keys), np.float32))
    if seen is not None:
        made = made * seen
    return made / made.sum(-1, keepdim=True).clamp(min=1e-9)

"""The models that ship, and those that ``attnviz train`` makes: our own encoder. Never loads transformers."""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from attnviz import __version__
from attnviz.attention import Look, Rows
from attnviz.builtin import store
from attnviz.builtin.tokenizer import CLS, SEP
from attnviz.captures import LayerFacts, ModelFacts
from attnviz.errors import InputError, ModelError
from attnviz.files import name_of
from attnviz.inputs import Sample, Span
from attnviz.models.base import Encoded
from attnviz.models.devices import device_of
from attnviz.models.encoding import texts_of, tokens_within
from attnviz.models.known import SHIPPED
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.opened import Opened, Site
from attnviz.observe.tiles import Tile, Vectors, Watch


class BuiltinSource:
    """Our own encoder, as a Source."""

    def __init__(self, stored: store.Stored, name: str, device: torch.device) -> None:
        config = stored.model.config
        self._model = stored.model.to(device)
        self._tokenizer = stored.tokenizer
        self._device = device
        self._layers = tuple(
            LayerFacts("", layer, config.heads, key_heads=config.heads, route="own")
            for layer in range(config.layers)
        )
        self.facts = ModelFacts(
            name=name,
            family="builtin",
            layers=self._layers,
            fingerprint=stored.fingerprint,
            device=str(device),
            positions=config.positions,
        )

    @classmethod
    def load(cls, name: str, *, device: str = "auto", dtype: str = "auto") -> Self:
        """The model of this name: one of SHIPPED, or a directory that training made.

        device: auto is the processor, where a model this small is fastest
        Raises ModelError if it is not there, or not for this device or number format.
        """
        if name.startswith("builtin:") and name not in SHIPPED:
            raise ModelError(f"no model {name} ships: there is {', '.join(SHIPPED)}")
        if dtype not in ("auto", "float32"):
            raise ModelError(f"{name} runs in float32 only, not in {dtype}")
        directory = store.shipped(name.removeprefix("builtin:")) if name in SHIPPED else Path(name)
        shown = name if name in SHIPPED else name_of(directory)
        return cls(store.load(directory), shown, device_of("cpu" if device == "auto" else device))

    @property
    def versions(self) -> Mapping[str, str]:
        return {"attnviz": __version__, "torch": torch.__version__}

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:
        """The sample as the model reads it.

        Raises InputError if it has no word, or more tokens than positions and is not to be truncated.
        """
        if sample.generate:
            raise InputError(f"{self.facts.name} reads text and writes none: leave --generate away")
        if sample.chat:
            raise InputError(f"{self.facts.name} has no chat template: leave --chat away")
        tokens = tokens_within(
            self._cut,
            sample,
            model=self.facts.name,
            positions=self._model.config.positions,
            truncate=truncate,
        )
        return _encoded(sample, tokens)

    def plain_ids(self) -> Sequence[int]:
        """The numbers of all tokens but the model's own."""
        own = {number for number, each in self._tokenizer.get_added_tokens_decoder().items() if each.special}
        return [number for number in range(self._tokenizer.get_vocab_size()) if number not in own]

    def encode_ids(self, ids: Sequence[int]) -> Encoded:
        """Tokens by their numbers, between [CLS] and [SEP].

        Raises InputError for more tokens than positions.
        """
        limit = self._model.config.positions
        if len(ids) + 2 > limit:
            raise InputError(f"{len(ids) + 2} tokens are more than {self.facts.name} reads: at most {limit}")
        numbers = [CLS, *ids, SEP]
        return _encoded(
            Sample("", name="input"),
            Tokens(
                ids=numbers,
                pieces=[self._tokenizer.id_to_token(number) or str(number) for number in numbers],
                spans=[None] * len(numbers),
                special=[True, *(False for _ in ids), True],
                segments=[0] * len(numbers),
                texts=(),
                bytes=True,
            ),
        )

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        """A pass of the model for each sample; what its watch wants is handed to that tile by tile."""
        for encoded, watch in zip(batch, watches, strict=True):
            with torch.inference_mode():
                self._model(encoded.tensors["ids"].to(self._device), watch=self._looks(watch))

    def opened(self, encoded: Encoded) -> Opened:
        """The model laid open on one sample; what it is compared with is itself in double precision."""
        ids = encoded.tensors["ids"].to(self._device)

        def call() -> Tensor:
            with torch.inference_mode():
                hidden: Tensor = self._model(
                    ids, watch=lambda *_: lambda _: None
                )  # looked at: no fused kernel
                return hidden

        sites = {layer.name: Site(f"encoder.blocks.{layer.layer}.attention", 0) for layer in self._layers}
        return Opened(self._model, call, sites, self._in_double_precision(ids), "the same model in float64")

    def _in_double_precision(self, ids: Tensor) -> dict[str, Tensor]:
        """The weights of each layer, computed in float64: ``[heads, queries, keys]``."""
        model, seen = copy.deepcopy(self._model).double(), dict[str, Tensor]()

        def looks(_: str, layer: int) -> Look:
            def look(rows: Rows) -> None:
                name = self._layers[layer].name
                seen[name] = torch.cat([seen[name], rows.weights[0]], 1) if name in seen else rows.weights[0]

            return look

        with torch.inference_mode():
            model(ids, watch=looks)
        return seen

    def _looks(self, watch: Watch) -> Callable[[str, int], Look | None]:
        def looks(_: str, layer: int) -> Look | None:
            facts = self._layers[layer]
            heads = watch.wanted(facts)
            return None if heads is None else lambda rows: watch.see(_tile(facts, heads, rows))

        return looks

    def _cut(self, sample: Sample, most: int | None) -> Tokens:
        """The tokens of a text or a pair, at most so many."""
        tokenizer, texts = self._tokenizer, texts_of(sample)
        # what is spelled like a token of the model's own is text; only a hole may be put into a text
        tokenizer.encode_special_tokens = any(special in text for special in _RESERVED for text in texts)
        tokenizer.no_truncation() if most is None else tokenizer.enable_truncation(most)
        letters = tokenizer.encode_special_tokens and any(_HOLE in text for text in texts)
        encoding = tokenizer.encode(texts[0], texts[1] if len(texts) > 1 else None)
        return Tokens(
            ids=encoding.ids,
            pieces=encoding.tokens,
            spans=[
                None if text is None else Span(text, *offsets)
                for text, offsets in zip(encoding.sequence_ids, encoding.offsets, strict=True)
            ],
            special=[flag == 1 for flag in encoding.special_tokens_mask],
            segments=encoding.type_ids,
            texts=texts,
            bytes=True,
            notes=(f"{_HOLE} read as letters, like the other special tokens in the text",) if letters else (),
        )


TRAINED = 80
"""Tokens of the longest texts of the training: beyond, positions are turned as they never were in it."""

_BEYOND = (
    f"the model was trained on texts of up to {TRAINED} tokens: on longer ones heads do not what they learnt"
)
_RESERVED = ("[PAD]", "[CLS]", "[SEP]")
_HOLE = "[MASK]"


def _encoded(sample: Sample, tokens: Tokens) -> Encoded:
    axis = token_axis(tokens)
    notes = tokens.notes if len(axis) <= TRAINED else (*tokens.notes, _BEYOND)
    return Encoded(sample, {"ids": torch.tensor([tokens.ids])}, {"": (axis, axis)}, notes)


def _tile(layer: LayerFacts, heads: range, rows: Rows) -> Tile:
    weights = rows.weights[0, heads.start : heads.stop]
    _, queries, keys = weights.shape
    return Tile(
        layer=layer,
        heads=heads,
        rows=range(rows.first, rows.first + queries),
        columns=range(keys),
        size=(rows.queries, keys),
        weights=weights,
        visible=rows.visible[0],  # the same for all heads
        computed=torch.ones(1, 1, 1, dtype=torch.bool, device=weights.device),
        vectors=lambda head: Vectors(
            rows.query[0, head], rows.key[0, head], rows.value[0, head], rows.query.shape[-1] ** -0.5
        ),
    )

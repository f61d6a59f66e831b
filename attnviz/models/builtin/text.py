"""Our models of one text: a single stack that reads it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic

import torch
from torch import Tensor

from attnviz.builtin import store
from attnviz.builtin.model import ModelT
from attnviz.errors import InputError
from attnviz.inputs import Sample
from attnviz.models.base import Encoded
from attnviz.models.builtin import common
from attnviz.models.encoding import check_room, room_to_read, tokens_within
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.opened import Opened, Site
from attnviz.models.wrote import with_written
from attnviz.observe.tiles import Watch


@dataclass(frozen=True)
class Manner(Generic[ModelT]):
    """How a kind of model reads.

    kind:          its class; called with ``ids [1, length]`` and a ``watch``
    blocks:        the path of its blocks
    before, after: tokens of its own that stand around a text
    trained:       tokens of the longest texts of its training
    guesses:       of hidden states ``[..., d_model]`` the scores of what may follow; None: it writes nothing
    """

    kind: type[ModelT]
    blocks: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    trained: int
    guesses: Callable[[ModelT, Tensor], Tensor] | None = None


class TextSource(Generic[ModelT]):
    """A model of one text, as a Source."""

    def __init__(self, manner: Manner[ModelT], directory: Path, name: str, device: torch.device) -> None:
        """Raises ModelError if the directory holds no such model."""
        stored = store.load(directory, manner.kind)
        config = stored.model.config
        self._manner = manner
        self._model = stored.model.to(device)
        self._tokenizer = stored.tokenizer
        self._device = device
        self._layers = common.layer_facts("", config.layers, config.heads)
        self.facts = common.model_facts(stored, name, device, self._layers, config.positions)

    @property
    def versions(self) -> Mapping[str, str]:
        return common.versions()

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:
        """The sample as the model reads it, and what it writes after that.

        Raises InputError if it has no word, or more tokens than positions and is not to be truncated.
        """
        if sample.generate and self._manner.guesses is None:
            raise InputError(f"{self.facts.name} reads text and writes none: leave --generate away")
        common.no_chat(sample, self.facts.name)
        cut = partial(common.read_tokens, self._tokenizer)
        room = room_to_read(sample, self.facts.positions, truncate=truncate)
        tokens = tokens_within(cut, sample, model=self.facts.name, positions=room, truncate=truncate)
        return self._encoded(sample, self._continued(tokens, sample))

    def plain_ids(self) -> Sequence[int]:
        """The numbers of all tokens but the model's own."""
        return common.plain_ids(self._tokenizer)

    def encode_ids(self, ids: Sequence[int]) -> Encoded:
        """Tokens by their numbers, between those of the model's own.

        Raises InputError for more tokens than positions.
        """
        before, after = self._manner.before, self._manner.after
        tokens = common.numbered_tokens(self._tokenizer, before, ids, after)
        count, limit = len(tokens.ids), self._model.config.positions
        if count > limit:
            raise InputError(f"{count} tokens are more than {self.facts.name} reads: at most {limit}")
        return self._encoded(Sample("", name="input"), tokens)

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        """A pass of the model for each sample; what its watch wants is handed to that tile by tile."""
        for encoded, watch in zip(batch, watches, strict=True):
            with torch.inference_mode():
                self._model(self._ids(encoded), watch=common.looks(self._layers, watch))

    def opened(self, encoded: Encoded) -> Opened:
        """The model laid open on one sample; what it is compared with is itself in double precision."""
        ids = self._ids(encoded)

        def call() -> Tensor:
            with torch.inference_mode():
                hidden: Tensor = self._model(ids, watch=common.unseen)
                return hidden

        exact = common.in_double_precision(
            self._model, self._layers, lambda model, watch: model(ids, watch=watch)
        )
        sites = {
            layer.name: Site(f"{self._manner.blocks}.{layer.layer}.attention", 0) for layer in self._layers
        }
        return Opened(self._model, call, sites, exact, "the same model in float64")

    def _continued(self, tokens: Tokens, sample: Sample) -> Tokens:
        """The tokens that are read, and after them those that the model writes, always the likeliest."""
        guesses = self._manner.guesses
        if guesses is None or not sample.generate:
            return tokens
        check_room(sample, tokens, model=self.facts.name, positions=self.facts.positions)
        ids = torch.tensor([tokens.ids], device=self._device)
        with torch.inference_mode():
            for _ in range(sample.generate):
                hidden = self._model(ids)[:, -1:]
                ids = torch.cat((ids, guesses(self._model, hidden).argmax(-1)), dim=1)
        return with_written(tokens, ids[0, len(tokens.ids) :].tolist(), common.speller(self._tokenizer))

    def _ids(self, encoded: Encoded) -> Tensor:
        return encoded.tensors["ids"].to(self._device)

    def _encoded(self, sample: Sample, tokens: Tokens) -> Encoded:
        axis = token_axis(tokens)
        notes = tokens.notes if len(axis) <= self._manner.trained else (*tokens.notes, self._beyond)
        tensors = {"ids": torch.tensor([tokens.ids])}
        return Encoded(sample, tensors, {"": (axis, axis)}, notes, written=sample.generate)

    @property
    def _beyond(self) -> str:
        return (
            f"the model was trained on texts of up to {self._manner.trained} tokens: on longer ones heads do "
            "not what they learnt"
        )

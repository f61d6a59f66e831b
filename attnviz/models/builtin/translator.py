"""Our translators: a source that is read, and a target that is given or that they write themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from attnviz.attention import Watch as LayerWatch
from attnviz.builtin import store
from attnviz.builtin.translation.model import Translator
from attnviz.builtin.translation.pieces import END, START
from attnviz.builtin.translation.writing import written
from attnviz.errors import InputError
from attnviz.inputs import Sample
from attnviz.models.base import Encoded
from attnviz.models.builtin import common
from attnviz.models.encoding import check_room, decoded_after, started, target_sample, tokens_within
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.opened import Opened, Site
from attnviz.models.wrote import stopped, with_written
from attnviz.observe.tiles import Watch

TRAINED = 50
"""Tokens of the longest sources and targets of the training."""

MORE = 16
"""Tokens that a translation may have besides two for each of its source: what goes on does not end."""

SITES = {
    "encoder": "stacks.encoder.blocks.{}.attention",
    "decoder": "stacks.decoder.blocks.{}.attention",
    "cross": "stacks.decoder.blocks.{}.cross_attention",
}
"""Where the Transformer computes the attention of each layer; the recurrent ones do it in their decoder."""

_BEYOND = f"the model was trained on texts of up to {TRAINED} tokens: longer ones it translates badly"


class TranslatorSource:
    """A translator, as a Source."""

    def __init__(self, kind: type[Translator], directory: Path, name: str, device: torch.device) -> None:
        """Raises ModelError if the directory holds no such model."""
        stored = store.load(directory, kind)
        self._model = stored.model.to(device)
        self._tokenizer = stored.tokenizer
        self._device = device
        self._layers = tuple(
            layer
            for stack, (layers, heads) in self._model.attentions.items()
            for layer in common.layer_facts(stack, layers, heads)
        )
        positions = self._model.config.positions
        facts = common.model_facts(stored, name, device, self._layers, positions)
        self.facts = replace(facts, best=store.training_record(directory).get("best"))

    @property
    def versions(self) -> Mapping[str, str]:
        return common.versions()

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:
        """The source as it is read; the pair, if there is one, as the target; else what the model writes.

        Raises InputError if either is empty, or more than fits and not to be cut.
        """
        common.no_chat(sample, self.facts.name)
        source = self._tokens(replace(sample, pair=None), self.facts.positions, truncate=truncate)
        begun = started(START, "[START]")
        if sample.pair is not None:
            target = self._tokens(target_sample(sample, sample.pair), self._room, truncate=truncate)
            begun = decoded_after(begun, target)
        whole = self._written(source, begun, sample)
        return self._encoded(sample, source, whole, len(whole.ids) - len(begun.ids))

    def plain_ids(self) -> Sequence[int]:
        """The numbers of all tokens but the model's own."""
        return common.plain_ids(self._tokenizer)

    def encode_ids(self, ids: Sequence[int]) -> Encoded:
        """Tokens of a source by their numbers, with the end token; what is written of them the model writes.

        Raises InputError for more tokens than positions.
        """
        source = common.numbered_tokens(self._tokenizer, (), ids, (END,))
        if len(source.ids) > self._model.config.positions:
            raise InputError(
                f"{len(source.ids)} tokens are more than {self.facts.name} reads: "
                f"at most {self._model.config.positions}"
            )
        sample, begun = Sample("", name="input"), started(START, "[START]")
        whole = self._written(source, begun, sample)
        return self._encoded(sample, source, whole, len(whole.ids) - 1)

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        """A pass of the model for each sample; what its watch wants is handed to that tile by tile."""
        for encoded, watch in zip(batch, watches, strict=True):
            with torch.inference_mode():
                self._call(encoded)(self._model, common.looks(self._layers, watch))

    def opened(self, encoded: Encoded) -> Opened:
        """The model laid open on one sample; what it is compared with is itself in double precision."""
        once = self._call(encoded)

        def call() -> Tensor:
            with torch.inference_mode():
                return once(self._model, common.unseen)

        exact = common.in_double_precision(self._model, self._layers, once)
        return Opened(self._model, call, self._sites, exact, "the same model in float64")

    @property
    def _sites(self) -> dict[str, Site]:
        recurrent = "encoder" not in self._model.attentions
        return {
            layer.name: Site("decoder" if recurrent else SITES[layer.stack].format(layer.layer), 0)
            for layer in self._layers
        }

    def _call(self, encoded: Encoded) -> Callable[[torch.nn.Module, LayerWatch], Tensor]:
        """One pass of a model over a sample, watched."""
        source, target = (encoded.tensors[name].to(self._device) for name in ("source", "target"))
        real = torch.ones_like(source, dtype=torch.bool)
        return lambda model, watch: model(source, target, real, watch=watch)

    def _written(self, source: Tokens, begun: Tokens, sample: Sample) -> Tokens:
        """The target, and what the model writes after it: nothing more where it was given in whole."""
        check_room(sample, begun, model=self.facts.name, positions=self.facts.positions)
        if sample.pair is not None and not sample.generate:
            return begun
        most = sample.generate or min(self._room, 2 * len(source.ids) + MORE)
        ids = written(self._model, self._row(source), most, begun=self._row(begun))[0]
        whole = with_written(begun, ids, common.speller(self._tokenizer))
        cut = not sample.generate and ids[-1] != END
        return replace(whole, notes=(*whole.notes, stopped(most))) if cut else whole

    def _tokens(self, sample: Sample, positions: int | None, *, truncate: bool) -> Tokens:
        cut = partial(common.read_tokens, self._tokenizer)
        return tokens_within(cut, sample, model=self.facts.name, positions=positions, truncate=truncate)

    @property
    def _room(self) -> int:
        """Tokens that a target may have besides the start token, its end token counted."""
        return self._model.config.positions - 1

    def _row(self, tokens: Tokens) -> Tensor:
        return torch.tensor([tokens.ids], device=self._device)

    def _encoded(self, sample: Sample, source: Tokens, target: Tokens, count: int) -> Encoded:
        """count: tokens at the end of the target that the model wrote"""
        read, write = token_axis(source), token_axis(target)
        over = {"encoder": (read, read), "decoder": (write, write), "cross": (write, read)}
        axes = {stack: over[stack] for stack in self._model.attentions}
        beyond = (_BEYOND,) if max(len(read), len(write)) > TRAINED else ()
        tensors = {"source": torch.tensor([source.ids]), "target": torch.tensor([target.ids])}
        return Encoded(sample, tensors, axes, (*source.notes, *target.notes, *beyond), count)

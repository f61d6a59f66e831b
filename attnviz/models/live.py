"""A model of transformers that is already there, as a Source."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import tokenizers
import torch
import transformers
from torch import Tensor

import attnviz
from attnviz.errors import InputError, ModelError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample
from attnviz.models.alike import told_apart
from attnviz.models.axes import bare, prepared_axes, stack_axes
from attnviz.models.base import Encoded
from attnviz.models.batches import is_plain, joined
from attnviz.models.census import Census, can_be_asked, merged, taken
from attnviz.models.checks import check_prepared
from attnviz.models.encoding import Reader, check_room, room_to_read, target_of, tokens_of
from attnviz.models.facts import length_to_look_over
from attnviz.models.fingerprint import fingerprint_of
from attnviz.models.fresh import fresh, kind_of, sizes_of
from attnviz.models.generation import (
    Continued,
    Pass,
    axes_of,
    check_writes,
    speller_of,
    stepwise,
    written,
    written_axis,
)
from attnviz.models.images import pictured
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.languages import Beginning, beginning, speaking
from attnviz.models.numbered import around, plain_ids
from attnviz.models.opened import Opened, Site, returned
from attnviz.models.quiet import quiet
from attnviz.models.run import Batch, Run, listening
from attnviz.models.steady import steady
from attnviz.models.traits import Traits
from attnviz.models.wrote import with_written
from attnviz.observe.memory import answered
from attnviz.observe.tiles import Watch

LITTLE = 8
"""Tokens of the text that a model is looked over with."""

_changes_of = attrgetter("_version")


class LiveSource:
    """A model of transformers, with or without a tokenizer, and what is known of both.

    What its attentions are is found by a first run on little; every later one must show the same.
    """

    def __init__(
        self,
        model: Any,
        *,
        tokenizer: Any = None,
        name: str | None = None,
        revision: str | None = None,
        fingerprint: Callable[[], str] | None = None,
    ) -> None:
        self._model = getattr(model, "_orig_mod", model)  # of a compiled one, the model itself
        self._tokenizer = tokenizer
        self._name = name or type(self._model).__name__
        self._revision = revision
        self._digest = fingerprint  # of a model that others have in their hands it is none for long
        self._weights: str | None = None
        self._own = Traits(self._model, self._name)
        self._censuses: dict[object, Census] = {}
        self._facts: tuple[int, ModelFacts] | None = None  # as of so many censuses
        self._changes: tuple[int, ...] = ()  # of each weight, as torch counts them

    @property
    def facts(self) -> ModelFacts:
        """Raises ModelError if the model cannot be captured, or was given no input yet and reads no text."""
        if not self._censuses:
            self.look_over()
        known = len(self._censuses)
        if self._facts is None or self._facts[0] != known:
            self._facts = known, self._gathered()
        return self._facts[1]

    def _gathered(self) -> ModelFacts:
        return ModelFacts(
            name=self._name,
            family=self._model.config.model_type,
            layers=self.layers,
            fingerprint=self._fingerprint,
            revision=self._revision,
            dtype=str(self._model.dtype).removeprefix("torch."),
            device=str(self._own.device),
            positions=self._own.positions,
        )

    def look_over(self) -> None:
        """Runs the model on a few tokens, to know its layers.

        Raises ModelError if it cannot be captured, or does not read text alone.
        """
        self._census(self._own.little(LITTLE))

    @property
    def layers(self) -> tuple[LayerFacts, ...]:
        """All layers that came by with any input so far."""
        return merged(list(self._censuses.values()))

    @property
    def versions(self) -> Mapping[str, str]:
        return {
            "attnviz": attnviz.__version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        }

    @property
    def reads_text(self) -> bool:
        """Whether a text is all that the model needs."""
        return self._own.reads_text

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:
        """The sample as the model reads it; the pair of an encoder-decoder is what it is to have written.

        Raises InputError if there is nothing to read, or more than fits and it is not to be cut.
        """
        self._forget_fingerprint()
        source, target, begins = self._read(sample, truncate=truncate)
        self._check_vocabulary(source)
        before = len((target or source).ids)
        if sample.generate:
            source, target = self._continued(source, target, sample, begins)
        tensors = self._tensors(source, target)
        later = token_axis(target) if target else None
        return Encoded(
            sample,
            tensors,
            stack_axes(self._census(tensors), token_axis(source), later),
            notes=(*source.notes, *(target.notes if target else ()), *(begins.notes if begins else ())),
            written=len((target or source).ids) - before,
        )

    def _read(self, sample: Sample, *, truncate: bool) -> tuple[Tokens, Tokens | None, Beginning | None]:
        """What the model reads; of an encoder-decoder also what its decoder does, and how that begins."""
        reader = self._reader()
        if self._own.start is None:
            room = room_to_read(sample, reader.positions, truncate=truncate)
            with quiet():
                return tokens_of(replace(reader, positions=room), sample, truncate=truncate), None, None
        with quiet(), speaking(reader.tokenizer, sample.languages, self._name):
            begins = beginning(reader.tokenizer, self._model, self._own.start, sample, self._name)
            bare = replace(sample, languages=None)
            source, target = target_of(reader, bare, start=begins.start, truncate=truncate)
        return source, target, begins

    def plain_ids(self) -> Sequence[int]:
        """The numbers of all tokens but the model's own. Raises InputError if it does not read text here."""
        return plain_ids(self._reader().tokenizer, self._own.vocabulary)

    def encode_ids(self, ids: Sequence[int]) -> Encoded:
        """Tokens by their numbers, where a text would stand; a decoder of its own has written nothing.

        Raises InputError if the model does not read text here, or not as much.
        """
        source = around(ids, self._reader())
        return self.prepared(
            self._tensors(source, None if self._own.start is None else bare([self._own.start]))
        )

    def _reader(self) -> Reader:
        """Raises InputError if texts cannot be read."""
        if not self.reads_text:
            raise InputError(f"{self._name} ({self._model.config.model_type}) does not read text")
        if self._tokenizer is None:
            raise InputError(f"{self._name} has no tokenizer here: give its prepared tensors, not a text")
        return Reader(self._tokenizer, self._name, self._own.positions)

    def _continued(
        self, source: Tokens, target: Tokens | None, sample: Sample, begins: Beginning | None
    ) -> tuple[Tokens, Tokens | None]:
        """The tokens that are read, and after them those that the model writes."""
        check_writes(self._model, self._name)
        begun = target or source
        check_room(sample, begun, model=self._name, positions=self._own.positions)
        with steady(self._model, parts=self._own.parts):
            tensors = self._own.moved(self._tensors(source, target))
            ids = written(self._model, tensors, sample.generate, begins)
        longer = with_written(begun, ids[len(begun.ids) :].tolist(), speller_of(self._tokenizer))
        return (source, longer) if target else (longer, None)

    def prepared(self, tensors: Mapping[str, Any], *, labels: Sequence[str] | None = None) -> Encoded:
        """What the model is called with, a batch of one made elsewhere.

        labels: of its tokens, padding left out; else they are those of the tokenizer, or numbers
        Raises InputError if it is nothing that the model can read, no batch of one, or if there are not as
        many labels as tokens.
        """
        given = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        check_prepared(given, self._own.reads)
        self._forget_fingerprint()
        self._forget_what_may_differ(given)
        census = self._census(given)
        _, batch = joined([given], 0)
        sides = {"input_ids": batch.read, "decoder_input_ids": batch.written}
        places = {name: side.tokens[0] for name, side in sides.items() if side is not None}
        axes = prepared_axes(given, places, self._tokenizer, labels)
        stacks = stack_axes(census, axes.get("input_ids"), axes.get("decoder_input_ids"))
        return Encoded(Sample("", name="input"), given, pictured(stacks, given, self._model.config))

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        """A pass of the model over some samples; over each by itself where a batch would mix them.

        Raises ModelError if they cannot be captured exactly.
        """
        self._notice_training()
        if len(batch) > 1 and self._goes_together(batch):
            self._pass(batch, watches)
            return
        for encoded, watch in zip(batch, watches, strict=True):
            if encoded.written:
                self._write(encoded, watch)
            else:
                self._pass([encoded], [watch])

    def _write(self, encoded: Encoded, watch: Watch) -> None:
        """A text that the model wrote itself, token by token as it did."""
        text = written_axis(encoded)
        census = self._census(encoded.tensors)
        later = census.only(lambda facts: axes_of(encoded.axes, facts)[0] is text)

        def once(part: Pass) -> Any:
            watches = [Continued(watch, encoded.axes, text, part)]
            return self._called(later if part.past else census, part.tensors, Batch(1, None), watches)

        stepwise(encoded.tensors, encoded.written, once)

    def _pass(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        tensors, places = joined([encoded.tensors for encoded in batch], self._padding)
        self._called(self._census(batch[0].tensors), tensors, places, watches)

    def _called(
        self, census: Census, tensors: Mapping[str, Any], places: Batch, watches: Sequence[Watch]
    ) -> Any:
        """The model called once, with everybody watching; returns its output."""
        parts = self._own.parts
        run = Run(self._model, census, places, watches, paths=parts.paths)
        asked = "hook" in census.routes
        with steady(self._model, eager=asked, parts=parts), listening(run, census, self._model):
            return self._model(
                **fresh(self._own.moved(tensors)), **({"output_attentions": True} if asked else {})
            )

    def opened(self, encoded: Encoded) -> Opened:
        """The model laid open on one sample; what it is compared with is its own eager attention."""
        census, tensors = self._census(encoded.tensors), self._own.moved(encoded.tensors)

        def call(**options: Any) -> Any:
            with steady(self._model, eager=True, parts=self._own.parts):
                return self._model(**fresh(tensors), **options)

        own = returned(call(output_attentions=True), census.layers) if can_be_asked(self._model) else {}
        sites = {
            facts.name: Site(met.key.path, met.key.nth)
            for met, facts in zip(census.met, census.facts, strict=True)
        }
        return Opened(self._model, call, sites, own, "its own eager attention")

    def _goes_together(self, batch: Sequence[Encoded]) -> bool:
        """Whether padding is masked in all attentions: those over tokens, through the interface."""
        names = {frozenset(encoded.tensors) for encoded in batch}
        if any(encoded.written for encoded in batch):
            return False
        if len(names) > 1 or not all(self._is_text(encoded.tensors) for encoded in batch):
            return False
        census = self._census(batch[0].tensors)
        sizes = {size for met in census.met for size in (met.queries, met.keys)}
        return census.routes == {"interface"} and sizes <= {census.reads, census.writes}

    def _is_text(self, tensors: Mapping[str, Any]) -> bool:
        """Whether the tensors are those of texts on every side of the model, and nothing else."""
        whole = self._own.start is None or "decoder_input_ids" in tensors
        return whole and is_plain(tensors) and self.reads_text

    def _census(self, tensors: Mapping[str, Any]) -> Census:
        """The attentions that come by with such input, looked for once."""
        if not self._is_text(tensors):
            return self._known(kind_of(tensors), lambda: tensors)
        tokens = max(tensor.shape[1] for tensor in tensors.values())
        length = length_to_look_over(self._model, tokens, LITTLE)

        def little() -> dict[str, Tensor]:
            return {name: tensor for name, tensor in self._own.little(length).items() if name in tensors}

        return self._known((frozenset(tensors), length), little)

    def _forget_what_may_differ(self, tensors: Mapping[str, Any]) -> None:
        """What is known of such input is looked for anew, where that says nothing of this one."""
        known = self._censuses.get(kind_of(tensors))
        if known is not None and not known.holds_for(tensors):
            del self._censuses[kind_of(tensors)]
            self._facts = None

    def _known(self, kind: object, tensors: Callable[[], Mapping[str, Any]]) -> Census:
        if kind not in self._censuses:
            given = self._own.moved(tensors())
            with answered(f"{self._name} was looked over with {sizes_of(given)}", [], str(self._own.device)):
                self._censuses[kind] = told_apart(self._model, given, taken(self._model, given))
        return self._censuses[kind]

    @property
    def _fingerprint(self) -> str:
        if self._weights is None:
            self._weights = self._digest() if self._digest else fingerprint_of(self._model)
        return self._weights

    def _notice_training(self) -> None:
        """Torch counts what is done to each weight: that is looked at in every run, the weights are not."""
        weights = self._own.parts.weights
        try:
            changes = tuple(map(_changes_of, weights))
        except RuntimeError:  # of a tensor that was made in inference mode nothing is counted
            changes = tuple(-1 if weight.is_inference() else weight._version for weight in weights)
        if changes != self._changes:
            self._changes = changes
            self._forget_fingerprint()

    def _forget_fingerprint(self) -> None:
        """Whoever gave the model may have trained it since it was looked at last."""
        if self._digest is None:
            self._weights = self._facts = None

    @property
    def _padding(self) -> int:
        known = (getattr(one, "pad_token_id", None) for one in (self._tokenizer, self._model.config))
        return next((number for number in known if isinstance(number, int) and number >= 0), 0)

    def _tensors(self, source: Tokens, target: Tokens | None) -> dict[str, Tensor]:
        """What the model is called with: of what the tokenizer can say, as much as the model takes."""
        said = {
            "input_ids": torch.tensor([list(source.ids)]),
            "attention_mask": torch.ones(1, len(source.ids), dtype=torch.long),
        }
        if "token_type_ids" in self._tokenizer.model_input_names:
            said["token_type_ids"] = torch.tensor([list(source.segments)])
        if target is not None:
            said["decoder_input_ids"] = torch.tensor([list(target.ids)])
        return {name: tensor for name, tensor in said.items() if name in self._own.takes}

    def _check_vocabulary(self, tokens: Tokens) -> None:
        largest = max(tokens.ids)
        if largest >= (known := self._own.vocabulary):
            raise ModelError(
                f"the tokenizer of {self._name} gives token {largest} and the model has {known}: "
                "they do not belong together"
            )

"""Text models of transformers as a Source: encoders and decoders, their weights taken while they run."""

import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import tokenizers
import torch
import transformers
from torch import Tensor
from torch.nn.functional import pad

import attnviz
from attnviz.captures import ModelFacts
from attnviz.errors import ModelError
from attnviz.inputs import Sample
from attnviz.models.base import Encoded
from attnviz.models.calls import Place
from attnviz.models.checkpoint import Checkpoint, Fingerprint
from attnviz.models.encoding import Reader, tokens_of
from attnviz.models.facts import layer_facts, position_limit
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.pretrained import load_model, load_tokenizer
from attnviz.models.quiet import quiet
from attnviz.models.request import Request
from attnviz.models.tap import Run, tapped
from attnviz.observe.tiles import Watch


class HuggingFaceSource:
    """A model of transformers, its tokenizer, and what is known of both."""

    def __init__(self, model: Any, tokenizer: Any, checkpoint: Checkpoint, fingerprint: Fingerprint) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._checkpoint = checkpoint
        self._fingerprint = fingerprint
        self._config = model.config.get_text_config()
        self._layers = layer_facts(self._config, model)
        self._positions = position_limit(self._config, model)

    @classmethod
    def load(cls, request: Request, checkpoint: Checkpoint, fingerprint: Fingerprint) -> "HuggingFaceSource":
        """The model of a directory. Raises ModelError if it cannot be loaded whole, or has no attention."""
        with quiet():
            model = load_model(request, checkpoint)
            tokenizer = load_tokenizer(request, checkpoint)
        return cls(model, tokenizer, checkpoint, fingerprint)

    @cached_property
    def facts(self) -> ModelFacts:
        return ModelFacts(
            name=self._checkpoint.name,
            family=self._model.config.model_type,
            layers=self._layers,
            fingerprint=str(self._fingerprint),
            revision=self._checkpoint.revision,
            dtype=str(self._model.dtype).removeprefix("torch."),
            device=str(self._model.device),
            positions=self._positions,
        )

    @property
    def versions(self) -> Mapping[str, str]:
        return {
            "attnviz": attnviz.__version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        }

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:
        """The sample as the model reads it.

        Raises InputError if there is nothing to read, or more than fits and it is not to be cut.
        """
        reader = Reader(self._tokenizer, self._checkpoint.name, self._positions)
        with quiet():
            tokens = tokens_of(reader, sample, truncate=truncate)
        self._check_vocabulary(tokens)
        axis = token_axis(tokens)
        return Encoded(sample, self._tensors(tokens), {"": (axis, axis)}, tokens.notes)

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        """One pass of the model over some samples. Raises ModelError if they cannot be captured exactly."""
        tensors, places = self._padded([encoded.tensors for encoded in batch])
        tensors = {name: tensor.to(self._model.device) for name, tensor in tensors.items()}
        with quiet(), torch.inference_mode(), tapped(Run(self._model, self._layers, places, watches)):
            self._model(**tensors)

    def _padded(self, batch: Sequence[Mapping[str, Tensor]]) -> tuple[dict[str, Tensor], list[Place]]:
        """The samples as one batch, and where in it each lies; padding is on the tokenizer's side."""
        lengths = [tensors["input_ids"].shape[1] for tensors in batch]
        longest, left = max(lengths), self._tokenizer.padding_side == "left"
        firsts = [longest - length if left else 0 for length in lengths]
        tokens = [range(first, first + length) for first, length in zip(firsts, lengths, strict=True)]
        fill = {"input_ids": self._tokenizer.pad_token_id or 0}
        padded = {
            name: torch.cat(
                [
                    pad(tensors[name], (at.start, longest - at.stop), value=fill.get(name, 0))
                    for tensors, at in zip(batch, tokens, strict=True)
                ]
            )
            for name in batch[0]
        }
        if (
            left
            and "position_ids" in inspect.signature(self._model.forward).parameters
            and min(firsts) != max(firsts)
        ):
            padded["position_ids"] = (padded["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        return padded, [Place(sample, at, at) for sample, at in enumerate(tokens)]

    def _tensors(self, tokens: Tokens) -> dict[str, Tensor]:
        """What the model is called with: of what the tokenizer can say, as much as the model takes."""
        said = {
            "input_ids": torch.tensor([list(tokens.ids)]),
            "attention_mask": torch.ones(1, len(tokens.ids), dtype=torch.long),
            "token_type_ids": torch.tensor([list(tokens.segments)]),
        }
        taken = inspect.signature(self._model.forward).parameters
        types = "token_type_ids" in self._tokenizer.model_input_names
        return {name: said[name] for name in said if name in taken and (name != "token_type_ids" or types)}

    def _check_vocabulary(self, tokens: Tokens) -> None:
        known, largest = self._model.get_input_embeddings().num_embeddings, max(tokens.ids)
        if largest >= known:
            raise ModelError(
                f"the tokenizer of {self._checkpoint.name} gives token {largest} and the model has {known}: "
                "they do not belong together"
            )

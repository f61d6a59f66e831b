"""What a loaded model of transformers says of itself: what it takes, how much of it, and where it runs."""

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from attnviz.errors import ModelError
from attnviz.models.checks import Reads
from attnviz.models.facts import position_limit, text_config
from attnviz.models.switched import Parts, parts_of

LESS = 3
"""Tokens that its decoder is given, where it has one of its own."""


class Traits:
    """A model of transformers, asked for what can be known without running it."""

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.name = model, name
        self.takes = inspect.signature(model.forward).parameters
        self._found: Parts | None = None

    @cached_property
    def reads_text(self) -> bool:
        """Whether a text is all that the model needs, as tokens of a vocabulary that it has a table of."""
        reads = "input_ids" in self.takes and hasattr(text_config(self.model.config), "vocab_size")
        return reads and self.vocabulary > 0

    @cached_property
    def vocabulary(self) -> int:
        """How many tokens the model knows; 0 if it does not read any."""
        try:
            embeddings = self.model.get_input_embeddings()
        except (NotImplementedError, AttributeError):
            # transformers knows of no table here; a model's own answer may name a part it was built without
            return 0
        return int(getattr(embeddings, "num_embeddings", None) or text_config(self.model.config).vocab_size)

    @cached_property
    def positions(self) -> int | None:
        """Tokens that fit, None where the model sets no limit."""
        return position_limit(text_config(self.model.config), self.model)

    @cached_property
    def start(self) -> int | None:
        """The token that the decoder of an encoder-decoder begins with; None if it is none."""
        if not self.model.config.is_encoder_decoder or "decoder_input_ids" not in self.takes:
            return None
        config = self.model.config.get_text_config(decoder=True)
        names = ("decoder_start_token_id", "bos_token_id", "pad_token_id")
        known = (getattr(one, name, None) for name in names for one in (self.model.config, config))
        return next((number for number in known if isinstance(number, int)), 0)

    @cached_property
    def reads(self) -> Reads:
        """What prepared tensors are held against; a decoder may have a vocabulary of its own."""
        decoder = getattr(self.model.config.get_text_config(decoder=True), "vocab_size", 0)
        return Reads(
            name=self.name,
            main=self.main,
            known={"input_ids": self.vocabulary if self.reads_text else 0, "decoder_input_ids": decoder},
            positions=self.positions,
            books=hasattr(self.model.config, "num_codebooks"),
            frames=getattr(self.model.config, "num_frames", None) or 1,
        )

    @property
    def main(self) -> str:
        """The argument that holds what the model reads; of several the first."""
        name = self.model.main_input_name
        return name if isinstance(name, str) else str(name[0])

    @property
    def parts(self) -> Parts:
        """Its modules and weights, as far as a run switches or asks them."""
        if self._found is None or self._found.exchangers:  # of these the modules come and go
            self._found = parts_of(self.model)
        return self._found

    @property
    def device(self) -> torch.device:
        """Where the model takes its input; weights that accelerate has put elsewhere are nowhere ("meta")."""
        weights = self.parts.weights
        device = weights[0].device if weights else torch.device(self.model.device)
        if device.type != "meta":
            return device
        at = getattr(getattr(self.model, "_hf_hook", None), "execution_device", None)
        return torch.device("cpu" if at is None else at)

    def moved(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The tensors, where the model takes them."""
        device = self.device
        return {
            name: tensor.to(device) if isinstance(tensor, Tensor) and tensor.device != device else tensor
            for name, tensor in tensors.items()
        }

    def little(self, length: int) -> dict[str, Tensor]:
        """A few tokens from the middle of the vocabulary, as a text would be given.

        Raises ModelError if the model reads no text.
        """
        if not self.reads_text:
            raise ModelError(
                f"{self.name} does not read text: what it attends to is known once it is given input"
            )
        ids = (torch.arange(length)[None] + self.vocabulary // 2) % self.vocabulary
        little = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "token_type_ids": torch.zeros_like(ids),
            "position_ids": torch.arange(length)[None],
            "decoder_input_ids": ids[:, :LESS],
            "decoder_attention_mask": torch.ones_like(ids[:, :LESS]),
        }
        return {name: tensor for name, tensor in little.items() if name in self.takes}

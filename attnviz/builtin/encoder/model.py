"""The masked language model that ships: the project's own encoder, and a guess at each token.

Devlin et al. 2019 (BERT), with layers normalised before each sub-layer (Xiong et al. 2020), rotary
positions (Su et al. 2021), and the guess tied to the embedding.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from attnviz.attention import (
    BlockConfig,
    TransformerEncoder,
    Watch,
    padding,
)
from attnviz.builtin.model import OwnModel, normed_embedding


@dataclass(frozen=True)
class EncoderConfig:
    """The sizes of the model.

    vocabulary: number of token ids
    positions:  tokens that fit
    """

    vocabulary: int = 3000
    d_model: int = 128
    heads: int = 8
    d_ff: int = 512
    layers: int = 4
    positions: int = 512


class MaskedLanguageModel(OwnModel):
    """Reads a text with holes and guesses what stood in them."""

    architecture = "attnviz-encoder"
    sizes = EncoderConfig
    config: EncoderConfig

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.embedding = normed_embedding(config.vocabulary, config.d_model)
        block = BlockConfig(config.d_model, config.heads, config.d_ff, norm="pre", rotary=True)
        self.encoder = TransformerEncoder(block, config.layers)
        self.guess = nn.Linear(config.d_model, config.d_model)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        nn.init.normal_(self.embedding.tokens.weight, std=config.d_model**-0.5)

    def forward(self, ids: Tensor, real: Tensor | None = None, *, watch: Watch | None = None) -> Tensor:
        """Hidden states of the last layer.

        ids:  ``[batch, length]``
        real: ``[batch, length]`` bool, False for padding
        Returns ``[batch, length, d_model]``.
        """
        states = self.embedding(ids)
        hidden: Tensor = self.encoder(states, None if real is None else padding(real), watch=watch)
        return hidden

    def scores(self, hidden: Tensor) -> Tensor:
        """How well each token of the vocabulary fits: ``[..., d_model]`` to ``[..., vocabulary]``."""
        return linear(self.guess(hidden), self.embedding.tokens.weight, self.bias)

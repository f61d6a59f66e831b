"""The causal language model that ships: the project's own decoder, and a guess at what follows.

Radford et al. 2019 (GPT-2), with rotary positions (Su et al. 2021) and the guess tied to the embedding.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import linear

from attnviz.attention import BlockConfig, TransformerDecoder, Watch
from attnviz.builtin.model import OwnModel, normed_embedding


@dataclass(frozen=True)
class DecoderConfig:
    """The sizes of the model.

    vocabulary: number of token ids
    positions:  tokens that fit
    """

    vocabulary: int = 1200
    d_model: int = 128
    heads: int = 8
    d_ff: int = 256
    layers: int = 3
    positions: int = 512


class CausalLanguageModel(OwnModel):
    """Reads a text from left to right and guesses each next token."""

    architecture = "attnviz-decoder"
    sizes = DecoderConfig
    config: DecoderConfig

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config)
        self.embedding = normed_embedding(config.vocabulary, config.d_model)
        block = BlockConfig(config.d_model, config.heads, config.d_ff, norm="pre", rotary=True)
        self.decoder = TransformerDecoder(block, config.layers, cross=False)
        nn.init.normal_(self.embedding.tokens.weight, std=config.d_model**-0.5)

    def forward(self, ids: Tensor, *, watch: Watch | None = None) -> Tensor:
        """Hidden states of the last layer: ``[batch, length]`` ids to ``[batch, length, d_model]``.

        Padding stands after a text, where no token of it looks.
        """
        hidden: Tensor = self.decoder(self.embedding(ids), watch=watch)
        return hidden

    def scores(self, hidden: Tensor) -> Tensor:
        """How well each token would follow: ``[..., d_model]`` to ``[..., vocabulary]``."""
        return linear(hidden, self.embedding.tokens.weight)

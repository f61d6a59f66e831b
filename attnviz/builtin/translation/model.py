"""The translators that ship: an encoder-decoder Transformer and two recurrent ones, behind one face.

Each reads a source once, and guesses what comes after each token of a target. Source and target share a
vocabulary and its embedding, to which the guess is tied (Press & Wolf 2017).
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from attnviz.attention import (
    BahdanauDecoder,
    BidirectionalEncoder,
    BlockConfig,
    EncoderDecoder,
    LuongDecoder,
    RecurrentDecoder,
    TokenEmbedding,
    Watch,
    padding,
)
from attnviz.builtin.model import OwnModel


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes of the Transformer.

    vocabulary: number of token ids
    positions:  tokens that fit, of either text
    """

    vocabulary: int = 3000
    d_model: int = 128
    heads: int = 4
    d_ff: int = 512
    encoder_layers: int = 3
    decoder_layers: int = 2
    positions: int = 128


@dataclass(frozen=True)
class RecurrentConfig:
    """The sizes of a recurrent translator.

    vocabulary: number of token ids
    d_model:    width of an embedded token
    hidden:     width of the decoder's state; each direction of the encoder has half of it
    positions:  tokens that fit, of either text
    """

    vocabulary: int = 3000
    d_model: int = 128
    hidden: int = 192
    positions: int = 128


class Translator(OwnModel):
    """What the three have in common: the tokens' embedding, and the guess that is tied to it."""

    config: TransformerConfig | RecurrentConfig

    def __init__(self, config: TransformerConfig | RecurrentConfig) -> None:
        super().__init__(config)
        d_model = config.d_model
        self.embedding = TokenEmbedding(
            config.vocabulary, d_model, scale=math.sqrt(d_model), norm=nn.LayerNorm(d_model)
        )
        self.guess = nn.Linear(d_model, d_model)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        nn.init.normal_(self.embedding.tokens.weight, std=d_model**-0.5)

    @property
    @abstractmethod
    def attentions(self) -> Mapping[str, tuple[int, int]]:
        """The stacks that it can be watched at, and how many layers and heads each has."""

    @abstractmethod
    def read(self, source: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        """What the decoder looks at.

        source: ``[batch, keys]`` ids
        real:   ``[batch, keys]`` bool, False for padding
        Returns ``[batch, keys, width]``.
        """

    @abstractmethod
    def write(self, target: Tensor, memory: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        """What the token after each one is guessed from.

        target: ``[batch, length]`` ids, from the start token on
        memory: of the source, as read
        real:   as for ``read``
        Returns ``[batch, length, d_model]``.
        """

    def forward(self, source: Tensor, target: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        """A source read, a target written."""
        return self.write(target, self.read(source, real, watch=watch), real, watch=watch)

    def scores(self, hidden: Tensor) -> Tensor:
        """How well each token of the vocabulary fits: ``[..., d_model]`` to ``[..., vocabulary]``."""
        return linear(self.guess(hidden), self.embedding.tokens.weight, self.bias)


class TransformerTranslator(Translator):
    """Vaswani et al. 2017, with layers normalised before each sub-layer and rotary positions."""

    architecture = "attnviz-translator"
    sizes = TransformerConfig
    config: TransformerConfig

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        block = BlockConfig(config.d_model, config.heads, config.d_ff, norm="pre", rotary=True)
        self.stacks = EncoderDecoder(block, config.encoder_layers, config.decoder_layers)

    @property
    def attentions(self) -> Mapping[str, tuple[int, int]]:
        config = self.config
        written = (config.decoder_layers, config.heads)
        return {"encoder": (config.encoder_layers, config.heads), "decoder": written, "cross": written}

    def read(self, source: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        memory: Tensor = self.stacks.encoder(self.embedding(source), padding(real), watch=watch)
        return memory

    def write(self, target: Tensor, memory: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        embedded = self.embedding(target)
        hidden: Tensor = self.stacks.decoder(embedded, None, memory, padding(real), watch=watch)
        return hidden


class RecurrentTranslator(Translator):
    """A bidirectional encoder, and one of the decoders of ``attention.recurrent``."""

    sizes = RecurrentConfig
    config: RecurrentConfig

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config)
        self.encoder = BidirectionalEncoder(config.d_model, config.hidden // 2)
        self.decoder = self.new_decoder()

    @property
    def attentions(self) -> Mapping[str, tuple[int, int]]:
        return {"cross": (1, 1)}

    @abstractmethod
    def new_decoder(self) -> RecurrentDecoder:
        """The decoder, with weights drawn at random."""

    def read(self, source: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        del watch  # nothing in it attends
        memory: Tensor = self.encoder(self.embedding(source), real)
        return memory

    def write(self, target: Tensor, memory: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        hidden: Tensor = self.decoder(self.embedding(target), memory, real, watch=watch)
        return hidden


class BahdanauTranslator(RecurrentTranslator):
    """Bahdanau et al. 2015: additive attention, before each step."""

    architecture = "attnviz-bahdanau"

    def new_decoder(self) -> RecurrentDecoder:
        hidden = self.config.hidden
        return BahdanauDecoder(self.config.d_model, hidden, hidden, width=hidden // 2)


class LuongTranslator(RecurrentTranslator):
    """Luong et al. 2015: general multiplicative attention, after each step."""

    architecture = "attnviz-luong"

    def new_decoder(self) -> RecurrentDecoder:
        hidden = self.config.hidden
        return LuongDecoder(self.config.d_model, hidden, hidden)


KINDS: dict[str, type[Translator]] = {
    kind.architecture: kind for kind in (TransformerTranslator, BahdanauTranslator, LuongTranslator)
}
"""By what their ``config.json`` calls them."""

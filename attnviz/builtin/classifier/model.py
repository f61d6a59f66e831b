"""The text classifier that ships: the project's own encoder, and a verdict at its [CLS] token.

Devlin et al. 2019 (BERT), 3.2: the hidden state of [CLS] stands for the whole text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from attnviz.attention import BlockConfig, TransformerEncoder, Watch, padding
from attnviz.builtin.model import OwnModel, normed_embedding


@dataclass(frozen=True)
class ClassifierConfig:
    """The sizes of the model.

    vocabulary: number of token ids
    positions:  tokens that fit
    topics:     what it tells apart; those of the language if none are named
    """

    vocabulary: int = 2500
    d_model: int = 64
    heads: int = 4
    d_ff: int = 256
    layers: int = 1
    positions: int = 512
    topics: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "topics", tuple(self.topics) or _topics())


def _topics() -> tuple[str, ...]:
    from attnviz.builtin.language.lexicon import TOPICS  # loads all words, which a stored model does not need

    return TOPICS


class TopicClassifier(OwnModel):
    """Reads a text and says what it is about."""

    architecture = "attnviz-classifier"
    sizes = ClassifierConfig
    config: ClassifierConfig

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__(config)
        self.embedding = normed_embedding(config.vocabulary, config.d_model)
        block = BlockConfig(config.d_model, config.heads, config.d_ff, norm="pre", rotary=True)
        self.encoder = TransformerEncoder(block, config.layers)
        self.verdict = nn.Linear(config.d_model, len(config.topics))
        nn.init.normal_(self.embedding.tokens.weight, std=config.d_model**-0.5)

    def forward(self, ids: Tensor, real: Tensor | None = None, *, watch: Watch | None = None) -> Tensor:
        """How well each topic fits.

        ids:  ``[batch, length]``, the first of each row [CLS]
        real: ``[batch, length]`` bool, False for padding
        Returns ``[batch, topics]``.
        """
        hidden = self.encoder(self.embedding(ids), None if real is None else padding(real), watch=watch)
        verdict: Tensor = self.verdict(hidden[:, 0])
        return verdict

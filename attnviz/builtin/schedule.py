"""What decides the weights of a training, and what is known of it afterwards."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from attnviz.builtin.model import EncoderConfig


@dataclass(frozen=True)
class Masking:
    """How words are masked (Devlin et al. 2019, 3.1; whole words).

    rate:   share of the words that are to be guessed
    hidden: share of those that are shown as [MASK]
    random: share of those that are shown as some other token; the rest is shown as it is
    """

    rate: float = 0.2
    hidden: float = 0.8
    random: float = 0.1


@dataclass(frozen=True)
class Schedule:
    """All that decides the weights: the same schedule gives the same ones.

    rounds:  how often new texts are drawn; after each the training can be taken up again
    texts:   new texts in a round
    reads:   how often each is read in its round, with other words masked
    batch:   texts in a step
    lexicon: texts that the tokenizer is trained on
    rate:    the largest step size, reached after ``warmup`` (a share of all steps); from there it falls to 0
    decay:   weight decay
    """

    model: EncoderConfig = field(default_factory=EncoderConfig)
    masking: Masking = field(default_factory=Masking)
    seed: int = 0
    rounds: int = 56
    texts: int = 3_840
    reads: int = 3
    batch: int = 128
    lexicon: int = 30_000
    rate: float = 3e-3
    warmup: float = 0.05
    decay: float = 0.01

    @property
    def steps(self) -> int:
        """Steps of a round."""
        return self.reads * math.ceil(self.texts / self.batch)

    def rate_at(self, progress: float) -> float:
        """The step size when that share of all steps is done."""
        return self.rate * min(progress / self.warmup, (1 - progress) / (1 - self.warmup))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Point(NamedTuple):
    """How far a training was after a round.

    loss:     mean over the round, nats a masked token
    accuracy: share of the masked tokens of held-out texts that are guessed right
    """

    round: int
    loss: float
    accuracy: float


class Progress(NamedTuple):
    """Where a training stands, told after every step.

    loss:    of this step, nats a masked token
    history: the rounds behind
    seconds: since it was begun, or taken up again at step ``begun``
    """

    step: int
    steps: int
    loss: float
    history: tuple[Point, ...]
    seconds: float
    begun: int

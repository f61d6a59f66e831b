"""How the encoder was made: masked language modelling alone, on stories of the language."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy

from attnviz.builtin.encoder.masking import Batch, Masking, masked
from attnviz.builtin.encoder.model import EncoderConfig, MaskedLanguageModel
from attnviz.builtin.language import stories
from attnviz.builtin.outcome import Outcome
from attnviz.builtin.schedule import Schedule
from attnviz.builtin.tokenizer import train_tokenizer

EXAM = 500
"""Held-out texts that a training is examined on after each round."""


@dataclass(frozen=True)
class EncoderTask:
    """Words to be guessed.

    reads:   how often each text is read in its round, with other words masked
    lexicon: texts that the tokenizer is trained on
    """

    model: EncoderConfig = field(default_factory=EncoderConfig)
    schedule: Schedule = field(default_factory=partial(Schedule, steps=5_040, round=90, batch=128, rate=3e-3))
    masking: Masking = field(default_factory=Masking)
    reads: int = 3
    lexicon: int = 30_000

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def tokenizer(self) -> Tokenizer:
        return train_tokenizer(self.texts(-1, self.lexicon), vocabulary=self.model.vocabulary)

    def new_model(self) -> MaskedLanguageModel:
        return MaskedLanguageModel(self.model)

    def texts(self, number: int, count: int) -> list[str]:
        """So many stories of a round; -1 are the tokenizer's."""
        told = stories(self.schedule.seed_of(number), split="train")
        return [story.text for story in islice(told, count)]

    def batches(self, tokenizer: Tokenizer, number: int) -> Iterator[Batch]:
        """New stories, masked anew each time, in batches of about the same length, in random order."""
        random = np.random.default_rng(self.schedule.seed_of(number))
        texts = self.texts(number, ceil(self.schedule.round / self.reads) * self.schedule.batch)
        groups = self._groups(tokenizer, texts)
        for group in random.permutation(np.repeat(np.arange(len(groups)), self.reads)):
            yield masked(groups[group], tokenizer.get_vocab_size(), self.masking, random)

    def exam(self, tokenizer: Tokenizer) -> list[Batch]:
        """Frames and subject-verb pairs of the test split, every hole a [MASK]."""
        seed = self.schedule.seed_of(-2)
        random = np.random.default_rng(seed)
        held_out = [story.text for story in islice(stories(seed, split="test"), EXAM)]
        masking = Masking(self.masking.rate, hidden=1.0, random=0.0)
        return [
            masked(group, tokenizer.get_vocab_size(), masking, random)
            for group in self._groups(tokenizer, held_out)
        ]

    def loss(self, model: MaskedLanguageModel, batch: Batch) -> Tensor:
        return cross_entropy(_guesses(model, batch), batch.answers)

    def right(self, model: MaskedLanguageModel, batch: Batch) -> tuple[int, int]:
        """Masked tokens that are guessed right."""
        right = _guesses(model, batch).argmax(-1).eq(batch.answers).sum()
        return int(right), len(batch.answers)

    def findings(self, model: MaskedLanguageModel, tokenizer: Tokenizer) -> dict[str, str]:
        del model, tokenizer
        return {}

    def check(self, directory: Path) -> Outcome:
        from attnviz.builtin.encoder.check import check

        return check(directory)

    def _groups(self, tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[Encoding]]:
        """The texts encoded, in groups of about the same length."""
        encodings, size = sorted(tokenizer.encode_batch(texts), key=len), self.schedule.batch
        return [encodings[first : first + size] for first in range(0, len(encodings), size)]


def _guesses(model: MaskedLanguageModel, batch: Batch) -> Tensor:
    """How well each token fits each hole: ``[holes, vocabulary]``."""
    hidden = model(batch.ids, batch.real)
    return model.scores(hidden[batch.asked])

"""How the decoder was made: guessing each next token of tales, and nothing else."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy

from attnviz.builtin.decoder.model import CausalLanguageModel, DecoderConfig
from attnviz.builtin.decoder.tales import tales
from attnviz.builtin.language import Story, stories
from attnviz.builtin.language.frames import Split
from attnviz.builtin.outcome import Outcome
from attnviz.builtin.schedule import Schedule
from attnviz.builtin.tokenizer import train_tokenizer

SPECIAL = ("[PAD]", "[BEGIN]")

SENTENCES = 4
"""Of each story."""

EXAM = 192
"""Windows of held-out tales that a training is examined on after each round."""


class Batch(NamedTuple):
    """Windows ``[batch, window + 1]``: all tokens but the last are read, all but the first guessed."""

    ids: Tensor


@dataclass(frozen=True)
class DecoderTask:
    """Tokens to be guessed from those before them.

    window:  tokens read at once: tales of one cast, one after the other
    stories: new ones in a round, told again with ever new names
    lexicon: windows that the tokenizer is trained on
    """

    model: DecoderConfig = field(default_factory=DecoderConfig)
    schedule: Schedule = field(default_factory=partial(Schedule, steps=3_200, round=100, batch=16, rate=4e-3))
    window: int = 112
    stories: int = 600
    lexicon: int = 5_000

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def tokenizer(self) -> Tokenizer:
        dice, told = Random(self.schedule.seed_of(-1)), self._told(-1, "train", 2_000)
        texts = (text for _ in range(self.lexicon) for text in islice(tales(told, dice), 2))
        return train_tokenizer(
            texts, vocabulary=self.model.vocabulary, special=SPECIAL, single="[BEGIN] $A", pair=None
        )

    def new_model(self) -> CausalLanguageModel:
        return CausalLanguageModel(self.model)

    def batches(self, tokenizer: Tokenizer, number: int) -> Iterator[Batch]:
        """Windows of tales of this round's stories, each with a cast of its own."""
        windows = self._windows(tokenizer, self._told(number, "train", self.stories), number)
        while True:
            yield Batch(torch.tensor(list(islice(windows, self.schedule.batch))))

    def exam(self, tokenizer: Tokenizer) -> list[Batch]:
        """Frames and subject-verb pairs of the test split."""
        windows = self._windows(tokenizer, self._told(-2, "test", EXAM), -2)
        return [Batch(torch.tensor(list(islice(windows, EXAM))))]

    def loss(self, model: CausalLanguageModel, batch: Batch) -> Tensor:
        return cross_entropy(_guesses(model, batch).flatten(0, 1), batch.ids[:, 1:].flatten())

    def right(self, model: CausalLanguageModel, batch: Batch) -> tuple[int, int]:
        """Tokens that are guessed right."""
        right = _guesses(model, batch).argmax(-1).eq(batch.ids[:, 1:])
        return int(right.sum()), right.numel()

    def findings(self, model: CausalLanguageModel, tokenizer: Tokenizer) -> dict[str, str]:
        del model, tokenizer
        return {}

    def check(self, directory: Path) -> Outcome:
        from attnviz.builtin.decoder.check import check

        return check(directory)

    def _told(self, number: int, split: Split, count: int) -> list[Story]:
        """The stories of a round."""
        return list(islice(stories(self.schedule.seed_of(number), split=split, sentences=SENTENCES), count))

    def _windows(self, tokenizer: Tokenizer, told: list[Story], number: int) -> Iterator[list[int]]:
        """Ids of tales of one cast, one after the other, as many as fit."""
        dice = Random(self.schedule.seed_of(number))
        while True:
            ids: list[int] = []
            for text in tales(told, dice):
                ids += tokenizer.encode(text).ids
                if len(ids) > self.window:
                    break
            yield ids[: self.window + 1]


def _guesses(model: CausalLanguageModel, batch: Batch) -> Tensor:
    """How well each token fits each place: ``[batch, window, vocabulary]``."""
    return model.scores(model(batch.ids[:, :-1]))

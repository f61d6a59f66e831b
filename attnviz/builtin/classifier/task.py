"""How the classifier was made: the topic of short stories, and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from attnviz.builtin.classifier.model import ClassifierConfig, TopicClassifier
from attnviz.builtin.classifier.texts import telling_stories
from attnviz.builtin.language import Story
from attnviz.builtin.outcome import Outcome
from attnviz.builtin.schedule import Schedule
from attnviz.builtin.tokenizer import MASK, PAD, train_tokenizer

EXAM = 500
"""Held-out stories that a training is examined on after each round."""


class Batch(NamedTuple):
    """Stories and what they are about.

    ids:    ``[batch, length]``
    topics: ``[batch]``, numbers of the configuration's topics
    """

    ids: Tensor
    topics: Tensor


@dataclass(frozen=True)
class ClassifierTask:
    """Topics to be told.

    stories: how many there are to learn from; all rounds have the same
    masked:  share of the tokens that are hidden, so that no verdict hangs on one word alone
    """

    model: ClassifierConfig = field(default_factory=ClassifierConfig)
    schedule: Schedule = field(default_factory=partial(Schedule, steps=1_500, round=100, batch=64, rate=2e-3))
    stories: int = 12_000
    masked: float = 0.1

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def tokenizer(self) -> Tokenizer:
        texts = (story.text for story in self.told())
        return train_tokenizer(texts, vocabulary=self.model.vocabulary)

    def new_model(self) -> TopicClassifier:
        return TopicClassifier(self.model)

    def told(self) -> tuple[Story, ...]:
        """The stories to learn from."""
        return telling_stories(self.schedule.seed_of(-1), "train", self.stories)

    def batches(self, tokenizer: Tokenizer, number: int) -> Iterator[Batch]:
        """Stories by lot, some of their tokens hidden."""
        told, dice = self.told(), Random(self.schedule.seed_of(number))
        while True:
            batch = self._batch(tokenizer, dice.sample(told, self.schedule.batch))
            hidden = (torch.rand(batch.ids.shape) < self.masked) & (batch.ids > MASK)
            yield Batch(batch.ids.masked_fill(hidden, MASK), batch.topics)

    def exam(self, tokenizer: Tokenizer) -> list[Batch]:
        """Frames and subject-verb pairs of the test split."""
        return [self._batch(tokenizer, telling_stories(self.schedule.seed_of(-2), "test", EXAM))]

    def loss(self, model: TopicClassifier, batch: Batch) -> Tensor:
        return cross_entropy(model(batch.ids, batch.ids != PAD), batch.topics)

    def right(self, model: TopicClassifier, batch: Batch) -> tuple[int, int]:
        """Stories whose topic is told right."""
        right = model(batch.ids, batch.ids != PAD).argmax(-1).eq(batch.topics)
        return int(right.sum()), len(right)

    def findings(self, model: TopicClassifier, tokenizer: Tokenizer) -> dict[str, str]:
        del model, tokenizer
        return {}

    def check(self, directory: Path) -> Outcome:
        from attnviz.builtin.classifier.check import check

        return check(directory)

    def _batch(self, tokenizer: Tokenizer, told: Sequence[Story]) -> Batch:
        rows = [
            torch.tensor(encoding.ids) for encoding in tokenizer.encode_batch([each.text for each in told])
        ]
        topics = torch.tensor([self.model.topics.index(each.topic) for each in told])
        return Batch(pad_sequence(rows, batch_first=True, padding_value=PAD), topics)

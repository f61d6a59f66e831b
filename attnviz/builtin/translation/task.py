"""How the translators were made: the next token of a translation is guessed, on sentences of the language."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy

from attnviz.builtin.language.french import Bitext, bitexts
from attnviz.builtin.outcome import Outcome
from attnviz.builtin.schedule import Courses, Schedule
from attnviz.builtin.translation.model import (
    KINDS,
    RecurrentConfig,
    TransformerConfig,
    Translator,
)
from attnviz.builtin.translation.pieces import PAD, START, train_pieces
from attnviz.builtin.translation.writing import padded

EXAM = 500
"""Held-out sentences that a training is examined on after each round."""


class Batch(NamedTuple):
    """Sentences and their translations, ``[batch, length]`` ids each, padded.

    source: as it is read, with its end token
    target: as it is to be written, from the start token to the end token
    """

    source: Tensor
    target: Tensor


@dataclass(frozen=True)
class TranslatorTask:
    """Sentences to be translated.

    kind:    which of KINDS
    reads:   how often each pair is read in its round
    lexicon: pairs that the tokenizer is trained on
    strange: share of the pairs with a name that was made up: from these it learns to copy what it never saw
    """

    kind: str
    model: TransformerConfig | RecurrentConfig
    schedule: Schedule
    reads: int = 2
    lexicon: int = 20_000
    strange: float = 0.05

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def tokenizer(self) -> Tokenizer:
        pairs = islice(bitexts(self.schedule.seed_of(-1), split="train"), self.lexicon)
        texts = (text for pair in pairs for text in (pair.source.text, pair.text))
        return train_pieces(texts, vocabulary=self.model.vocabulary)

    def new_model(self) -> Translator:
        return KINDS[f"attnviz-{self.kind}"](self.model)

    def batches(self, tokenizer: Tokenizer, number: int) -> Iterator[Batch]:
        """New pairs, in batches of about the same length, in random order."""
        seed, size = self.schedule.seed_of(number), self.schedule.batch
        told = bitexts(seed, split="train", strange=self.strange)
        groups = _groups(tokenizer, islice(told, ceil(self.schedule.round / self.reads) * size), size)
        random = np.random.default_rng(seed)
        for group in random.permutation(np.repeat(np.arange(len(groups)), self.reads)):
            yield groups[group]

    def exam(self, tokenizer: Tokenizer) -> list[Batch]:
        """Frames and subject-verb pairs of the test split."""
        told = bitexts(self.schedule.seed_of(-2), split="test")
        return _groups(tokenizer, islice(told, EXAM), self.schedule.batch)

    def loss(self, model: Translator, batch: Batch) -> Tensor:
        answers = batch.target[:, 1:]
        asked = answers != PAD
        hidden = model(batch.source, batch.target[:, :-1], batch.source != PAD)
        return cross_entropy(model.scores(hidden[asked]), answers[asked])

    def right(self, model: Translator, batch: Batch) -> tuple[int, int]:
        """Translations in which every token is guessed right: these are what it would write by itself."""
        answers = batch.target[:, 1:]
        hidden = model(batch.source, batch.target[:, :-1], batch.source != PAD)
        same = model.scores(hidden).argmax(-1).eq(answers) | (answers == PAD)
        return int(same.all(1).sum()), len(answers)

    def findings(self, model: Translator, tokenizer: Tokenizer) -> dict[str, str]:
        """The head that aligns best."""
        from attnviz.builtin.translation.check import best_head

        return {"best": best_head(model, tokenizer)}

    def check(self, directory: Path) -> Outcome:
        from attnviz.builtin.translation.check import MARKS, check

        return check(directory, KINDS[f"attnviz-{self.kind}"], MARKS[self.kind])


def _groups(tokenizer: Tokenizer, pairs: Iterator[Bitext], size: int) -> list[Batch]:
    """The pairs encoded, in batches of about the same length."""
    told = list(pairs)
    sources = tokenizer.encode_batch([pair.source.text for pair in told])
    targets = tokenizer.encode_batch([pair.text for pair in told])
    order = sorted(range(len(told)), key=lambda one: (len(targets[one]), len(sources[one])))
    return [
        Batch(
            padded([sources[one].ids for one in order[first : first + size]]),
            padded([[START, *targets[one].ids] for one in order[first : first + size]]),
        )
        for first in range(0, len(order), size)
    ]


TRANSLATOR = TranslatorTask(
    "translator",
    TransformerConfig(),
    Courses(steps=11_000, round=200, batch=64, rate=2e-3, parts=(3 / 11, 4 / 11, 4 / 11)),
)
_RECURRENT = Courses(steps=7_000, round=200, batch=64, rate=2e-3, parts=(3 / 7, 4 / 7))
BAHDANAU = TranslatorTask("bahdanau", RecurrentConfig(), _RECURRENT)
LUONG = TranslatorTask("luong", RecurrentConfig(), _RECURRENT)

"""What the encoder is trained on: stories of the language with some of their words masked.

Training goes in rounds. A round is drawn from the seed and its own number alone, so that a training taken up
again sees what it would have seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from attnviz.builtin.language import stories
from attnviz.builtin.schedule import Masking, Schedule
from attnviz.builtin.tokenizer import MASK, PAD

Integers = NDArray[np.int64]

EXAM = 500
"""Held-out texts that a training is examined on after each round."""


class Batch(NamedTuple):
    """Texts with holes. All are ``[batch, length]``, except answers.

    ids:       tokens as shown
    real:      bool, False for padding
    asked:     bool, the tokens to be guessed
    answers:   ``[asked.sum()]``, what they were
    """

    ids: Tensor
    real: Tensor
    asked: Tensor
    answers: Tensor


def texts_of_round(schedule: Schedule, number: int) -> list[str]:
    """The stories of a training round; those of round -1 are the tokenizer's."""
    texts = schedule.lexicon if number < 0 else schedule.texts
    return [story.text for story in islice(stories(_seed(schedule.seed, number), split="train"), texts)]


def batches(tokenizer: Tokenizer, texts: Sequence[str], schedule: Schedule, number: int) -> Iterator[Batch]:
    """A round: the texts, masked anew each time, in batches of about the same length, in random order."""
    random = np.random.default_rng(_seed(schedule.seed, number))
    groups = _groups(tokenizer, texts, schedule.batch)
    for group in random.permutation(np.repeat(np.arange(len(groups)), schedule.reads)):
        yield _masked(groups[group], tokenizer.get_vocab_size(), schedule.masking, random)


def exam(tokenizer: Tokenizer, schedule: Schedule) -> list[Batch]:
    """What no round has seen: frames and subject-verb pairs of the test split, every hole a [MASK]."""
    random = np.random.default_rng(_seed(schedule.seed, -2))
    held_out = [story.text for story in islice(stories(_seed(schedule.seed, -2), split="test"), EXAM)]
    masking = Masking(schedule.masking.rate, hidden=1.0, random=0.0)
    vocabulary = tokenizer.get_vocab_size()
    return [
        _masked(encodings, vocabulary, masking, random)
        for encodings in _groups(tokenizer, held_out, schedule.batch)
    ]


def _groups(tokenizer: Tokenizer, texts: Sequence[str], size: int) -> list[list[Encoding]]:
    """The texts encoded, in groups of about the same length."""
    encodings = sorted(tokenizer.encode_batch(texts), key=len)
    return [encodings[first : first + size] for first in range(0, len(encodings), size)]


def _masked(
    encodings: Sequence[Encoding], vocabulary: int, masking: Masking, random: np.random.Generator
) -> Batch:
    ids = _padded((encoding.ids for encoding in encodings), PAD)
    words = _padded(([-1 if w is None else w for w in encoding.word_ids] for encoding in encodings), -1)
    real = ids != PAD

    chance = random.random((len(ids), words.max() + 2))  # the last column is that of -1: no word
    chance[:, -1] = 1.0
    asked = np.take_along_axis(chance, words % chance.shape[1], axis=1) < masking.rate
    fate = random.random(ids.shape)
    shown = ids.copy()
    shown[asked & (fate < masking.hidden)] = MASK
    replaced = asked & (fate >= masking.hidden) & (fate < masking.hidden + masking.random)
    shown[replaced] = random.integers(MASK + 1, vocabulary, replaced.sum())

    return Batch(
        ids=torch.from_numpy(shown),
        real=torch.from_numpy(real),
        asked=torch.from_numpy(asked),
        answers=torch.from_numpy(ids[asked]),
    )


def _padded(rows: Iterable[Sequence[int]], filling: int) -> Integers:
    """Rows of different lengths as one array."""
    rows = list(rows)
    array = np.full((len(rows), max(map(len, rows))), filling)
    for line, row in zip(array, rows, strict=True):
        line[: len(row)] = row
    return array


def _seed(seed: int, number: int) -> int:
    """A seed for each round (numbered from -2), that no round of another training shares."""
    return int(np.random.SeedSequence((seed, number + 2)).generate_state(1, np.uint64)[0])

"""Texts with holes: what a masked language model is asked (Devlin et al. 2019, 3.1; whole words)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from attnviz.builtin.tokenizer import MASK, PAD

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Masking:
    """How words are masked.

    rate:   share of the words that are to be guessed
    hidden: share of those that are shown as [MASK]
    random: share of those that are shown as some other token; the rest is shown as it is
    """

    rate: float = 0.2
    hidden: float = 0.8
    random: float = 0.1


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


def masked(
    encodings: Sequence[Encoding], vocabulary: int, masking: Masking, random: np.random.Generator
) -> Batch:
    """Some texts as a batch, some of their words masked.

    vocabulary: number of token ids
    """
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

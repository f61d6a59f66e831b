"""What the encoder has learnt: agreement in number, and heads that find what a word belongs to.

No figure here was trained for. A head is chosen on one half of the questions and reported on the other; of
each share the lower end of its 95 % interval has to reach the mark.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attnviz.analysis.shares import Share, share
from attnviz.attention import Look, Rows
from attnviz.builtin import store
from attnviz.builtin.encoder.model import MaskedLanguageModel
from attnviz.builtin.encoder.questions import Pair, Questions, draw
from attnviz.builtin.language import Agreement
from attnviz.builtin.outcome import Figure
from attnviz.builtin.tokenizer import MASK, PAD
from attnviz.facts import head_name

AGREEMENT = 0.95
"""The share of verbs that must get the right number."""

FLOORS = {"verb-subject": 0.70, "pronoun-antecedent": 0.60}
"""The share of the hard pairs that one head must find."""

MARGINS = {"preposition-object": 0.15, "determiner-noun": 0.15, "adjective-noun": 0.15}
"""By how much it must find more of the hard pairs than the better baseline."""

_BATCH = 128

Hits = dict[str, NDArray[np.bool_]]
"""By a head's name: which of the pairs it finds."""


@dataclass(frozen=True)
class Finding:
    """How well the best head finds one relation, on the hard pairs that it was not chosen on.

    head:     its name, "2.3"
    found:    its share
    nearest:  the share of the nearest candidate on the same pairs
    offset:   the share of the word at the commonest distance
    beyond:   its share of the pairs that both get wrong
    needed:   what the lower end of ``found`` has to reach; None for a relation shown beside the others
    """

    relation: str
    head: str
    found: Share
    nearest: Share
    offset: Share
    beyond: Share
    needed: float | None

    @property
    def figure(self) -> Figure:
        beside = {"nearest": self.nearest.value, "offset": self.offset.value}
        return Figure(self.relation, self.found, self.head, beside, self.needed)


@dataclass(frozen=True)
class Check:
    """All that was asked of a model, and whether it is enough.

    agreement: masked verbs that are guessed in the right number, past a noun of the other one
    """

    agreement: Share
    findings: tuple[Finding, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        agreement = Figure("agreement in number", self.agreement, needed=AGREEMENT)
        return *(finding.figure for finding in self.findings), agreement


def check(directory: Path, questions: Questions | None = None) -> Check:
    """Ask the model stored in a directory.

    Raises ModelError if it cannot be read.
    """
    stored = store.load(directory, MaskedLanguageModel)
    return examine(stored.model, stored.tokenizer, questions or draw())


@torch.no_grad()
def examine(model: MaskedLanguageModel, tokenizer: Tokenizer, questions: Questions) -> Check:
    """Ask a model."""
    findings = tuple(
        _finding(relation, pairs, _looked_at(model, tokenizer, pairs))
        for relation, pairs in questions.pairs.items()
    )
    return Check(_agreement(model, tokenizer, questions.agreements), findings)


def _finding(relation: str, pairs: Sequence[Pair], hits: Hits) -> Finding:
    """The head that finds most of the first half of the pairs, and what it finds of the second."""
    half = len(pairs) // 2
    head = max(hits, key=lambda head: int(hits[head][:half].sum()))
    reported, found = pairs[half:], hits[head][half:]
    nearest = np.array([pair.guessed("nearest") for pair in reported])
    offset = np.array([pair.guessed("offset") for pair in reported])
    best = max(nearest.mean(), offset.mean())
    return Finding(
        relation,
        head,
        found=share(found),
        nearest=share(nearest),
        offset=share(offset),
        beyond=share(found[~nearest & ~offset]),
        needed=FLOORS.get(relation, best + MARGINS[relation] if relation in MARGINS else None),
    )


def _looked_at(model: MaskedLanguageModel, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Hits:
    """Which heads find which targets while the looking word is masked."""
    texts = tokenizer.encode_batch([pair.text for pair in pairs])
    hits = {head_name("", layer, head): np.zeros(len(pairs), bool) for layer, head in _heads(model)}
    for group in _groups(texts):
        ids = _padded([texts[number].ids for number in group], PAD)
        words = _padded([_words(texts[number], pairs[number]) for number in group], -1)
        words[words < 0] = words.max() + 1  # padding, which nobody may look at
        looking = words == torch.tensor([pairs[number].looking for number in group])[:, None]
        targets = torch.tensor([pairs[number].target for number in group])
        for name, looked in _look(model, ids.masked_fill(looking, MASK), words, looking).items():
            hits[name][group] = looked.eq(targets).numpy()
    return hits


def _look(model: MaskedLanguageModel, ids: Tensor, words: Tensor, looking: Tensor) -> dict[str, Tensor]:
    """The word that each head looks at most, from the tokens ``looking`` (their mean)."""
    looked: dict[str, Tensor] = {}
    parts = looking / looking.sum(1, keepdim=True)

    def watch(_: str, layer: int) -> Look:
        seen = torch.zeros(len(ids), model.config.heads, int(words.max()) + 1)

        def look(rows: Rows) -> None:
            part = parts[:, rows.first : rows.first + rows.weights.shape[2]]
            keys = torch.einsum("bq,bhqk->bhk", part, rows.weights)
            seen.scatter_add_(2, words[:, None].expand_as(keys), keys)
            for head, word in enumerate(seen.argmax(2).T):
                looked[head_name("", layer, head)] = word

        return look

    model(ids, ids != PAD, watch=watch)
    return looked


def _words(encoding: Encoding, pair: Pair) -> list[int]:
    """The word of each token; a token of no word, special or punctuation, is one by itself."""
    starts = [start for start, _ in pair.words]
    numbers = []
    for token, (start, stop) in enumerate(encoding.offsets):
        word = bisect_right(starts, max(start, stop - 1)) - 1
        inside = start < stop and word >= 0 and stop <= pair.words[word][1]
        numbers.append(word if inside else len(starts) + token)
    return numbers


def _agreement(model: MaskedLanguageModel, tokenizer: Tokenizer, items: Sequence[Agreement]) -> Share:
    """How often the right form of a masked verb fits better than the wrong one."""
    right = _fit(model, tokenizer, items, [item.right for item in items])
    wrong = _fit(model, tokenizer, items, [item.wrong for item in items])
    return share((right > wrong).numpy())


def _fit(
    model: MaskedLanguageModel, tokenizer: Tokenizer, items: Sequence[Agreement], verbs: Sequence[str]
) -> Tensor:
    """The logarithm of the probability of each verb in its place, all of its tokens masked."""
    texts = tokenizer.encode_batch(
        [
            item.text[: item.verb.start] + verb + item.text[item.verb.stop :]
            for item, verb in zip(items, verbs, strict=True)
        ]
    )
    fits = torch.empty(len(items))
    for group in _groups(texts):
        ids = _padded([texts[number].ids for number in group], PAD)
        asked = torch.zeros_like(ids, dtype=torch.bool)
        for line, number in zip(asked, group, strict=True):
            start, stop = items[number].verb.start, items[number].verb.start + len(verbs[number])
            for token, offsets in enumerate(texts[number].offsets):
                line[token] = offsets[0] < stop and offsets[1] > start
        hidden = model(ids.masked_fill(asked, MASK), ids != PAD)
        fit = model.scores(hidden).log_softmax(-1).gather(2, ids[..., None]).squeeze(2)
        fits[group] = (fit * asked).sum(1)
    return fits


def _heads(model: MaskedLanguageModel) -> Iterator[tuple[int, int]]:
    return product(range(model.config.layers), range(model.config.heads))


def _groups(texts: Sequence[Encoding]) -> Iterator[list[int]]:
    """Numbers of texts of about the same length."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    return (order[first : first + _BATCH] for first in range(0, len(order), _BATCH))


def _padded(rows: Sequence[Sequence[int]], filling: int) -> Tensor:
    """Rows of different lengths as one tensor."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=filling)

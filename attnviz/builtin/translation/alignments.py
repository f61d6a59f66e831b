"""What the heads of a translator look at, word by word, and how much of the gold alignment that finds."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from attnviz.analysis.alignment import Link, links_of
from attnviz.analysis.resample import Quotients
from attnviz.attention import Look
from attnviz.builtin.translation.model import Translator
from attnviz.builtin.translation.pieces import PAD, START
from attnviz.builtin.translation.writing import padded
from attnviz.captures import Floats, Numbers
from attnviz.facts import head_name
from attnviz.inputs import Span

_BATCH = 128


class Pair(NamedTuple):
    """A text and its translation, and the characters of the words of both."""

    source: str
    target: str
    source_words: Sequence[Span]
    target_words: Sequence[Span]


class Tally(NamedTuple):
    """What the alignment error of each head is made of; of each pair of texts.

    heads: their names, "cross.1.3"
    right: ``[pairs, heads]`` links that a head makes and that are sure
    made:  ``[pairs, heads]`` links that it makes
    sure:  ``[pairs]`` links there are
    """

    heads: tuple[str, ...]
    right: Numbers
    made: Numbers
    sure: Numbers

    def part(self, pairs: slice) -> "Tally":
        """Of some of the pairs."""
        return Tally(self.heads, self.right[pairs], self.made[pairs], self.sure[pairs])

    @property
    def errors(self) -> Quotients:
        """The alignment error rate: 1 - 2 |A & S| / (|A| + |S|), Och & Ney 2003, every link of gold sure."""
        below = self.made + self.sure[:, None]
        return Quotients(below - 2 * self.right, below)

    @property
    def best(self) -> str:
        """The head with the smallest error."""
        return self.heads[int(self.errors.whole().argmin())]


def tallied(
    model: Translator, tokenizer: Tokenizer, pairs: Sequence[Pair], gold: Sequence[frozenset[Link]]
) -> Tally:
    """The links that each head makes, a target word's being its largest weight, beside the gold ones."""
    right, made = [], []
    for weights, sure in zip(word_weights(model, tokenizer, pairs), gold, strict=True):
        links = [set(links_of(each)) for each in weights]
        right.append([len(each & sure) for each in links])
        made.append([len(each) for each in links])
    return Tally(
        heads_of(model),
        np.array(right, np.float64),
        np.array(made, np.float64),
        np.array([len(sure) for sure in gold], np.float64),
    )


def heads_of(model: Translator) -> tuple[str, ...]:
    """The heads of its cross-attention, layer by layer."""
    layers, heads = model.attentions["cross"]
    return tuple(head_name("cross", *place) for place in product(range(layers), range(heads)))


def word_weights(model: Translator, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Iterator[Floats]:
    """Of each pair ``[heads, target words, source words]``: where a target word looks while it is written.

    The mean over the rows that write its tokens, the sum over the tokens of the source word.
    """
    for first in range(0, len(pairs), _BATCH):
        group = pairs[first : first + _BATCH]
        sources = tokenizer.encode_batch([pair.source for pair in group])
        targets = tokenizer.encode_batch([pair.target for pair in group])
        looked = _looked(model, sources, targets)
        for weights, pair, source, target in zip(looked, group, sources, targets, strict=True):
            keys = _tokens_of(pair.source_words, source)
            rows = _tokens_of(pair.target_words, target)
            rows /= rows.sum(1, keepdims=True).clip(min=1)
            read: Floats = rows @ weights[:, : len(target), : len(source)] @ keys.T
            yield read


@torch.no_grad()
def _looked(model: Translator, sources: Sequence[Encoding], targets: Sequence[Encoding]) -> Floats:
    """``[pairs, heads, rows, keys]`` of the cross-attention: row i writes token i of the target."""
    source = padded([each.ids for each in sources])
    target = padded([[START, *each.ids[:-1]] for each in targets])
    seen: defaultdict[int, list[Tensor]] = defaultdict(list)

    def watch(stack: str, layer: int) -> Look | None:
        return (lambda rows: seen[layer].append(rows.weights)) if stack == "cross" else None

    model(source, target, source != PAD, watch=watch)
    looked: Floats = torch.cat([torch.cat(tiles, dim=2) for tiles in seen.values()], dim=1).numpy()
    return looked


def _tokens_of(words: Sequence[Span], encoding: Encoding) -> Floats:
    """``[words, tokens]``: 1 where a token holds a character of the word."""
    starts, stops = np.array(encoding.offsets).T
    spans = np.array([(word.start, word.stop) for word in words]).reshape(-1, 2)
    held: Floats = ((starts < spans[:, 1:]) & (stops > spans[:, :1])).astype(np.float32)
    return held

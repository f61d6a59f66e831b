"""What the classifier has learnt: topics, and to look at the words that tell them.

No figure here was trained for. A head of the last layer is chosen on one half of the stories and reported on
the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attnviz.analysis.shares import Share, share
from attnviz.attention import Look, Rows
from attnviz.builtin import store
from attnviz.builtin.classifier.bag import BagOfWords
from attnviz.builtin.classifier.model import TopicClassifier
from attnviz.builtin.classifier.task import ClassifierTask
from attnviz.builtin.classifier.texts import telling_stories
from attnviz.builtin.language import Story
from attnviz.builtin.outcome import Figure, Measured, mean
from attnviz.builtin.tokenizer import MASK, PAD
from attnviz.captures import Numbers
from attnviz.facts import head_name
from attnviz.inputs import Span

SEED = 2_000_003
"""Of the stories; no training uses it, nor did any look while the model was being chosen."""

STORIES = 2_000

TOPIC = 0.95
"""The share of the stories whose topic must be told."""

MATTERS = 0.10
"""How much more of the right topic's probability must go with the word looked at than with another."""

_CONTENT = {"noun", "name", "verb", "adjective"}


@dataclass(frozen=True)
class Check:
    """All that was asked of a classifier.

    topics:  stories whose topic is told right
    bag:     the share of them that naive Bayes tells
    head:    the head of the last layer, chosen on the first half of the stories
    without: how much of the right topic's probability is lost without the content word that [CLS] looks at
             most in it, on the second half
    other:   how much is lost without another content word
    more:    the difference, story by story
    """

    topics: Share
    bag: float
    head: str
    without: Measured
    other: Measured
    more: Measured

    @property
    def figures(self) -> tuple[Figure, ...]:
        return (
            Figure("topic", self.topics, beside={"naive Bayes": self.bag}, needed=TOPIC),
            Figure("lost by masking", self.without, self.head, {"other": self.other.value}),
            Figure("more than other", self.more, self.head, needed=MATTERS),
        )


def check(directory: Path) -> Check:
    """Ask the model stored in a directory. Raises ModelError if it cannot be read."""
    stored = store.load(directory, TopicClassifier)
    return examine(stored.model, stored.tokenizer, telling_stories(SEED, "test", STORIES))


def examine(model: TopicClassifier, tokenizer: Tokenizer, stories: Sequence[Story]) -> Check:
    """Ask a model about stories. The bag of words knows those that the model that ships has learnt from."""
    bag = BagOfWords(ClassifierTask().told())
    told = [bag.topic(story) == story.topic for story in stories]
    asked = [_asked(story, tokenizer, model.config.topics) for story in stories]
    whole = _read(model, [each.ids for each in asked])
    right = np.array([line.argmax() == each.topic for line, each in zip(whole.chances, asked, strict=True)])
    head, looked, other = _without(model, [each for each in asked if len(each.words) > 1])
    return Check(share(right), float(np.mean(told)), head, mean(looked), mean(other), mean(looked - other))


class Asked(NamedTuple):
    """A story as it is asked about.

    ids:   its tokens
    words: the tokens of each content word, bool ``[words, tokens]``
    topic: number of the right one
    """

    ids: Tensor
    words: Tensor
    topic: int

    def without(self, word: int) -> Tensor:
        """Its tokens, those of one word hidden."""
        return self.ids.masked_fill(self.words[word], MASK)


class Reading(NamedTuple):
    """What a model made of stories.

    chances: of each topic ``[stories, topics]``
    looked:  what [CLS] looks at in each head of the last layer ``[stories, heads, tokens]``
    """

    chances: NDArray[np.float64]
    looked: Tensor


def _asked(story: Story, tokenizer: Tokenizer, topics: Sequence[str]) -> Asked:
    encoding = tokenizer.encode(story.text)
    spans = [word.span for word in story.words if word.pos in _CONTENT]
    words = torch.tensor([_tokens(encoding, span) for span in spans])
    return Asked(torch.tensor(encoding.ids), words, topics.index(story.topic))


def _tokens(encoding: Encoding, span: Span) -> list[bool]:
    """Which tokens spell a word."""
    return [start < span.stop and stop > span.start for start, stop in encoding.offsets]


@torch.no_grad()
def _read(model: TopicClassifier, rows: Sequence[Tensor]) -> Reading:
    """Let a model read stories."""
    ids = pad_sequence(list(rows), batch_first=True, padding_value=PAD)
    looked: list[Tensor] = []

    def look(rows: Rows) -> None:
        if rows.first == 0:
            looked.append(rows.weights[:, :, 0])

    def watch(_: str, layer: int) -> Look | None:
        return look if layer == model.config.layers - 1 else None

    parts = [model(part, part != PAD, watch=watch) for part in torch.split(ids, 128)]
    return Reading(torch.cat(parts).double().softmax(-1).numpy(), torch.cat(looked))


def _without(model: TopicClassifier, asked: Sequence[Asked]) -> tuple[str, Numbers, Numbers]:
    """What is lost without the word that a head looks at, and without another one, on the second half.

    Returns the head, of which most is lost on the first half; and both, story by story.
    """
    half, dice = len(asked) // 2, Random(SEED)
    whole = _read(model, [each.ids for each in asked])
    topics = np.array([each.topic for each in asked])

    def lost(words: Sequence[int], part: slice) -> Numbers:
        rows = [each.without(word) for each, word in zip(asked[part], words[part], strict=True)]
        places = np.arange(len(rows)), topics[part]
        return np.asarray(whole.chances[part][places] - _read(model, rows).chances[places])

    most = [_most_looked_at(whole, asked, head) for head in range(model.config.heads)]
    first, second = slice(half), slice(half, None)
    best = max(range(len(most)), key=lambda head: float(lost(most[head], first).mean()))
    others = [
        dice.choice([word for word in range(len(each.words)) if word != looked])
        for each, looked in zip(asked, most[best], strict=True)
    ]
    name = head_name("", model.config.layers - 1, best)
    return name, lost(most[best], second), lost(others, second)


def _most_looked_at(reading: Reading, asked: Sequence[Asked], head: int) -> list[int]:
    """The content word of each story that [CLS] looks at most."""
    return [
        int((each.words * looked[head, : len(each.ids)]).sum(1).argmax())
        for each, looked in zip(asked, reading.looked, strict=True)
    ]

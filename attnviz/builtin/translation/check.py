"""What a translator has learnt: to translate, and to look at the word that it translates.

No figure here was trained for. Of each share the lower end of its 95 % interval has to reach the mark, of the
alignment error the upper end. A head is chosen on one half of the sentences and reported on the other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from attnviz.analysis.alignment import Link
from attnviz.analysis.resample import resampled
from attnviz.analysis.shares import Share, share
from attnviz.builtin import store
from attnviz.builtin.language.french import Bitext, bitexts, word_for_word
from attnviz.builtin.outcome import Figure
from attnviz.builtin.translation.alignments import Pair, Tally, heads_of, tallied, word_weights
from attnviz.builtin.translation.model import Translator
from attnviz.builtin.translation.writing import translations
from attnviz.inputs import Span

SEED = 1_000_000_007
"""Of the questions: no training has it."""


class Marks(NamedTuple):
    """What has to be reached.

    exact: share of the sentences translated word for word as the gold says
    error: alignment error of the best head; None where it is only shown
    """

    exact: float
    error: float | None = None


MARKS = {"translator": Marks(0.9, 0.15), "bahdanau": Marks(0.8), "luong": Marks(0.8)}


@dataclass(frozen=True)
class Questions:
    """What is asked.

    told:    sentences of frames and pairs that no training has
    strange: more of them, each with a name that was made up
    """

    told: tuple[Bitext, ...]
    strange: tuple[Bitext, ...]


@dataclass(frozen=True)
class Measured:
    """A figure that is no share of cases, with its 95 % interval."""

    value: float
    low: float
    high: float
    of: int


@dataclass(frozen=True)
class Check:
    """All that was asked of a translator.

    exact:      sentences translated exactly
    dictionary: share that a dictionary translates exactly, word for word
    copied:     sentences with an invented name translated exactly
    head:       the one with the smallest alignment error on the first half
    error:      its alignment error on the second half
    cat, other: how much it looks at "cat" in "The cat sits on the mat." while it writes "chat", and how much
                at most at any other word: that has to be less
    """

    exact: Share
    dictionary: float
    copied: Share
    head: str
    error: Measured
    cat: float
    other: float
    marks: Marks

    @property
    def figures(self) -> Sequence[Figure]:
        beside = {"dictionary": self.dictionary}
        cat = Measured(self.cat, self.cat, self.cat, 1)
        return (
            Figure("translated exactly", self.exact, beside=beside, needed=self.marks.exact),
            Figure("invented names", self.copied),
            Figure("alignment error", self.error, self.head, needed=self.marks.error, at_most=True),
            Figure("cat, for chat", cat, self.head, needed=self.other),
        )


def draw(told: int = 2_000, strange: int = 500) -> Questions:
    """So many sentences, always the same ones."""
    return Questions(
        tuple(islice(bitexts(SEED, split="test"), told)),
        tuple(islice(bitexts(SEED + 1, split="test", strange=1.0), strange)),
    )


def check(directory: Path, kind: type[Translator], marks: Marks, questions: Questions | None = None) -> Check:
    """Ask the model stored in a directory. Raises ModelError if it cannot be read, or is of another kind."""
    stored = store.load(directory, kind)
    return examine(stored.model, stored.tokenizer, marks, questions or draw())


def examine(model: Translator, tokenizer: Tokenizer, marks: Marks, questions: Questions) -> Check:
    """Ask a model."""
    tally = tally_of(model, tokenizer, questions.told)
    half = len(questions.told) // 2
    head = tally.part(slice(half)).best
    cat, other = cat_for_chat(model, tokenizer, head)
    return Check(
        exact=_exact(model, tokenizer, questions.told),
        dictionary=float(np.mean([word_for_word(one.source) == one.text for one in questions.told])),
        copied=_exact(model, tokenizer, questions.strange),
        head=head,
        error=error_of(tally.part(slice(half, None)), head),
        cat=cat,
        other=other,
        marks=marks,
    )


def best_head(model: Translator, tokenizer: Tokenizer) -> str:
    """The head that ``check`` chooses."""
    told = draw().told
    return tally_of(model, tokenizer, told[: len(told) // 2]).best


def tally_of(model: Translator, tokenizer: Tokenizer, told: Sequence[Bitext]) -> Tally:
    """The links of each head beside the gold ones."""
    pairs = [
        Pair(one.source.text, one.text, [word.span for word in one.source.words], one.words) for one in told
    ]
    gold = [frozenset(Link(*link) for link in one.links) for one in told]
    return tallied(model, tokenizer, pairs, gold)


def error_of(tally: Tally, head: str) -> Measured:
    """The alignment error of a head, with the interval that sentences drawn anew give it."""
    place = tally.heads.index(head)
    errors = tally.errors
    value, (low, high) = errors.whole(), errors.interval(resampled(len(tally.sure), seed=0))
    return Measured(float(value[place]), float(low[place]), float(high[place]), len(tally.sure))


def cat_for_chat(model: Translator, tokenizer: Tokenizer, head: str) -> tuple[float, float]:
    """How much a head looks at "cat" while the model writes "chat", and at most at any other word.

    No weight at all, where it does not write "chat".
    """
    source = "The cat sits on the mat."
    (target,) = translations(model, tokenizer, [source])
    pair = Pair(source, target, _words(source), _words(target))
    (weights,) = word_weights(model, tokenizer, [pair])
    written = [target[word.start : word.stop] for word in pair.target_words]
    if "chat" not in written:
        return 0.0, 1.0
    row = weights[heads_of(model).index(head), written.index("chat")]
    return float(row[1]), float(np.delete(row, 1).max())


def _words(text: str) -> list[Span]:
    """The words of a text, without blanks and marks."""
    return [Span(0, *match.span()) for match in re.finditer(r"\w+", text)]


def _exact(model: Translator, tokenizer: Tokenizer, told: Sequence[Bitext]) -> Share:
    """How many are translated as the gold says."""
    made = translations(model, tokenizer, [one.source.text for one in told])
    return share(np.array([mine == one.text for mine, one in zip(made, told, strict=True)]))

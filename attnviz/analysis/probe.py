"""Heads against known relations: how often a head's largest weight lies on what a word belongs to.

After Clark et al. 2019 (What Does BERT Look At?, 4.2) and Voita et al. 2019. Of the row of one word, special
tokens, blanks and the word itself are left out; the head has found the other end if one of its words has more
weight than any other word. The row of an end of several words is the mean over theirs. Asked is only what can
be answered: the head sees a word of the other end and one that is none.

The head is the one that finds most in one half of the texts; everything reported is of the other half. So is
what guesses find in the same pairs: the best fixed distance, chosen on the first half like the head; and the
nearest word of the other end's own category, as if that were known (of two equally near ones one by lot).
Where no category is known: the nearest of the words that were the answer in the first half.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from random import Random
from typing import Any, Literal

import numpy as np

from attnviz import frames
from attnviz.analysis.answers import Answers, answered
from attnviz.analysis.links import DIRECTIONS, Asked, Direction, Link, forms_of
from attnviz.analysis.relations import Corpus
from attnviz.analysis.resample import Quotients, resampled
from attnviz.analysis.shares import Share, share
from attnviz.captures import Booleans, Capture, Head, Integers, Numbers
from attnviz.errors import InputError, SelectionError
from attnviz.facts import ModelFacts
from attnviz.recipes import Choice, text_digest

FEWEST = 5
"""Pairs that either half must have: below, a share says nothing."""


@dataclass(frozen=True)
class Finding:
    """How often one head finds one end of a relation from the other, in the texts it was not chosen on.

    found:     its share of the pairs
    low, high: 95 %: the wider of two intervals, Wilson's, which takes pairs for independent, and from ten
               texts on the bootstrap over texts, which does not, but is of no width at 0 and 1
    nearest:   the share of the nearest candidate
    offset:    the share of the word at the best fixed distance, which is so many words after: ``distance``
    chosen_on: pairs that the head was chosen on
    texts:     that the pairs are from
    unseen:    pairs of these texts that are not asked: the head may not see the other end
    above:     from ten texts on: how much more it finds than either guess in the same pairs, at least: the
               lower end of 95 %, by the same bootstrap over texts, of the smaller difference; else NaN
    """

    relation: str
    direction: Direction
    head: Head
    found: Share
    low: float
    high: float
    nearest: Share
    offset: Share
    distance: int
    chosen_on: int
    texts: int
    unseen: int
    above: float = math.nan

    @property
    def pairs(self) -> int:
        return self.found.of

    @property
    def beats(self) -> bool:
        """Whether it finds more than both guesses do: surely so, text by text.

        With fewer than ten texts: whether even the lower end is above what both find.
        """
        if not math.isnan(self.above):
            return self.above > 0
        return self.low > max(self.nearest.value, self.offset.value)


@dataclass(frozen=True)
class Probe:
    """What a model's heads find of the relations of some texts.

    findings: the commonest relation first, either direction apart
    heads:    all that were asked
    shares:   ``[findings, heads]``: what each finds in the half that is reported; NaN where it sees no pair
    few:      relations left out, by name and direction: fewer than five pairs in a half
    blind:    likewise: no head sees the other end
    corpus:   what the texts are called: "builtin", or the name of a file; digest: sha256 of them all
    lost:     pairs with an end that was cut off, or with both ends in one word, of so many ``pairs``
    """

    model: ModelFacts
    findings: tuple[Finding, ...]
    texts: int
    seed: int
    heads: tuple[Head, ...] = field(repr=False)
    shares: Numbers = field(repr=False)
    few: tuple[Asked, ...] = ()
    blind: tuple[Asked, ...] = ()
    lost: int = 0
    pairs: int = 0
    corpus: str = ""
    digest: str = ""
    choice: Choice = Choice()
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict, repr=False)

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` with a row a finding. Raises OutputError if pandas is not installed."""
        return frames.frame(self._columns(), "pandas")

    def to_polars(self) -> Any:
        """The same as a ``polars.DataFrame``. Raises OutputError if polars is not installed."""
        return frames.frame(self._columns(), "polars")

    def _columns(self) -> dict[str, list[Any]]:
        rows = [plain(finding) for finding in self.findings]
        return {name: [row[name] for row in rows] for name in COLUMNS}


COLUMNS = ("relation", "direction", "head", "share", "low", "high", "nearest", "offset", "distance", "beats",
           "pairs", "texts", "unseen", "chosen_on")  # fmt: skip


def plain(finding: Finding) -> dict[str, Any]:
    """A finding by the names of COLUMNS, shares as numbers."""
    values = {name: getattr(finding, name) for name in COLUMNS if name not in ("head", "share")}
    shares = {"nearest": finding.nearest.value, "offset": finding.offset.value}
    return {**values, "head": finding.head.name, "share": finding.found.value, **shares}


def probe(corpus: Corpus, captures: Iterable[Capture], *, seed: int = 0, choice: Choice = Choice()) -> Probe:
    """What the heads in some captures find of the relations of their texts.

    captures: of the texts that have any, in their order, with maps of words or whole maps; read one at a time
    seed:     of the halves, of equally near candidates, and of the samples drawn for the intervals
    choice:   which heads these are, for the record
    Raises InputError for fewer than two texts, SelectionError for captures without maps over a text's words.
    """
    texts = corpus.related
    if len(texts) < 2:
        raise InputError(
            "one half of the texts chooses a head and the other reports on it: give two at least"
        )
    first = np.zeros(len(texts), bool)
    first[np.random.default_rng(seed).permutation(len(texts))[: len(texts) // 2]] = True
    forms = forms_of([text for text, chooses in zip(texts, first, strict=True) if chooses])
    told: dict[str, None] = {}
    answers: list[Answers] = []
    for number, (text, seen) in enumerate(zip(texts, captures, strict=True)):
        answers.append(answered(text, seen, forms, Random(f"{seed} {number}")))
        told |= dict.fromkeys(seen.notes)
    table = _Table.of(answers, first)
    outcomes = {asked: _outcome(asked, rows, seed) for asked, rows in table.by_relation()}
    found = [outcome for outcome in outcomes.values() if not isinstance(outcome, str)]
    return Probe(
        model=seen.model,
        findings=tuple(finding for finding, _ in found),
        texts=len(texts),
        seed=seed,
        heads=table.heads,
        shares=np.array([shares for _, shares in found]).reshape(len(found), len(table.heads)),
        few=tuple(asked for asked, outcome in outcomes.items() if outcome == "few"),
        blind=tuple(asked for asked, outcome in outcomes.items() if outcome == "blind"),
        lost=sum(each.lost for each in answers),
        pairs=sum(each.lost + len(each.links) for each in answers),
        corpus=corpus.name,
        digest=text_digest(repr(texts)),
        choice=choice,
        notes=tuple(told),
        versions=seen.versions,
    )


@dataclass(frozen=True)
class _Table:
    """All answers: a row a pair, a column a head.

    text:  ``[pairs]`` the number of its text; first: whether that chooses
    hits, seen, nearest: ``[pairs, heads]`` as in Answers
    """

    heads: tuple[Head, ...]
    links: tuple[Link, ...]
    text: Integers
    first: Booleans
    hits: Booleans
    seen: Booleans
    nearest: Booleans

    @classmethod
    def of(cls, answers: Sequence[Answers], first: Booleans) -> "_Table":
        """Raises SelectionError if there is no pair at all."""
        some = [(number, each) for number, each in enumerate(answers) if each.links]
        if not some:
            raise SelectionError("no relation of these texts has its ends in two words that the model reads")
        text = np.concatenate([np.full(len(each.links), number) for number, each in some])
        return cls(
            heads=some[0][1].heads,
            links=tuple(chain.from_iterable(each.links for _, each in some)),
            text=text,
            first=first[text],
            hits=np.concatenate([each.hits for _, each in some]),
            seen=np.concatenate([each.seen for _, each in some]),
            nearest=np.concatenate([each.nearest for _, each in some]),
        )

    def by_relation(self) -> "Iterator[tuple[Asked, _Table]]":
        """The pairs of each relation and direction, the commonest first."""
        asked = Counter(link.asked for link in self.links)
        for each in sorted(
            asked, key=lambda each: (-asked[each], each.relation, DIRECTIONS.index(each.direction))
        ):
            yield each, self.at(np.array([link.asked == each for link in self.links]))

    def at(self, rows: Booleans) -> "_Table":
        """Some of the pairs."""
        return _Table(
            self.heads,
            tuple(link for link, kept in zip(self.links, rows, strict=True) if kept),
            self.text[rows],
            self.first[rows],
            self.hits[rows],
            self.seen[rows],
            self.nearest[rows],
        )


Outcome = tuple[Finding, Numbers] | Literal["few", "blind"]
"""A finding, and what every head finds of the same pairs; or why there is none."""


def _outcome(asked: Asked, rows: _Table, seed: int) -> Outcome:
    """What comes of one relation in one direction."""
    chosen, reported = rows.at(rows.first), rows.at(~rows.first)
    if min(len(chosen.links), len(reported.links)) < FEWEST:
        return "few"
    head = int(chosen.hits.sum(0).argmax())
    if min(chosen.seen[:, head].sum(), reported.seen[:, head].sum()) < FEWEST:
        return "few" if rows.seen.any() else "blind"
    below = reported.seen.sum(0)
    shares = np.divide(reported.hits.sum(0), below, out=np.full(len(below), np.nan), where=below > 0)
    return _finding(asked, head, chosen, reported, seed), shares


def _finding(asked: Asked, head: int, chosen: _Table, reported: _Table, seed: int) -> Finding:
    before, seen = chosen.at(chosen.seen[:, head]), reported.at(reported.seen[:, head])
    distance = _commonest(chain.from_iterable(link.offsets for link in before.links))
    hits, nearest = seen.hits[:, head], seen.nearest[:, head]
    offset = np.array([distance in link.offsets for link in seen.links])
    found = share(hits)
    low, high = _interval(found, hits, seen.text, seed)
    return Finding(
        *asked,
        head=seen.heads[head],
        found=found,
        low=low,
        high=high,
        nearest=share(nearest),
        offset=share(offset),
        distance=distance,
        chosen_on=len(before.links),
        texts=len(np.unique(seen.text)),
        unseen=len(reported.links) - len(seen.links),
        above=_above(hits, (nearest, offset), seen.text, seed),
    )


def _commonest(offsets: Iterable[int]) -> int:
    """Of several the nearest to 0."""
    counts = Counter(offsets)
    return min(counts, key=lambda offset: (-counts[offset], abs(offset), offset))


def _interval(found: Share, hits: Booleans, text: Integers, seed: int) -> tuple[float, float]:
    """The wider of both intervals."""
    low, high = _resampled(hits, text, seed)
    return float(np.fmin(low, found.low)), float(np.fmax(high, found.high))


def _above(hits: Booleans, guesses: Iterable[Booleans], text: Integers, seed: int) -> float:
    """By how much more than each guess finds of the same pairs: the smaller of the lower ends."""
    apart = (hits.astype(np.float64) - guess for guess in guesses)
    return min(_resampled(each, text, seed)[0] for each in apart)


def _resampled(values: Booleans | Numbers, text: Integers, seed: int) -> tuple[float, float]:
    """95 % of the mean over pairs, by the bootstrap over texts; NaN with fewer than ten."""
    _, number = np.unique(text, return_inverse=True)
    above, below = (np.bincount(number, weights)[:, None].astype(np.float64) for weights in (values, None))
    low, high = Quotients(above, below).interval(resampled(len(above), seed))[:, 0]
    return float(low), float(high)

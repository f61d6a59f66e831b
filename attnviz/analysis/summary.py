"""What is known of every head over some samples: means, how sure they are, and the pattern that follows.

Each statistic is the mean over the samples in which it is present; they count equally. "positional" is the
exception: its counts are summed over the samples first, and its interval is that of the share at the offset
which is the commonest of all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from attnviz.analysis.naming import wanted_heads
from attnviz.analysis.resample import Quotients, mean_of, resampled
from attnviz.captures import Axis, Capture, Head, Integers, Layers, Numbers, Statistics
from attnviz.errors import InputError, SelectionError
from attnviz.facts import ModelFacts
from attnviz.inputs import printable
from attnviz.metrics import FEWEST_ROWS, METRICS, PATTERNS, pattern
from attnviz.recipes import Choice
from attnviz.render.rows import Evidence, HeadRow, Statistic

_SCORED = {"local": "distance", "broad": "focus", "global": "confidence", "mixed": ""}


@dataclass(frozen=True)
class Summary:
    """Every head over some samples.

    rows:    one a head, in the model's order
    samples: captures of which only the model, the sample and the notes are left
    """

    rows: tuple[HeadRow, ...]
    samples: tuple[Capture, ...]


def summary(captures: Iterable[Capture], choice: Choice = Choice(), *, seed: int = 0) -> Summary:
    """The chosen heads over all samples, which are read one at a time; only their statistics are kept.

    seed: of the samples drawn for the intervals, which are there from ten samples on
    Raises SelectionError if a capture has no statistics, or none of a chosen head; InputError without any
    capture and for captures of several models.
    """
    seen = [_Seen.of(capture) for capture in captures]
    if not seen:
        raise InputError("no capture to make a table of: give at least one")
    model = _only_model(seen)
    heads = _chosen(model, seen, choice)
    offsets = _Offsets.of(heads, seen)
    statistics = _statistics(heads, seen, offsets.quotients, resampled(len(seen), seed))
    rows = (
        _row(
            head,
            {name: entries[place] for name, entries in statistics.items()},
            offset=offsets.best.get(place),
            evidence=_strongest(head, seen),
            window=_window(head, model, seen),
        )
        for place, head in enumerate(heads)
    )
    return Summary(tuple(rows), tuple(sample.capture for sample in seen))


@dataclass(frozen=True)
class _Seen:
    """What is kept of one sample.

    keys: how many there are, by the name of a stack or a layer
    """

    capture: Capture
    statistics: Statistics
    evidence: Mapping[Head, Evidence]
    keys: Mapping[str, int]

    @classmethod
    def of(cls, capture: Capture) -> "_Seen":
        if capture.statistics is None:
            name = printable(capture.sample.name)
            raise SelectionError(
                f"no statistics of {name} were kept, nor the maps of all heads of a layer to compute them "
                "from: capture it again, and do not leave its statistics out"
            )
        none = Layers()
        lean = replace(
            capture, maps=none, pooled=none, means=none, rollout=none, words=none,
            axes={}, statistics=None, pairs=None,
        )  # fmt: skip
        keys = {name: len(axes[1]) for name, axes in capture.axes.items()}
        return cls(lean, capture.statistics, dict(_evidence(capture, capture.statistics)), keys)


def _only_model(seen: Sequence[_Seen]) -> ModelFacts:
    first = seen[0].capture.model
    for sample in seen:
        model = sample.capture.model
        if (model.name, model.fingerprint) != (first.name, first.fingerprint):
            raise InputError(
                f"these captures are of {printable(first.name)} and of {printable(model.name)}: "
                "a table is of one model, so make one of each"
            )
    return first


def _chosen(model: ModelFacts, seen: Sequence[_Seen], choice: Choice) -> list[Head]:
    """The chosen heads in the model's order."""
    stacks = {layer.name: (layer.stack, layer.layer) for layer in model.layers}
    wanted = [
        Head(*stacks[name], head)
        for name, heads in wanted_heads(model.layers, choice).items()
        for head in heads
    ]
    there = {head for sample in seen for head in sample.statistics.heads}
    missing = [head for head in wanted if head not in there]
    if missing and (choice.maps or len(missing) == len(wanted)):
        raise SelectionError(f"no statistics of head {missing[0].name} were kept in this capture")
    return [head for head in wanted if head in there]


def _statistics(
    heads: Sequence[Head], seen: Sequence[_Seen], positional: Quotients, weights: Numbers | None
) -> dict[str, list[Statistic]]:
    """Every statistic of every head, by name."""
    places = [_places(heads, sample.statistics.heads) for sample in seen]

    def gathered(field: str, name: str) -> Numbers:
        """One number of every head and sample, ``[samples, heads]``; NaN where it is missing."""
        table = np.full((len(seen), len(heads)), np.nan)
        for row, sample, (theirs, ours) in zip(table, seen, places, strict=True):
            numbers = getattr(sample.statistics, field).get(name)
            if numbers is not None:
                row[ours] = np.asarray(numbers, np.float64)[theirs]
        return table

    return {
        name: _entries(
            positional if name == "positional" else mean_of(gathered("values", name)),
            gathered("baselines", name),
            positional.below if name == "positional" else np.nan_to_num(gathered("rows", name)),
            weights,
        )
        for name in METRICS
    }


def _entries(
    quotients: Quotients, baselines: Numbers, rows: Numbers, weights: Numbers | None
) -> list[Statistic]:
    there = quotients.below > 0
    beside = mean_of(np.where(there, baselines, np.nan)).whole()
    columns = (
        quotients.whole().tolist(),
        beside.tolist(),
        (rows * there).sum(0).astype(int).tolist(),
        there.sum(0).tolist(),
        *quotients.interval(weights).tolist(),
    )
    return [Statistic(*entries) for entries in zip(*columns, strict=True)]


def _places(heads: Sequence[Head], among: Sequence[Head]) -> tuple[list[int], list[int]]:
    """Where those of the heads that are among others stand: there, and here."""
    there = {head: place for place, head in enumerate(among)}
    ours = [place for place, head in enumerate(heads) if head in there]
    return [there[heads[place]] for place in ours], ours


class _Offsets(NamedTuple):
    """How often the largest weight of a row lies at the head's commonest offset.

    best:      that offset, by the head's place: of several the nearest to 0
    quotients: rows at it, and all rows, of every sample; none below 20 rows
    """

    best: dict[int, int]
    quotients: Quotients

    @classmethod
    def of(cls, heads: Sequence[Head], seen: Sequence[_Seen]) -> "_Offsets":
        counted = [_counted(heads, sample) for sample in seen]
        best = _commonest(np.concatenate(counted), len(heads))
        hits, rows = (np.zeros((len(seen), len(heads))) for _ in range(2))
        wanted = np.array([best.get(place, 0) for place in range(len(heads))], np.int64)
        for sample, table in enumerate(counted):
            head, offset, count = table.T
            np.add.at(rows[sample], head, count)
            np.add.at(hits[sample], head, np.where(offset == wanted[head], count, 0))
        rows[:, rows.sum(0) < FEWEST_ROWS] = 0
        return cls(best, Quotients(hits * (rows > 0), rows))


def _counted(heads: Sequence[Head], sample: _Seen) -> Integers:
    """A sample's table of offsets ``[n, 3]`` with the places that its heads have here."""
    theirs, ours = _places(heads, sample.statistics.heads)
    here = np.full(len(sample.statistics.heads), -1, np.int64)
    here[theirs] = ours
    table = np.asarray(sample.statistics.offsets, np.int64).reshape(-1, 3).copy()
    table[:, 0] = here[table[:, 0]]
    return table[table[:, 0] >= 0]


def _commonest(table: Integers, heads: int) -> dict[int, int]:
    """The commonest offset by the head's place, of rows ``(head, offset, count)``; none below 20 rows."""
    if not len(table):
        return {}
    pairs, inverse = np.unique(table[:, :2], axis=0, return_inverse=True)
    counts = np.bincount(inverse.reshape(-1), table[:, 2])
    order = np.lexsort((pairs[:, 1], np.abs(pairs[:, 1]), -counts, pairs[:, 0]))
    first, at = np.unique(pairs[order, 0], return_index=True)
    rows = np.bincount(table[:, 0], table[:, 2], heads)
    offsets = pairs[order[at], 1]
    return {
        int(head): int(offset)
        for head, offset in zip(first, offsets, strict=True)
        if rows[head] >= FEWEST_ROWS
    }


def _row(
    head: Head,
    statistics: Mapping[str, Statistic],
    *,
    offset: int | None,
    evidence: Evidence | None,
    window: int | None,
) -> HeadRow:
    word, score = pattern(
        {name: entry.value for name, entry in statistics.items()},
        {name: entry.baseline for name, entry in statistics.items()},
    )
    scored = word if word in PATTERNS else _SCORED[word]
    return HeadRow(head, word, score, scored, statistics, offset, evidence, window)


def _evidence(capture: Capture, statistics: Statistics) -> Iterator[tuple[Head, Evidence]]:
    """The strongest pair of each head of one sample, its tokens by their labels."""
    pairs = statistics.evidence
    if not pairs.weights.size:
        return
    columns = (pairs.queries[:, 0].tolist(), pairs.keys[:, 0].tolist(), pairs.weights[:, 0].tolist())
    for head, query, key, weight in zip(pairs.heads, *columns, strict=True):
        if query >= 0:
            queries, keys = _axes(capture, head)
            labels = _label(queries, query), _label(keys, key)
            yield head, Evidence(*labels, weight, query, key, capture.sample.name)


def _axes(capture: Capture, head: Head) -> tuple[Axis | None, Axis | None]:
    layer = head.name.rpartition(".")[0]
    return capture.axes.get(layer) or capture.axes.get(head.stack) or (None, None)


def _label(axis: Axis | None, place: int) -> str:
    return axis.labels[place] if axis is not None and place < len(axis) else str(place)


def _strongest(head: Head, seen: Sequence[_Seen]) -> Evidence | None:
    """Of all samples; of equal ones that of the first."""
    pairs = [sample.evidence[head] for sample in seen if head in sample.evidence]
    return max(pairs, key=lambda pair: pair.weight, default=None)


def _window(head: Head, model: ModelFacts, seen: Sequence[_Seen]) -> int | None:
    """How many keys the head's rows see at most, if some sample has more."""
    layer = next(layer for layer in model.layers if (layer.stack, layer.layer) == head[:2])
    if layer.window is None:
        return None
    lengths = [sample.keys.get(layer.name) or sample.keys.get(layer.stack) for sample in seen]
    longer = any(length is None or length > layer.window for length in lengths)
    return layer.window if longer else None

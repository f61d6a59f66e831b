"""All statistics of all heads in one pass: ``attnviz.metrics`` says what they are.

Of each tile a few numbers a row are kept (``rows``); when the model is done, they are averaged over the rows
that are eligible. What a head that looks at all visible keys alike would have is found by giving that head's
rows to the same functions, once for each kind of visibility.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from attnviz.captures import Axis, Capture, Head, Integers, Numbers, Pairs, Statistics
from attnviz.facts import LayerFacts
from attnviz.metrics import FEWEST_ROWS, METRICS
from attnviz.models.scratch import Scratch
from attnviz.observe.base import Axes, axes_of, sizes
from attnviz.observe.keys import Keys, keys_of
from attnviz.observe.memory import Need
from attnviz.observe.rows import Measures, shapes
from attnviz.observe.tiles import Tile

MEASURES = len(METRICS) + 3  # numbers of a row that are kept at most
DRAWS = 20  # random heads, for what "positional" reaches by chance
FLAT = 1e-3  # a row whose largest weight is so little more than the mean has no largest weight


class HeadStatistics:
    """The statistics of all heads of one sample. Memory grows with the length, not with its square."""

    def __init__(self) -> None:
        self._axes: Axes = {}
        self._layers: dict[LayerFacts, _Layer] = {}
        self._known: dict[object, _Known] = {}
        self._scratch = Scratch()

    def start(self, axes: Axes) -> None:
        self._axes = axes
        self._layers = {}
        self._known = {}

    def needs(self, layers: Sequence[LayerFacts], axes: Axes) -> Need:
        each = [(layer.heads, queries) for layer, (queries, _) in sizes(layers, axes) if layer.heads]
        total = sum(queries * (4 * MEASURES * (heads + 1) + 8 * DRAWS) for heads, queries in each)
        return Need(
            0,
            what="the statistics of all heads",
            instead="leave them out (statistics=False)",
            device=total,
            of="statistics",
        )

    def wanted(self, layer: LayerFacts) -> range | None:
        return range(layer.heads) if layer.heads else None

    def see(self, tile: Tile) -> None:
        layer = self._layers.get(tile.layer)
        if layer is None:
            rows = _Rows({}, tile.layer.heads, tile.size[0])
            layer = self._layers[tile.layer] = _Layer(self._known_of(tile), rows, tile.sink, self._scratch)
        layer.add(tile)

    def _known_of(self, tile: Tile) -> "_Known":
        """What layers with the same axes share."""
        facts, device = tile.layer, tile.weights.device
        axes = facts.name if facts.name in self._axes else facts.stack
        name = (axes, facts.stack, tile.size, device)
        if name not in self._known:
            self._known[name] = _Known(keys_of(self._axes, facts, tile.size, device))
        return self._known[name]

    def added_to(self, capture: Capture) -> Capture:
        tables = [
            _averaged(facts, layer, axes_of(self._axes, facts, layer.size)[0])
            for facts, layer in self._layers.items()
        ]
        return replace(capture, statistics=_joined(tables))


@dataclass(frozen=True)
class _Rows:
    """Numbers of every row of some heads, by name: ``[heads, queries]``; NaN where nothing came."""

    values: dict[str, Tensor]
    heads: int
    queries: int

    def put(self, heads: range, rows: range, named: Iterable[tuple[str, Tensor]]) -> None:
        for name, values in named:
            if name not in self.values:
                self.values[name] = values.new_full((self.heads, self.queries), torch.nan)
            self.values[name][heads.start : heads.stop, rows.start : rows.stop] = values


@dataclass(frozen=True)
class _Uniform:
    """A head that looks at all visible keys alike, over the rows of a block.

    count:  ``[1 or heads, rows]`` how many keys each row sees
    values: its measures by name, ``[1 or heads, rows]``
    random: ``[rows, DRAWS]`` offsets of keys drawn among those that the row sees; of the first head
    """

    count: Tensor
    values: Mapping[str, Tensor]
    random: Tensor


@dataclass(frozen=True)
class _Known:
    """What is known of some keys, and of heads that look at them alike.

    uniform: by the rows of a block and the keys that these see
    """

    keys: Keys
    uniform: dict[object, _Uniform] = field(default_factory=dict)


@dataclass
class _Layer:
    """What has come by of one layer.

    uniform: as rows ``[1 or heads, queries]``, and the random offsets ``[queries, DRAWS]``
    """

    known: _Known
    rows: _Rows
    sink: bool
    scratch: Scratch
    size: tuple[int, int] = (0, 0)
    uniform: _Rows | None = None
    random: Tensor | None = None
    _block: "_Block | None" = None

    def add(self, tile: Tile) -> None:
        self.size = tile.size
        if self._block is None or not self._block.fits(tile):
            self._block = _block(tile, self.known, self.scratch)
            self._take(self._block.uniform, tile)
        found = shapes(tile, self.scratch)
        named = {"sum": found.sums, "largest": found.largest, "place": found.places, "entropy": found.entropy}
        self.rows.put(tile.heads, tile.rows, ((name, values.float()) for name, values in named.items()))
        self.rows.put(tile.heads, tile.rows, self._block.measures.of(tile.weights))

    def _take(self, uniform: _Uniform, tile: Tile) -> None:
        """Put down a block's uniform head; where heads see differently, those of the tile."""
        alike = uniform.count.shape[0] == 1
        if self.uniform is None or self.random is None:
            self.uniform = _Rows({}, 1 if alike else self.rows.heads, tile.size[0])
            self.random = uniform.random.new_zeros(tile.size[0], DRAWS)
        heads = range(1) if alike else tile.heads
        self.uniform.put(heads, tile.rows, [("count", uniform.count), *uniform.values.items()])
        self.random[tile.rows.start : tile.rows.stop] = uniform.random


@dataclass(frozen=True)
class _Block:
    """What all tiles of the same rows, columns and visibility share.

    It keeps no tile: with one goes what its weights were made of, which is a layer's whole input.
    """

    visible: Tensor
    computed: Tensor
    measures: Measures
    uniform: _Uniform

    def fits(self, tile: Tile) -> bool:
        same = self.visible is tile.visible and self.computed is tile.computed
        alike = tile.visible.shape[0] == tile.computed.shape[0] == 1
        return same and alike and (self.measures.rows, self.measures.columns) == (tile.rows, tile.columns)


def _block(tile: Tile, known: _Known, scratch: Scratch) -> _Block:
    """The block of a tile; its uniform head is taken from those known if one has seen the same keys.

    Rows that see keys without a gap are told apart by the first one and their number.
    """
    measures = Measures(known.keys, tile.rows, tile.columns, scratch)
    seen = tile.visible if bool(tile.computed.all()) else tile.visible & tile.computed
    seen = seen.expand(-1, len(tile.rows), len(tile.columns))
    count = seen.sum(-1, dtype=torch.int32)
    if seen.shape[0] > 1 or _has_gaps(seen):
        return _Block(tile.visible, tile.computed, measures, _uniform(seen, count, measures))
    kind = tuple(t.cpu().numpy().tobytes() for t in (_first(seen), count))
    name = (tile.rows, tile.columns, *kind)
    if name not in known.uniform:
        known.uniform[name] = _uniform(seen, count, measures)
    return _Block(tile.visible, tile.computed, measures, known.uniform[name])


def _has_gaps(seen: Tensor) -> bool:
    """Whether any row sees keys on both sides of one that it does not see."""
    edges = (seen[..., 1:] ^ seen[..., :-1]).sum(-1, dtype=torch.int32)
    return bool((edges + seen[..., 0] > 2).any())


def _first(seen: Tensor) -> Tensor:
    """The first key that each row sees."""
    if bool(seen[..., 0].all()):
        return torch.zeros_like(seen[..., 0], dtype=torch.long)
    return seen.byte().argmax(-1)


def _uniform(seen: Tensor, count: Tensor, measures: Measures) -> _Uniform:
    weights = seen / count.clamp(min=1)[..., None]
    return _Uniform(count.float(), dict(measures.of(weights)), _random_offsets(seen[0], measures))


def _random_offsets(seen: Tensor, measures: Measures) -> Tensor:
    """Offsets of random visible keys, the same in every run: ``[rows, DRAWS]``."""
    generator = torch.Generator().manual_seed(measures.rows.start)
    order = seen.cumsum(-1, dtype=torch.int32)
    draws = torch.rand(len(measures.rows), DRAWS, generator=generator).to(seen.device)
    nth = (draws * order[:, -1:]).int() + 1
    place = torch.searchsorted(order, nth) + measures.columns.start
    rows = torch.arange(measures.rows.start, measures.rows.stop, device=seen.device)
    return (place - rows[:, None]).int()


@dataclass(frozen=True)
class _Table:
    """The statistics of one layer's heads."""

    heads: tuple[Head, ...]
    values: dict[str, Numbers]
    rows: dict[str, Integers]
    baselines: dict[str, Numbers]
    offsets: Integers
    evidence: tuple[Integers, Integers, Numbers]


@dataclass
class _Means:
    """Means over eligible rows, as they are made."""

    heads: int
    values: dict[str, Numbers] = field(default_factory=dict)
    rows: dict[str, Integers] = field(default_factory=dict)
    baselines: dict[str, Numbers] = field(default_factory=dict)

    def add(self, name: str, values: Tensor, eligible: Tensor, uniform: Tensor | None = None) -> None:
        """values: ``[heads, queries]``; eligible, uniform (the baseline): broadcastable to it"""
        eligible = eligible.expand_as(values)
        self.rows[name] = eligible.sum(-1).cpu().numpy()
        self.values[name] = _mean(values, eligible)
        if uniform is not None:
            self.baselines[name] = _mean(uniform.expand_as(values), eligible)


def _mean(values: Tensor, eligible: Tensor) -> Numbers:
    """Over the eligible rows, NaN without any: ``[heads]`` float64."""
    total = torch.where(eligible, values, 0).sum(-1, dtype=torch.float64)
    mean: Numbers = (total / eligible.sum(-1)).cpu().numpy()  # 0 / 0 is NaN
    return mean


def _averaged(facts: LayerFacts, layer: _Layer, queries: Axis) -> _Table:
    assert layer.uniform is not None
    rows, uniform = layer.rows.values, layer.uniform.values
    count = uniform["count"]
    real = (count > 1) & ~rows["sum"].isnan()
    means = _Means(facts.heads)
    means.add("entropy", rows["entropy"], real)
    means.add("focus", 1 - rows["entropy"] / count.log2(), real)
    means.add("confidence", rows["largest"] / rows["sum"], real)
    for name in METRICS:
        if name == "distance" and name in rows:
            values = rows[name] / rows["sum"]
            means.add(name, values, real & ~values.isnan(), uniform[name])
        elif METRICS[name].baseline and name in rows:
            means.add(name, rows[name], real & _eligible(name, uniform[name]), uniform[name])
    if layer.sink:
        means.add("sink_mass", 1 - rows["sum"], real)
    offsets = _offsets(rows, real, count) if layer.known.keys.own and layer.known.keys.text else None
    if offsets is not None:
        _add_positional(means, offsets, layer, real)
    return _Table(
        tuple(Head(facts.stack, facts.layer, head) for head in range(facts.heads)),
        means.values,
        means.rows,
        means.baselines,
        _counted(offsets) if offsets is not None else np.zeros((0, 3), np.int64),
        _evidence(rows, real, queries),
    )


def _eligible(name: str, uniform: Tensor) -> Tensor:
    """Rows that see a key which qualifies: those where a head that looks at all of them has something."""
    there = uniform > 0
    if name == "first":
        there = there.clone()
        there[..., 0] = False
    return there


@dataclass(frozen=True)
class _Offsets:
    """Key minus query of each row's largest weight ``[heads, queries]``, and which rows have one."""

    values: Tensor
    eligible: Tensor


def _offsets(rows: Mapping[str, Tensor], real: Tensor, count: Tensor) -> _Offsets:
    places = torch.arange(rows["place"].shape[-1], device=count.device)
    pointed = rows["largest"] * count > (1 + FLAT) * rows["sum"]
    return _Offsets(rows["place"].nan_to_num(0).long() - places, real & pointed)


def _add_positional(means: _Means, offsets: _Offsets, layer: _Layer, real: Tensor) -> None:
    """The share of rows whose largest weight lies at the head's commonest offset; NaN for few rows."""
    assert layer.random is not None
    counts = [_commonest(*head) for head in zip(offsets.values, offsets.eligible, strict=True)]
    rows = offsets.eligible.sum(-1).cpu().numpy()
    enough = rows >= FEWEST_ROWS
    seeing = real.any(0)
    chance = [_commonest(draw, seeing) for draw in layer.random.long().T]
    share = float(np.mean(chance)) / max(1, int(seeing.sum()))
    means.rows["positional"] = rows
    means.values["positional"] = np.where(enough, np.array(counts) / np.maximum(rows, 1), np.nan)
    means.baselines["positional"] = np.where(enough, share, np.nan)


def _commonest(offsets: Tensor, eligible: Tensor) -> int:
    """How often the commonest offset of the eligible rows occurs."""
    return int(torch.bincount(offsets[eligible] + len(offsets)).max()) if bool(eligible.any()) else 0


def _counted(offsets: _Offsets) -> Integers:
    """Rows of head, offset, count."""
    parts = [
        torch.stack([torch.full_like(values, head), values, counts], 1)
        for head, (row, eligible) in enumerate(zip(offsets.values, offsets.eligible, strict=True))
        for values, counts in [torch.unique(row[eligible], return_counts=True)]
    ]
    counted: Integers = torch.cat(parts).cpu().numpy()
    return counted


def _evidence(rows: Mapping[str, Tensor], real: Tensor, queries: Axis) -> tuple[Integers, Integers, Numbers]:
    """The strongest pair of each head whose query is no special token: query, key, weight ``[heads, 1]``."""
    plain = ~torch.tensor(queries.special, device=real.device)
    weights = torch.where(real & plain, rows["largest"], -1)
    best = weights.argmax(-1, keepdim=True)
    found = weights.gather(-1, best)
    there = found >= 0
    keys = rows["place"].nan_to_num(0).long().gather(-1, best)
    pairs = (torch.where(there, place, -1).cpu().numpy() for place in (best, keys))
    return (*pairs, torch.where(there, found, torch.nan).double().cpu().numpy())  # type: ignore[return-value]


def _joined(tables: list[_Table]) -> Statistics:
    """The statistics of all layers in one record; what is not defined for a layer is missing there."""
    heads = tuple(head for table in tables for head in table.heads)

    def column(named: Iterator[Mapping[str, np.ndarray]], name: str, missing: float) -> np.ndarray:
        parts = zip(named, tables, strict=True)
        return np.concatenate([each.get(name, np.full(len(t.heads), missing)) for each, t in parts])

    names = [name for name in METRICS if any(name in table.values for table in tables)]
    bases = [name for name in names if any(name in table.baselines for table in tables)]
    starts = np.cumsum([0, *(len(table.heads) for table in tables)])
    moved = [t.offsets + np.array([start, 0, 0]) for t, start in zip(tables, starts, strict=False)]
    queries, keys, weights = (
        np.concatenate(part) for part in zip(*(t.evidence for t in tables), strict=True)
    )
    return Statistics(
        heads=heads,
        values={name: column((t.values for t in tables), name, np.nan) for name in names},
        rows={name: column((t.rows for t in tables), name, 0).astype(np.int64) for name in names},
        baselines={name: column((t.baselines for t in tables), name, np.nan) for name in bases},
        offsets=np.concatenate(moved),
        evidence=Pairs(heads, queries, keys, weights),
    )

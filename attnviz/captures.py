"""What was seen of one sample: the record that everything after the model's run works on. No torch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from attnviz import frames
from attnviz.errors import SelectionError
from attnviz.facts import ModelFacts, head_name, layer_name
from attnviz.inputs import Sample, Span

Floats = NDArray[np.float32]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]
FEW = 16  # names that a message lists

Unit = Literal["token", "word", "group", "patch", "position"]


@dataclass(frozen=True)
class Axis:
    """One side of a map: what its rows (queries) or columns (keys) stand for, in order.

    labels:    as a person reads them: ``+ing`` continues a word, ``<E4 BD>`` are bytes of no whole
               character; harmless to print (see ``inputs.printable``)
    positions: where each one starts in the model's own sequence, in tokens from 0
    spans:     the characters it stands for; None for tokens of the model's own (``[CLS]``)
    words:     number of the word that it belongs to; -1 for tokens of the model's own
    special:   whether it is one of the model's special tokens
    ids:       token ids; empty once tokens have been put together
    texts:     what the spans point into
    unit:      what one entry is; a group is several neighbours put together to fit a picture, a patch
               part of an image, a position something of which only its place is known
    masks:     whether it is the model's mask token; empty: none is
    grid:      where the entries lie in an image; None for a sequence
    """

    labels: tuple[str, ...]
    positions: tuple[int, ...]
    spans: tuple[Span | None, ...]
    words: tuple[int, ...]
    special: tuple[bool, ...]
    ids: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    unit: Unit = "token"
    masks: tuple[bool, ...] = ()
    grid: "Grid | None" = None

    def __post_init__(self) -> None:
        for name in ("positions", "spans", "words", "special"):
            if len(getattr(self, name)) != len(self.labels):
                raise ValueError(
                    f"an axis of {len(self.labels)} labels has {len(getattr(self, name))} {name}"
                )

    def __len__(self) -> int:
        return len(self.labels)


class Grid(NamedTuple):
    """Entries ``first`` to ``first + rows * columns`` of an axis are patches of an image, row by row."""

    first: int
    rows: int
    columns: int


def numbered(count: int) -> Axis:
    """An axis of which nothing is known but its length."""
    return Axis(
        labels=tuple(str(place) for place in range(count)),
        positions=tuple(range(count)),
        spans=(None,) * count,
        words=(-1,) * count,
        special=(False,) * count,
        unit="position",
    )


@dataclass(frozen=True)
class LayerMaps:
    """The maps kept of one layer.

    heads:    numbers of the heads kept, one a map; of a mean those that it is over
    weights:  ``[heads, queries, keys]`` float32; 0 where nothing was seen or computed; of a mean one map
    visible:  bool, broadcastable to weights: the query may see the key
    computed: bool, likewise: the model computed this pair (bands and blocks leave some out)
    mean:     weights are one map, the mean over the heads
    """

    stack: str
    layer: int
    heads: tuple[int, ...]
    weights: Floats
    visible: Booleans
    computed: Booleans
    queries: Axis
    keys: Axis
    mean: bool = False

    def __post_init__(self) -> None:
        shape = (1 if self.mean else len(self.heads), len(self.queries), len(self.keys))
        if self.weights.shape != shape:
            raise ValueError(f"weights of shape {self.weights.shape} for heads, queries, keys {shape}")
        for mask in (self.visible, self.computed):
            if not _spreads(mask.shape, shape):
                raise ValueError(f"a mask of shape {mask.shape} for weights of shape {shape}")

    @property
    def name(self) -> str:
        return layer_name(self.stack, self.layer)


def _spreads(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of this shape can be broadcast to the whole (numpy's own answer takes longer)."""
    sizes = zip(reversed(shape), reversed(whole), strict=False)
    return len(shape) <= len(whole) and all(size in (1, wanted) for size, wanted in sizes)


class Layers(tuple[LayerMaps, ...]):
    """Maps of several layers, in the model's order; ``layers["cross.3"]`` finds one by its name."""

    __slots__ = ()

    @overload
    def __getitem__(self, place: SupportsIndex) -> LayerMaps: ...
    @overload
    def __getitem__(self, place: slice) -> "Layers": ...
    @overload
    def __getitem__(self, place: str) -> LayerMaps: ...

    def __getitem__(self, place: Any) -> Any:
        """Raises SelectionError for a name that is not there."""
        if isinstance(place, slice):
            return Layers(super().__getitem__(place))
        if not isinstance(place, str):
            return super().__getitem__(place)
        for maps in self:
            if maps.name == place:
                return maps
        raise SelectionError(f"no maps of layer {place} were kept: there are {_listed(self)}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(maps.name for maps in self)


class Head(NamedTuple):
    """One head of a model."""

    stack: str
    layer: int
    head: int

    @property
    def name(self) -> str:
        return head_name(*self)


@dataclass(frozen=True)
class Pairs:
    """The strongest query-key pairs of heads, a row a head, the strongest first.

    queries, keys: ``[heads, pairs]`` places on the axes of the head's stack; -1 where there are no more
    weights:       ``[heads, pairs]``; NaN where there are no more
    """

    heads: tuple[Head, ...]
    queries: Integers
    keys: Integers
    weights: Numbers


@dataclass(frozen=True)
class Statistics:
    """The statistics of every head of one sample (``attnviz.metrics``): entry i of each array is head i's.

    values:    by the statistic's name ``[heads]``: the mean over its eligible rows, NaN without any
    rows:      by name ``[heads]``: how many rows that are
    baselines: by name ``[heads]``: what a head that looks at all visible keys alike would have, over the same
               rows; "positional": the share that random heads of this shape reach
    offsets:   ``[n, 3]``: head (its place in ``heads``), key minus query of a row's largest weight, and how
               many rows; what "positional" is counted from
    evidence:  the strongest pair of each head
    """

    heads: tuple[Head, ...]
    values: Mapping[str, Numbers]
    rows: Mapping[str, Integers]
    baselines: Mapping[str, Numbers]
    offsets: Integers
    evidence: Pairs

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` with a row a head: the means, their baselines and rows, NaN where missing.

        Raises OutputError if pandas is not installed.
        """
        return frames.frame(frames.columns(self), "pandas")

    def to_polars(self) -> Any:
        """The same as a ``polars.DataFrame``. Raises OutputError if polars is not installed."""
        return frames.frame(frames.columns(self), "polars")

    def _repr_html_(self) -> str:
        return frames.statistics_html(self)


@dataclass(frozen=True)
class Capture:
    """What was seen of one sample.

    axes:       ``(queries, keys)`` of each stack, and of single layers whose axes are others
    maps:       the kept maps, a record a layer, in the model's order; ``maps["3"]`` finds one
    pooled:     maps whose neighbouring queries and keys were put together while the model ran, likewise
    means:      the mean map over all heads of each layer, likewise
    rollout:    attention rollout up to each layer of the self-attention stacks, likewise
    words:      maps of words, their sub-tokens put together while the model ran, likewise
    statistics: of every head, if they were asked for
    pairs:      the strongest pairs of every head, likewise
    notes:      what a reader of any picture made of it must know ("cut to 512 of 713 tokens")
    versions:   of what computed the weights: ``{"attnviz": ..., "torch": ...}``
    """

    model: ModelFacts
    sample: Sample
    maps: Layers = Layers()
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    axes: Mapping[str, tuple[Axis, Axis]] = field(default_factory=dict)
    pooled: Layers = Layers()
    means: Layers = Layers()
    rollout: Layers = Layers()
    words: Layers = Layers()
    statistics: Statistics | None = None
    pairs: Pairs | None = None

    def __post_init__(self) -> None:
        for name in ("maps", "pooled", "means", "rollout", "words"):
            if not isinstance(layers := getattr(self, name), Layers):
                object.__setattr__(self, name, Layers(layers))

    def __repr__(self) -> str:
        """Short: what is in it, not its numbers."""
        kept = {name: getattr(self, name) for name in ("maps", "pooled", "means", "rollout", "words")}
        parts = [f"{name} of {len(layers)} layers" for name, layers in kept.items() if layers]
        parts += [name for name in ("statistics", "pairs") if getattr(self, name) is not None]
        return f"<Capture of {self.sample.name!r} by {self.model.name}: {', '.join(parts) or 'nothing kept'}>"

    def _repr_html_(self) -> str:
        from attnviz.render.notebook import capture_html

        return capture_html(self)

    def _repr_png_(self) -> bytes | None:
        from attnviz.render.notebook import capture_png

        return capture_png(self)

    def map(self, head: str) -> Floats:
        """The weights of one head, such as "3.5": ``[queries, keys]``, rows summing to 1.

        Raises SelectionError if that head was not kept.
        """
        layer, _, number = head.rpartition(".")
        maps = next((maps for maps in self.maps if maps.name == layer), None)
        if maps is None or not number.isdecimal() or int(number) not in maps.heads:
            named = "" if layer else ' (a head is written as "3.5": layer 3, head 5)'
            raise SelectionError(f"no map of head {head} was kept{named}: there are {_heads_of(self.maps)}")
        weights: Floats = maps.weights[maps.heads.index(int(number))]
        return weights

    def save(self, file: str | Path, *, text: bool = True, force: bool = False) -> None:
        """Writes a capture file (.safetensors), to be read with ``attnviz.load``; whole or not at all.

        text:  keep what was read; without it labels are places, and only a digest tells which text it was
        force: replace a file that is no capture
        Raises OutputError if it cannot be written there.
        """
        Captures(1, lambda _: self).save(file, text=text, force=force)


class Captures(Sequence[Capture]):
    """Several samples, one at a time: each is read, or computed, when it is asked for.

    Only the last one is kept: who goes through them a second time has them read or computed again.
    """

    def __init__(self, count: int, sample: Callable[[int], Capture]) -> None:
        """count: how many there are; sample: gives the one of that number, from 0."""
        self._count = count
        self._sample = sample
        self._last: tuple[int, Capture] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: SupportsIndex) -> Capture: ...
    @overload
    def __getitem__(self, place: slice) -> "Captures": ...

    def __getitem__(self, place: Any) -> Any:
        numbers = range(self._count)[place]
        if not isinstance(numbers, int):
            return Captures(len(numbers), lambda number: self._sample(numbers[number]))
        if self._last is None or self._last[0] != numbers:
            self._last = None  # two are never kept at once
            self._last = numbers, self._sample(numbers)
        return self._last[1]

    def save(self, file: str | Path, *, text: bool = True, force: bool = False) -> None:
        """Writes all samples into one file, one at a time; else as ``Capture.save``."""
        from attnviz.stored import files  # how records become files follows from the records: it imports them

        files.write(Path(file), self, text=text, force=force)


def _heads_of(maps: Iterable[LayerMaps]) -> str:
    """The heads that were kept, by name where they are few."""
    names = [f"{layer.name}.{head}" for layer in maps for head in layer.heads]
    return ", ".join(names) or "none" if len(names) <= FEW else f"{len(names)} of layers {_listed(maps)}"


def _listed(maps: Iterable[LayerMaps]) -> str:
    return ", ".join(layer.name for layer in maps) or "none"

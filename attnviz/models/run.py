"""One pass of a model that somebody watches: what comes by is matched with what its census found."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from torch import Tensor, nn

from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.models.calls import Place
from attnviz.models.census import Census, Key
from attnviz.models.routes.base import Called, Event, own_length
from attnviz.models.routes.frames import Frames
from attnviz.models.routes.hook import hooked
from attnviz.models.routes.layouts import in_whole
from attnviz.models.routes.merged import apart
from attnviz.models.routes.softmax import watching
from attnviz.models.scratch import Scratch
from attnviz.models.sides import Over
from attnviz.models.tap import tapped
from attnviz.observe.tiles import Tile, Watch


@dataclass(frozen=True)
class Side:
    """The tokens of one side of a batch: how many with padding, and where each sample's own lie."""

    length: int
    tokens: tuple[range, ...]


@dataclass(frozen=True)
class Batch:
    """Where the tokens of each sample lie in what the model is called with.

    samples: how many there are
    read:    what the model, or its encoder, reads; None if that is no sequence of tokens
    written: what its decoder reads, in an encoder-decoder
    """

    samples: int
    read: Side | None
    written: Side | None = None

    def place(self, layer: LayerFacts, event: Event, sample: int, over: tuple[Over, Over]) -> Place:
        """Where a sample's queries and keys lie in one attention; all of it where it is not over tokens."""
        queries = _within(self._side(over[0]), event.queries, sample, event)
        keys = _within(self._side(over[1]), event.keys, sample, event)
        place = Place(sample, queries, keys)
        if not (isinstance(event, Called) and len(keys) < event.keys and event.sees_beyond(place)):
            return place
        self._check_single(layer)
        return place._replace(keys=range(event.keys))  # padding too

    def _check_single(self, layer: LayerFacts) -> None:
        if self.samples > 1:
            raise ModelError(f"layer {layer.name} attends to padding: give one sample at a time")

    def _side(self, over: Over) -> Side | None:
        return None if over is None else self.read if over == "read" else self.written


def _within(side: Side | None, length: int, sample: int, event: Event) -> range:
    """The places of a sample's tokens; all of them, where they are others than those that were given."""
    if side is None or own_length(event, length, side.length) != side.length:
        return range(length)
    return side.tokens[sample]


class Run:
    """A pass of a model over some samples, each with who looks at it."""

    def __init__(
        self,
        model: nn.Module,
        census: Census,
        batch: Batch,
        watches: Sequence[Watch],
        *,
        paths: Mapping[int, str] | None = None,
    ) -> None:
        """paths: how the model calls each of its modules, by their identity, if that is known"""
        self._name = type(model).__name__
        self._paths = paths or {id(module): name for name, module in model.named_modules()}
        self._census = census
        self._layers = census.by_key
        self._known = {(key.path, key.route) for key in self._layers}
        self._batch = batch
        self._watches = watches
        self._seen: Counter[tuple[str, str]] = Counter()
        self._scratch = Scratch()
        self.frames = Frames(model, self._paths)

    def path(self, module: nn.Module) -> str | None:
        return self._paths.get(id(module))

    def take(self, path: str, event: Event) -> Tensor | None:
        """Hand on the weights of one attention, as far as they are wanted.

        Returns its output, if that was made on the way.
        """
        outputs = [self._take(path, part) for part in apart(event, self.frames.running)]
        return outputs[0]

    def _take(self, path: str, event: Event) -> Tensor | None:
        key = Key(path, event.route, self._seen[path, event.route])
        if (path, event.route) not in self._known:
            return None
        self._seen[path, event.route] += 1
        layer = self._layer(key, event)
        wanted = [watch.wanted(layer) for watch in self._watches]
        whole = in_whole(self.frames.running, event)
        if isinstance(whole, Called) and whole.batch == 1 and wanted == [range(event.heads)]:
            both = whole.with_output(layer, self._place(layer, whole, 0), self._scratch)
            if both is not None:
                _hand_over(both[0], self._watches[0])
                return both[1]
        for sample, (heads, watch) in enumerate(zip(wanted, self._watches, strict=True)):
            if heads:
                _hand_over(self._tiles(layer, whole, heads, sample), watch)
        return None

    def _place(self, layer: LayerFacts, event: Event, sample: int) -> Place:
        return self._batch.place(layer, event, sample, self._census.over[layer])

    def _layer(self, key: Key, event: Event) -> LayerFacts:
        layer = self._layers.get(key)
        if layer is None or layer.heads != event.heads:
            found = f"{layer.heads} heads were" if layer else "no such layer was"
            raise ModelError(
                f"{key.path} of this {self._name} came by with {event.heads} heads for the "
                f"{_ordinal(key.nth)} time, where {found} found before: it cannot be captured exactly"
            )
        return layer

    def _tiles(self, layer: LayerFacts, event: Event, heads: range, sample: int) -> Iterator[Tile]:
        """The tiles of one sample; where it has several entries (images), they see nothing of each other."""
        entries, rest = divmod(event.batch, self._batch.samples)
        if rest:
            raise ModelError(
                f"layer {layer.name} of this {self._name} mixes the samples of a batch: give one at a time"
            )
        place = self._place(layer, event, sample)
        for entry in range(entries):
            for tile in event.tiles(layer, heads, place._replace(sample=sample * entries + entry)):
                yield tile if entries == 1 else _among(tile, entry, entries)

    def check_complete(self) -> None:
        """Raises ModelError unless every attention that the census found came by."""
        missing = [key for key in self._layers if self._seen[key.path, key.route] <= key.nth]
        if missing:
            raise ModelError(
                f"{len(self._layers) - len(missing)} of {len(self._layers)} attentions of this {self._name} "
                f"came by ({missing[0].path} did not): it cannot be captured exactly"
            )


def _hand_over(tiles: Iterable[Tile], watch: Watch) -> None:
    for tile in tiles:
        watch.see(tile)


def _ordinal(count: int) -> str:
    return {0: "first", 1: "second", 2: "third"}.get(count, f"{count + 1}th")


def _among(tile: Tile, entry: int, entries: int) -> Tile:
    """The tile of one of several entries, in a map that holds them all one after another."""
    queries, keys = tile.size
    return replace(
        tile,
        rows=range(tile.rows.start + entry * queries, tile.rows.stop + entry * queries),
        columns=range(tile.columns.start + entry * keys, tile.columns.stop + entry * keys),
        size=(entries * queries, entries * keys),
    )


@contextmanager
def listening(run: Run, census: Census, model: nn.Module) -> Iterator[None]:
    """Listen to what the present thread does with the model inside the block, on the routes it needs.

    Raises ModelError at the end if not every attention came by.
    """
    with tapped(run), ExitStack() as stack:
        if census.follows:
            stack.enter_context(run.frames.open())
        if "softmax" in census.routes:
            stack.enter_context(watching(run.frames, run))
        if "hook" in census.routes:
            stack.enter_context(hooked(model, run.frames, run))
        yield
    run.check_complete()

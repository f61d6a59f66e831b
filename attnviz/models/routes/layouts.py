"""Where the numbers of an attention belong: heads, queries and keys found, bands and windows put back.

Modules hand out weights in the layout that their arithmetic has: heads beside the queries, keys counted from
the query on (bands), windows of an image as if they were samples. A tile has token coordinates.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from attnviz.facts import LayerFacts
from attnviz.models.calls import Place
from attnviz.models.routes.base import Around, Event
from attnviz.models.routes.frames import Frame
from attnviz.models.routes.given import Given
from attnviz.observe.tiles import Tile


def by_heads(frames: Sequence[Frame], weights: Tensor) -> tuple[Tensor, Tensor | None] | None:
    """Weights as ``[batch, heads, queries, places]``, and the key of each place (None: place i is key i).

    frames: what runs, from the module outwards; the first that says how many heads it has is believed
    None if the weights have no such axes.
    """
    heads = next((heads for frame in frames if (heads := frame.heads)), None)
    if weights.ndim == 3:
        return _folded(weights, heads)
    if weights.ndim == 5:
        return _fivefold(type(frames[0].module).__name__, weights, heads)
    if weights.ndim != 4:
        return None
    swapped = heads is not None and heads != weights.shape[1] and heads == weights.shape[2]
    return (weights.transpose(1, 2) if swapped else weights), None


def _fivefold(module: str, weights: Tensor, heads: int | None) -> tuple[Tensor, Tensor | None] | None:
    """Weights with an axis more: what it is differs; windows and streams attend each by themselves."""
    if module == "PegasusXGlobalLocalAttention":
        return _after_globals(weights)
    if module == "ProphetNetNgramSelfAttention":
        return _after_main(weights)
    if "Deformable" in module:  # [batch, queries, heads, levels, points]
        return weights.flatten(3).transpose(1, 2), None
    if heads == weights.shape[1]:  # [batch, heads, windows, queries, keys]
        return weights.transpose(1, 2).flatten(0, 1), None
    if heads == weights.shape[2]:  # [batch, streams, heads, queries, keys]
        return weights.flatten(0, 1), None
    return None


def _folded(weights: Tensor, heads: int | None) -> tuple[Tensor, None] | None:
    """``[batch * heads, queries, keys]``, the heads of a sample side by side."""
    if heads is None or weights.shape[0] % heads:
        return None
    return weights.reshape(-1, heads, *weights.shape[1:]), None


def _after_globals(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Pegasus-X: ``[batch, heads, blocks, queries, others + queries]``: global keys, then its own."""
    blocks, queries, places = weights.shape[2:]
    others = places - queries
    place = torch.arange(places, device=weights.device)
    first = torch.arange(blocks, device=weights.device)[:, None, None] * queries
    columns = torch.where(place < others, place, place + first).expand(blocks, queries, places)
    return weights.flatten(2, 3), columns.flatten(0, 1)


def _after_main(weights: Tensor) -> tuple[Tensor, Tensor]:
    """ProphetNet: ``[batch, streams, heads, queries, 2 * queries]``: main keys, then its own."""
    streams, _, queries, places = weights.shape[1:]
    place = torch.arange(places, device=weights.device)
    stream = torch.arange(streams, device=weights.device)[:, None, None]
    columns = torch.where(place < queries, place, place + stream * queries).expand(streams, queries, places)
    return weights.transpose(1, 2).flatten(2, 3), columns.flatten(0, 1)


def arranged(
    frames: Sequence[Frame], returned: Sequence[Tensor], numbers: Sequence[Tensor] = ()
) -> list[Given]:
    """The attentions that a module returned.

    frames:  what runs, the module innermost (last)
    numbers: what it returned besides
    """
    name = type(frames[-1].module).__name__
    if name == "LSHSelfAttention":
        return _hashed(frames[-1], returned[0], numbers)
    layout = LAYOUTS.get(name)
    if layout is not None and (given := layout(frames[-1], returned)) is not None:
        return [given]
    found = (by_heads(list(reversed(frames))[:3], weights) for weights in returned)
    return [given_of("hook", *entry) for entry in found if entry is not None]


def given_of(route: str, weights: Tensor, columns: Tensor | None, scores: Tensor | None = None) -> Given:
    across = weights.shape[-1] if columns is None else int(columns.max()) + 1
    return Given(route, weights, across, scores=scores, columns=columns)


# Bands and blocks


def _band(frame: Frame, returned: Sequence[Tensor]) -> Given | None:
    """Longformer: ``[batch, queries, heads, globals + window]``, and all that the global tokens see."""
    weights, *whole = returned
    if weights.ndim != 4:
        return None
    module: Any = frame.module
    reach, count = int(module.one_sided_attn_window_size), weights.shape[1]
    place = torch.arange(-reach, reach + 1, device=weights.device)
    keys = torch.arange(count, device=weights.device)[:, None] + place
    keys = torch.where((keys >= 0) & (keys < count), keys, -1)
    first = weights.shape[-1] - keys.shape[-1]
    globally = _global_tokens(frame) if first else keys.new_zeros(0)
    columns = torch.cat([globally.expand(count, -1), keys], -1)
    rows = {int(row): whole[0][0, :, place] for place, row in enumerate(globally)} if whole else {}
    return Given("hook", weights.transpose(1, 2), count, columns=columns, whole=rows)


def _global_tokens(frame: Frame) -> Tensor:
    """The numbers of the tokens that all see and that see all, of the only sample."""
    flags = frame.options["is_index_global_attn"]
    return torch.nonzero(flags[0])[:, 0]


def _sparse(frame: Frame, returned: Sequence[Tensor]) -> Given | None:
    """BigBird: put back into all pairs by the module itself; those that were not computed are exactly 0.

    Outside training its random blocks are all the first one, which rows then see several times alike;
    what the module returns holds that weight once.
    """
    module: Any = frame.module
    block, weights = int(module.block_size), returned[0].clone()
    weights[:, :, block:-block, :block] *= 1 + module.num_random_blocks
    return Given("hook", weights, weights.shape[-1], holes=True)


def _chunks(frame: Frame, returned: Sequence[Tensor]) -> Given | None:
    """Reformer: ``[batch, heads, chunks, queries, keys]``: a chunk and its neighbours, in a ring."""
    (weights,) = returned
    if weights.ndim != 5:
        return None
    columns = _beside(frame, weights)
    return Given("hook", weights.flatten(2, 3), len(columns), columns=columns)


def _beside(frame: Frame, weights: Tensor) -> Tensor:
    """Which key each place of each row of Reformer's chunks is, ``[chunks * queries, places]``."""
    module: Any = frame.module
    chunks, queries, places = weights.shape[2:]
    chunk = torch.arange(chunks, device=weights.device)[:, None, None]
    place = torch.arange(places, device=weights.device)
    beside = (chunk - int(module.num_chunks_before) + place // queries) % chunks
    return (beside * queries + place % queries).expand(chunks, queries, places).flatten(0, 1)


def _hashed(frame: Frame, weights: Tensor, numbers: Sequence[Tensor]) -> list[Given]:
    """Reformer's other layers: chunks of the tokens in the order of their buckets, each head's its own.

    A short text is no chunks. Nothing is made of several rounds of hashing: their shares are not returned.
    """
    if weights.ndim == 4:
        return [Given("hook", weights, weights.shape[-1])]
    buckets = next((entry[0] for entry in numbers if entry.ndim == 4), None)  # [heads, rounds, tokens]
    if buckets is None or buckets.shape[1] != 1 or weights.shape[0] != 1:
        return []
    order = torch.argsort(buckets[:, 0], dim=-1, stable=True)
    back = torch.argsort(order, dim=-1)
    columns = order[:, _beside(frame, weights)]  # [heads, rows in this order, places]
    rows = back[..., None].expand(columns.shape)
    weights = weights.flatten(2, 3).gather(2, rows[None])
    return [Given("hook", weights, order.shape[-1], columns=columns.gather(1, rows))]


def _neighbours(frame: Frame, returned: Sequence[Tensor]) -> Given | None:
    """LongT5: ``[batch, blocks, heads, queries, keys]``: of a block, its neighbours and the summaries."""
    del frame
    (weights,) = returned
    if weights.ndim != 5:
        return None
    _, blocks, _, queries, places = weights.shape
    count = blocks * queries
    block = torch.arange(blocks, device=weights.device)[:, None, None]
    place = torch.arange(places, device=weights.device)
    near = (block - 1) * queries + place
    near = torch.where((near >= 0) & (near < count), near, -1)
    columns = torch.where(place < 3 * queries, near, count + place - 3 * queries)
    across = count + max(0, places - 3 * queries)
    rows = columns.expand(blocks, queries, places).flatten(0, 1)
    return Given("hook", weights.transpose(1, 2).flatten(2, 3), across, columns=rows)


LAYOUTS: dict[str, Callable[[Frame, Sequence[Tensor]], Given | None]] = {
    "LongformerSelfAttention": _band,
    "LEDEncoderSelfAttention": _band,
    "BigBirdBlockSparseAttention": _sparse,
    "BigBirdPegasusBlockSparseAttention": _sparse,
    "LocalSelfAttention": _chunks,
    "LongT5LocalAttention": _neighbours,
    "LongT5TransientGlobalAttention": _neighbours,
}
"""Modules whose weights lie in a layout of their own, as they return them."""


# Windows over an image


@dataclass(frozen=True)
class Windows(Around):
    """An attention within windows of an image, each an entry of its batch, as one of the whole image.

    Where windows stand over its edge, that padding is attended to, and shown.
    places: which patch of the image each place of a window is: ``[windows, places]``
    """

    places: Tensor

    @property
    def batch(self) -> int:
        return self.inner.batch // self.places.shape[0]

    @property
    def queries(self) -> int:
        return self.places.numel()

    @property
    def keys(self) -> int:
        return self.places.numel()

    def tiles(self, layer: LayerFacts, heads: range, place: Place) -> Iterator[Tile]:
        """The weights of some heads of one image, some rows at a time; only windows are computed."""
        pairs = self._pairs(layer, heads, place.sample)
        weights, visible = (tensor[:, self._window, self._row] for tensor in pairs)
        whole = Given(
            self.route, weights[None], self.keys, columns=self.places[self._window], seen=visible[None]
        )
        for tile in whole.tiles(layer, range(len(heads)), place._replace(sample=0)):
            yield _renumbered(tile, heads)

    @property
    def _window(self) -> Tensor:
        """The window of each token."""
        return self._order // self.places.shape[1]

    @property
    def _row(self) -> Tensor:
        """The place of each token in its window."""
        return self._order % self.places.shape[1]

    @property
    def _order(self) -> Tensor:
        return torch.argsort(self.places.flatten())

    def _pairs(self, layer: LayerFacts, heads: range, image: int) -> tuple[Tensor, Tensor]:
        """Weights, and what may be seen, of all windows: ``[heads, windows, places, places]``."""
        windows, places = self.places.shape
        weights = torch.zeros(len(heads), windows, places, places, device=self.places.device)
        visible = torch.zeros_like(weights, dtype=torch.bool)
        for window in range(windows):
            entry = Place(image * windows + window, range(places), range(places))
            for tile in self.inner.tiles(layer, heads, entry):
                part = (
                    slice(tile.heads.start - heads.start, tile.heads.stop - heads.start),
                    window,
                    slice(tile.rows.start, tile.rows.stop),
                    slice(tile.columns.start, tile.columns.stop),
                )
                weights[part] = tile.weights
                visible[part] = tile.visible
        return weights, visible


def _renumbered(tile: Tile, heads: range) -> Tile:
    return replace(tile, heads=heads[tile.heads.start : tile.heads.stop])


def in_whole(frames: Sequence[Frame], event: Event) -> Event:
    """The attention in the coordinates of the whole image, where it is one within shifted windows (Swin)."""
    if not frames:
        return event
    shifted = (frame for frame in reversed(frames[-5:]) if hasattr(frame.module, "shift_size"))
    frame = next(shifted, None)
    if frame is None or event.queries != event.keys:
        return event
    places = _window_places(frame)
    if places is None or places.shape[1] != event.queries or event.batch % places.shape[0]:
        return event
    return Windows(event, places)


def _window_places(frame: Frame) -> Tensor | None:
    """Which patch each place of each window is: ``[windows, places]``.

    The image is padded to whole windows below and to the right, then rolled up and to the left by the shift.
    Its padding is numbered too, row by row with the patches: it is attended to like them.
    """
    module: Any = frame.module
    size = frame.options.get("input_dimensions", frame.arguments[1] if len(frame.arguments) > 1 else None)
    if not isinstance(size, tuple | list) or len(size) != 2:
        return None
    height, width = (int(side) for side in size)
    window, shift = (_side(getattr(module, name)) for name in ("window_size", "shift_size"))
    down, right = -height % window, -width % window
    height, width = height + down, width + right
    tokens = torch.arange(height * width).view(height, width).roll((-shift, -shift), (0, 1))
    rows, columns = tokens.shape[0] // window, tokens.shape[1] // window
    return tokens.view(rows, window, columns, window).transpose(1, 2).reshape(-1, window * window)


def _side(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple | list) else size)

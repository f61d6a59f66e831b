"""What a model hands to its attention function, and the weights of some heads and rows of it.

The weights are computed by the model's own eager attention, a few query rows at a time, so that soft caps,
sinks, position biases and whatever else a model does to its scores are all in them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from attnviz.captures import LayerFacts
from attnviz.errors import ModelError
from attnviz.observe.tiles import Tile

CELLS = 2**20  # of a tile: 4 MB of weights, a few times that while they are computed
ROWS = 64  # of a tile, where that takes fewer heads

Eager = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class AttentionCall:
    """One call of a model's attention.

    module:  the attention layer
    eager:   its own function of plain matrix products, which returns output and weights
    query:   ``[batch, heads, queries, head_dim]``
    key:     ``[batch, key_heads, keys, head_dim]``: a key head serves a group of heads
    value:   ``[batch, key_heads, keys, value_dim]``
    mask:    broadcastable to ``[batch, heads, queries, keys]``: bool, True where the key may be seen, or
             numbers added to the scores
    causal:  there is no mask because each query may see the keys up to its own
    options: the other arguments (scaling, soft cap, ...)
    first:   number of its first head, where it was cut to some
    """

    module: nn.Module
    eager: Eager
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    causal: bool
    options: Mapping[str, Any]
    first: int = 0

    @property
    def heads(self) -> int:
        return self.query.shape[1]

    @property
    def queries(self) -> int:
        return self.query.shape[2]

    @property
    def keys(self) -> int:
        return self.key.shape[2]

    @property
    def has_sink(self) -> bool:
        """Whether the softmax has a place of its own that takes weight from the keys."""
        return any(
            self.options.get(name, getattr(self.module, name, None)) is not None
            for name in ("sinks", "s_aux")
        )


class Place(NamedTuple):
    """Where one sample's queries and keys lie in the tensors of a batch: around them is padding."""

    sample: int
    queries: range
    keys: range


def tiles(call: AttentionCall, layer: LayerFacts, heads: range, place: Place) -> Iterator[Tile]:
    """The weights of the heads asked for, of one sample, a few heads and rows at a time.

    Raises ModelError if the model's own function returns no such weights, or no distributions.
    """
    whole = _in_single_precision(_of_sample(call, place.sample))
    for some in _batches(whole, heads):
        part = _with_heads(whole, some)
        step = max(1, CELLS // (part.heads * part.keys))
        for start in range(place.queries.start, place.queries.stop, step):
            rows = slice(start, min(start + step, place.queries.stop))
            tile = _tile(part, layer, some, rows, place)
            _check_sums(tile)
            yield tile


def _tile(call: AttentionCall, layer: LayerFacts, heads: range, rows: slice, place: Place) -> Tile:
    """Some rows of some heads, which are among those of the call, without the keys that are padding."""
    kept, columns = slice(heads.start - call.first, heads.stop - call.first), _slice(place.keys)
    visible = _visible(call, rows)
    weights = _weights(call, rows, visible)[0, kept, :, columns]
    shown = visible[0] if visible.shape[1] == 1 else visible[0, kept]
    first = rows.start - place.queries.start
    return Tile(
        layer=layer,
        heads=heads,
        rows=range(first, first + weights.shape[1]),
        columns=range(len(place.keys)),
        size=(len(place.queries), len(place.keys)),
        weights=weights,
        visible=shown if shown.shape[-1] == 1 else shown[..., columns],
        computed=visible.new_ones(1, 1, 1),
        sink=call.has_sink,
    )


def _slice(numbers: range) -> slice:
    return slice(numbers.start, numbers.stop)


def _of_sample(call: AttentionCall, sample: int) -> AttentionCall:
    """The call of one sample of the batch."""

    def own(tensor: Tensor | None) -> Tensor | None:
        return tensor[sample : sample + 1] if tensor is not None and tensor.shape[0] > 1 else tensor

    batch = slice(sample, sample + 1)
    bias = own(call.options.get("position_bias"))
    return replace(
        call,
        query=call.query[batch],
        key=call.key[batch],
        value=call.value[batch],
        mask=own(call.mask),
        options=call.options if bias is None else {**call.options, "position_bias": bias},
    )


def _batches(call: AttentionCall, heads: range) -> Iterator[range]:
    """The heads a few at a time, so that even a tile of a long text has rows enough to be worth its while."""
    group = max(1, call.heads // call.key.shape[1])
    most = len(heads) if _reads_tensors(call) else max(1, CELLS // (ROWS * call.keys))
    step = -(-most // group) * group
    for start in range(heads.start, heads.stop, step):
        yield range(start, min(start + step, heads.stop))


def _in_single_precision(call: AttentionCall) -> AttentionCall:
    """The call with half-precision numbers widened, so that its scores and their softmax are float32."""
    if call.query.dtype not in (torch.float16, torch.bfloat16):
        return call
    return replace(call, query=call.query.float(), key=call.key.float())


def _with_heads(call: AttentionCall, heads: range) -> AttentionCall:
    """The call cut to as few heads as hold those asked for.

    Heads that share a key head stay together. Where the function reads tensors of its module that
    belong to all heads (sinks), nothing is cut.
    """
    group, rest = divmod(call.heads, call.key.shape[1])
    if rest or _reads_tensors(call):
        return call
    shared = slice(heads.start // group, -(-heads.stop // group))
    own = slice(shared.start * group, shared.stop * group)
    return replace(
        call,
        first=own.start,
        query=call.query[:, own],
        key=call.key[:, shared],
        value=call.value[:, shared],
        mask=_cut_heads(call.mask, own),
        options={**call.options, "position_bias": _cut_heads(call.options.get("position_bias"), own)},
    )


def _reads_tensors(call: AttentionCall) -> bool:
    """Whether the function uses parameters of its module, going by the names in its code."""
    names = getattr(getattr(call.eager, "__code__", None), "co_names", ())
    return any(isinstance(getattr(call.module, name, None), Tensor) for name in names)


def _cut_heads(scores: Tensor | None, heads: slice) -> Tensor | None:
    return scores if scores is None or scores.shape[1] == 1 else scores[:, heads]


def _cut_rows(scores: Tensor, rows: slice, keys: int) -> Tensor:
    """Rows of something shaped like the scores; what is longer than the keys (a static cache) is cut."""
    return (scores if scores.shape[-2] == 1 else scores[..., rows, :])[..., :keys]


def _visible(call: AttentionCall, rows: slice) -> Tensor:
    """Which keys the rows may see: bool, broadcastable to their weights."""
    if call.mask is not None:
        mask = _cut_rows(call.mask, rows, call.keys)
        return mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
    device = call.query.device
    if not call.causal:
        return torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device)
    queries = torch.arange(rows.start, rows.stop, device=device)
    return (queries[:, None] >= torch.arange(call.keys, device=device))[None, None]


def _added(call: AttentionCall, rows: slice, visible: Tensor) -> Tensor | None:
    """What the rows' scores have added to them, in the form that eager functions take."""
    if call.mask is not None and call.mask.dtype != torch.bool:
        return _cut_rows(call.mask, rows, call.keys)
    if call.mask is None and not call.causal:
        return None
    nothing = torch.zeros((), dtype=call.query.dtype, device=call.query.device)
    return torch.where(visible, nothing, torch.finfo(call.query.dtype).min)


def _weights(call: AttentionCall, rows: slice, visible: Tensor) -> Tensor:
    """The weights of all heads of the call for some rows, by the model's own function.

    Rows that may see nothing get zeros. The values are cut to width 0: only the weights are wanted.
    """
    options = dict(call.options)
    bias = options.pop("position_bias", None)
    if bias is not None:
        options["position_bias"] = _cut_rows(bias, rows, call.keys)
    query, no_values = call.query[:, :, rows], call.value[..., :0].to(call.query.dtype)
    added = _added(call, rows, visible)
    _, weights = call.eager(call.module, query, call.key, no_values, added, **options)
    shape = (*query.shape[:3], call.keys)
    if weights.shape != shape:
        raise ModelError(
            f"{type(call.module).__name__} gives attention weights of shape {list(weights.shape)} "
            f"where {list(shape)} are needed: this model cannot be captured exactly"
        )
    return weights.masked_fill(~visible.any(-1, keepdim=True), 0)


def _check_sums(tile: Tile) -> None:
    """Rows must sum to 1, or to less where a sink takes the rest, or to 0 where there is nothing to see."""
    sums = tile.weights.sum(-1)
    sees = tile.visible.any(-1)
    wrong = ~((sums - 1).abs() < 1e-3) & sees
    if tile.sink:
        wrong &= ~((sums >= 0) & (sums < 1 + 1e-3))
    if not wrong.any():
        return
    head, row = (int(i) for i in wrong.nonzero()[0])
    raise ModelError(
        f"the weights of layer {tile.layer.name}, head {tile.heads[head]} do not sum to 1 but to "
        f"{float(sums[head, row]):g} (token {tile.rows[row]}): this model cannot be captured exactly"
        " in this precision"
    )

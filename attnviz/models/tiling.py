"""From a model's call of its attention to tiles: the weights of some heads, a few heads and rows at a time.

They are computed by the model's own eager function on a few query rows, so that whatever a model does to its
scores is in them; or, where that was found to be the same, by the textbook's formula in place (``textbook``),
which also gives the layer's output on the way.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.models import calls, textbook
from attnviz.models.calls import AttentionCall, Block, Place
from attnviz.models.scratch import Scratch
from attnviz.observe.tiles import Tile

CELLS = {"cpu": 2**19}  # of a tile: what stays in a processor's cache
CELLS_ELSEWHERE = 2**26  # on a GPU, which wants much at once
ROWS = 128  # of a tile of a long text

CLOSE = 5e-6  # two ways of computing the same weights differ by less


@dataclass(frozen=True)
class Taking:
    """How the weights of one call are taken.

    call:       of one sample, in single precision
    by_formula: the textbook's is found to be its own
    sink:       something takes weight from the keys
    output:     ``[queries, heads, value_dim]``, to be filled with what the layer reads; None if that is not
                needed
    """

    call: AttentionCall
    layer: LayerFacts
    place: Place
    scratch: Scratch
    by_formula: bool
    sink: bool
    output: Tensor | None = None


def tiles(call: AttentionCall, layer: LayerFacts, heads: range, place: Place) -> Iterator[Tile]:
    """The weights of the heads asked for, of one sample, a few heads and rows at a time.

    Raises ModelError if the model's own function returns no such weights, or no distributions.
    """
    whole = calls.in_single_precision(calls.of_sample(call, place.sample))
    taking = Taking(whole, layer, place, Scratch(), is_textbook(whole), whole.sinks is not None)
    return _tiles(taking, heads)


def tiles_and_output(
    call: AttentionCall, layer: LayerFacts, place: Place, scratch: Scratch
) -> tuple[Iterator[Tile], Tensor] | None:
    """The weights of all heads, and the output ``[1, queries, heads, value_dim]``, complete after the last.

    None where the output had better be the model's own: in half precision, on a GPU, where it pads, where its
    function is not the textbook's, and where a row that may see nothing reads the mean of all values (what
    torch makes of a mask's lowest numbers).
    """
    query = call.query
    elsewhere = query.dtype != torch.float32 or query.device.type != "cpu"
    if elsewhere or query.shape[0] != 1 or len(place.queries) != call.queries:
        return None
    whole = calls.in_single_precision(call)
    if calls.hides_rows_by_numbers(call) or not is_textbook(whole):
        return None
    taking = Taking(whole, layer, place, scratch, True, whole.sinks is not None)
    if call.heads * call.queries * call.keys <= CELLS["cpu"] and (both := _at_once(taking)) is not None:
        return both
    output = query.new_empty(1, call.queries, call.heads, call.value.shape[-1])
    return _tiles(replace(taking, output=output[0]), range(call.heads)), output


def _at_once(taking: Taking) -> tuple[Iterator[Tile], Tensor] | None:
    """The only tile of a short call, and its output, both by the model's own function in one go.

    For a sentence the products take little and each step around them much. None where a row may see nothing.
    """
    call = taking.call
    (block,) = calls.blocks(call, range(call.queries), call.queries)
    if block.blind is not None or len(block.columns) < call.keys:
        return None
    output, weights = call.eager(
        call.module, call.query, call.key, call.value, _added(call, block), **call.options
    )
    tile = _tile(taking, range(call.heads), block, weights[0], None, lasting=True)
    check_sums(tile)
    return iter((tile,)), output


def _tiles(taking: Taking, heads: range) -> Iterator[Tile]:
    call = calls.side_by_side(taking.call) if taking.by_formula else taking.call
    cells = CELLS.get(call.query.device.type, CELLS_ELSEWHERE)
    rows = taking.place.queries
    step = len(rows) if len(heads) * len(rows) * call.keys <= cells else _rows(cells, call.keys)
    for block in calls.blocks(call, rows, step):
        most = cells // (len(block.rows) * len(block.columns))
        for some in _batches(call, heads, most, split=taking.by_formula):
            if taking.by_formula:
                weights, scores = textbook.weights(call, some, block, taking.scratch)
                if taking.output is not None:
                    textbook.attended(call, some, block, weights, taking.output)
                tile = _tile(taking, some, block, weights, scores)
            else:
                tile = _tile(taking, some, block, own_weights(call, some, block), None)
            check_sums(tile)
            yield tile


def _rows(cells: int, keys: int) -> int:
    """Rows of a tile: as many as fit of one head, but enough to be worth the while."""
    return max(ROWS // 2, min(ROWS, cells // keys))


def _batches(call: AttentionCall, heads: range, most: int, *, split: bool) -> Iterator[range]:
    """The heads, at most so many at a time.

    split: a group that shares a key head may be taken apart; else it stays together, and where the function
           reads tensors of all heads, all do
    """
    if split and most >= len(heads) == call.heads:
        yield heads
        return
    if not split:
        most = len(heads) if calls.reads_tensors(call) else max(call.group, most)
    aligned = heads.start % call.group == 0 and heads.stop % call.group == 0
    step = (
        most // call.group * call.group if aligned and most >= call.group else min(call.group, max(1, most))
    )
    start = heads.start
    while start < heads.stop:
        boundary = start - start % call.group + max(step, call.group)
        yield range(start, min(start + step, boundary, heads.stop))
        start = min(start + step, boundary, heads.stop)


def _tile(
    taking: Taking,
    heads: range,
    block: Block,
    weights: Tensor,
    scores: Tensor | None,
    *,
    lasting: bool = False,
) -> Tile:
    """The tile of a block, without the keys that are padding. lasting: its weights are of new memory."""
    place, visible = taking.place, block.visible
    columns = range(max(block.columns.start, place.keys.start), min(block.columns.stop, place.keys.stop))
    if columns != block.columns:
        kept = slice(columns.start - block.columns.start, columns.stop - block.columns.start)
        weights, scores = weights[..., kept], None if scores is None else scores[..., kept]
        visible = visible if visible.shape[-1] == 1 else visible[..., kept]
    first, left = place.queries.start, place.keys.start
    return Tile(
        layer=taking.layer,
        heads=heads,
        rows=range(block.rows.start - first, block.rows.stop - first),
        columns=range(columns.start - left, columns.stop - left),
        size=(len(place.queries), len(place.keys)),
        weights=weights,
        visible=calls.of_heads(visible, heads),
        computed=calls.everything(taking.call.query.device),
        scores=scores,
        sink=taking.sink,
        lasting=lasting,
        vectors=partial(textbook.vectors, taking.call, block.rows, columns),
    )


def own_weights(call: AttentionCall, heads: range, block: Block) -> Tensor:
    """The weights of a block ``[heads, rows, columns]`` by the model's own function.

    Rows that may see nothing get zeros. The values are cut to width 0: only the weights are wanted.
    """
    part = calls.with_heads(call, heads)
    rows = slice(block.rows.start, block.rows.stop)
    options = dict(part.options)
    if part.bias is not None:
        options["position_bias"] = calls.cut_rows(part.bias, rows, call.keys)
    options |= _sinks_of_rows(part, rows)
    query, no_values = part.query[:, :, rows], part.value[..., :0].to(part.query.dtype)
    _, weights = part.eager(part.module, query, part.key, no_values, _added(part, block), **options)
    shape = (*query.shape[:3], call.keys)
    if weights.shape != shape:
        raise ModelError(
            f"{type(call.module).__name__} gives attention weights of shape {list(weights.shape)} "
            f"where {list(shape)} are needed: this model cannot be captured exactly"
        )
    kept = slice(heads.start - part.first, heads.stop - part.first)
    seen: Tensor = weights[0, kept, :, block.columns.start : block.columns.stop].float()
    return seen if block.blind is None else seen.masked_fill(calls.of_heads(block.blind, heads), 0)


def _sinks_of_rows(call: AttentionCall, rows: slice) -> dict[str, Tensor]:
    """The sinks of some rows and the call's own heads, where each row has sinks of its own."""
    sinks = {name: call.options.get(name) for name in ("sinks", "s_aux")}
    heads = slice(call.first, call.first + call.heads)
    return {
        name: sink[:, heads, rows]
        for name, sink in sinks.items()
        if isinstance(sink, Tensor) and sink.ndim == 4 and sink.shape[2] == call.queries
    }


def _added(call: AttentionCall, block: Block) -> Tensor | None:
    """What the rows' scores have added to them, in the form that eager functions take: all keys."""
    rows = slice(block.rows.start, block.rows.stop)
    if call.mask is None and not call.causal:
        return None
    if call.mask is not None and call.mask.dtype != torch.bool:
        return calls.cut_rows(call.mask, rows, call.keys)
    lowest = torch.finfo(call.query.dtype).min
    added = torch.full(
        (1, *block.visible.shape[:2], call.keys), lowest, dtype=call.query.dtype, device=call.query.device
    )
    added[..., block.columns.start : block.columns.stop].masked_fill_(block.visible, 0)
    return added


_verdicts: "WeakKeyDictionary[nn.Module, dict[tuple[object, ...], bool]]" = WeakKeyDictionary()


def is_textbook(call: AttentionCall) -> bool:
    """Whether the module's own function computes the textbook's weights for a call of one sample.

    Found out by computing some rows both ways, once for each module and kind of call.
    """
    kind = (
        *(name for name, value in call.options.items() if value is not None),
        None if call.mask is None else call.mask.dtype,
        call.causal,
        call.query.dtype,
    )
    known = _verdicts.get(call.module)
    if known is None:
        known = _verdicts[call.module] = {}
    if kind not in known:
        known[kind] = _can_be_textbook(call) and _same_both_ways(call)
    return known[kind]


def _can_be_textbook(call: AttentionCall) -> bool:
    """Whether the formula has everything that it needs; a sink a head, a key head for each group."""
    plain = call.heads % call.key.shape[1] == 0 and call.query.shape[-1] == call.key.shape[-1]
    return (
        plain
        and call.query.dtype == torch.float32
        and (call.sinks is None or call.sinks.numel() == call.heads)
    )


def _same_both_ways(call: AttentionCall) -> bool:
    """Whether the middle rows and the last ones come out the same."""
    heads, last = range(call.heads), call.queries
    for start in {max(0, last // 2 - 1), max(0, last - 2)}:
        for block in calls.blocks(call, range(start, min(start + 2, last)), 2):
            by_formula, _ = textbook.weights(call, heads, block, Scratch())
            if not bool((by_formula - own_weights(call, heads, block)).abs().max() < CLOSE):
                return False
    return True


def check_sums(tile: Tile, tolerance: float = 1e-3) -> None:
    """Rows must sum to 1, or to less where a sink takes the rest, or to 0 where there is nothing to see.

    Raises ModelError for others, and for weights that are no numbers.
    """
    total, rows = float(tile.weights.sum()), tile.weights.shape[0] * tile.weights.shape[1]
    if math.isfinite(total) and abs(total - rows) < 1e-4 * rows:  # mostly: one number tells
        return
    sums = tile.weights.sum(-1)
    sees = tile.visible.any(-1)
    wrong = ~((sums - 1).abs() < tolerance) & sees
    if tile.sink:
        wrong &= ~((sums >= 0) & (sums < 1 + tolerance))
    if not wrong.any():
        return
    head, row = (int(i) for i in wrong.nonzero()[0])
    which = f"layer {tile.layer.name}, head {tile.heads[head]}"
    if not torch.isfinite(sums[head, row]):
        raise ModelError(
            f"{which} has weights that are no numbers (token {tile.rows[row]}): its scores are infinite or "
            "undefined; float16 overflows, where that is its format try --dtype bfloat16 or float32"
        )
    raise ModelError(
        f"the weights of {which} do not sum to 1 but to {float(sums[head, row]):g} "
        f"(token {tile.rows[row]}): this model cannot be captured exactly in this precision"
    )

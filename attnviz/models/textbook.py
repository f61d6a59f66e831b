"""The weights of an attention call by the formula of the textbook, in place and with nothing kept.

softmax(scaling * query key^T) over the visible keys, in float32 (Vaswani et al. 2017, 3.2.1), with what
models add to it: a soft cap (Gemma 2: cap * tanh(scores / cap)), position biases (T5, ALiBi), and sinks
(gpt-oss: one more score in the softmax, that belongs to no key). Whether that is what a model's own function
computes is found out by comparing (see ``tiling``).
"""

import torch
from torch import Tensor

from attnviz.models.calls import AttentionCall, Block, cut, of_heads
from attnviz.models.scratch import Scratch
from attnviz.observe.tiles import Vectors

FAR = -1e30  # a score of what may not be seen: finite, so that 0 times it is 0


def weights(call: AttentionCall, heads: range, block: Block, scratch: Scratch) -> tuple[Tensor, Tensor]:
    """Weights and scores of some heads of a call of one sample, ``[heads, rows, columns]`` each.

    heads: either within one group that shares a key head, or whole groups
    Rows that may see nothing get zeros. Both live in the scratch.
    """
    shape = (len(heads), len(block.rows), len(block.columns))
    scores = scratch.take("scores", shape, call.query.device)
    made = scratch.take("weights", shape, call.query.device)
    _score(call, heads, block, scores)
    torch.softmax(scores, -1, out=made)
    if block.blind is not None:
        made.masked_fill_(of_heads(block.blind, heads), 0)
    if call.sinks is not None:
        made.mul_(_left_by_sinks(call, heads, scores, made))
    return made, scores


def attended(call: AttentionCall, heads: range, block: Block, weights: Tensor, output: Tensor) -> None:
    """Write what the rows read with these weights into the output ``[queries, heads, value_dim]``."""
    value = cut(_keys_of(call.value, call, heads), 1, block.columns)
    if call.group > 1:
        weights = weights.view(len(value), -1, len(block.columns))
    read = torch.bmm(weights, value)
    if call.group > 1:
        read = read.view(len(heads), len(block.rows), -1)
    cut(cut(output, 0, block.rows), 1, heads).copy_(read.transpose(0, 1))


def vectors(call: AttentionCall, rows: range, columns: range, head: int) -> Vectors | None:
    """What the formula makes the weights of a head of, in a call of one sample.

    None where queries and keys are of different sizes, or heads share keys unevenly.
    """
    if call.heads % call.key.shape[1] or call.query.shape[-1] != call.key.shape[-1]:
        return None
    one, shared = range(head, head + 1), head // call.group
    added = [_part(each, one, rows, columns)[0].float() for each in _added(call)]
    return Vectors(
        query=cut(call.query[0, head], 0, rows).float(),
        key=cut(call.key[0, shared], 0, columns).float(),
        value=cut(call.value[0, shared], 0, columns).float(),
        scale=_scaling(call),
        cap=call.options.get("softcap"),
        bias=sum(added[1:], added[0]).expand(len(rows), len(columns)) if added else None,
        sink=_sink(call, head),
    )


def _added(call: AttentionCall) -> list[Tensor]:
    """What is added to the scores: position biases, and masks that are numbers."""
    return [each for each in (call.bias, call.mask) if each is not None and each.dtype != torch.bool]


def _sink(call: AttentionCall, head: int) -> float | None:
    """The score of a head's sink; None without one, or where each row has its own."""
    sinks = call.sinks
    return (
        float(sinks.detach().reshape(-1)[head]) if sinks is not None and sinks.numel() == call.heads else None
    )


def _score(call: AttentionCall, heads: range, block: Block, scores: Tensor) -> None:
    rows, columns = block.rows, block.columns
    key = cut(_keys_of(call.key, call, heads), 1, columns)
    query, grouped = cut(cut(call.query[0], 0, heads), 1, rows), scores
    if call.group > 1:  # the rows of heads that share a key head are those of one
        query = query.reshape(len(key), -1, query.shape[-1])
        grouped = scores.view(len(key), -1, len(columns))
    torch.baddbmm(grouped, query, key.mT, beta=0, alpha=_scaling(call), out=grouped)
    cap = call.options.get("softcap")
    if cap is not None:
        scores.div_(cap).tanh_().mul_(cap)
    for added in _added(call):
        scores.add_(_part(added, heads, rows, columns))
    if block.hidden is not None:
        scores[..., block.hidden_from :].masked_fill_(of_heads(block.hidden, heads), FAR)


def _keys_of(keys: Tensor, call: AttentionCall, heads: range) -> Tensor:
    """Those of the key heads that serve the heads: ``[key_heads, keys, dim]``."""
    return cut(keys[0], 0, range(heads.start // call.group, -(-heads.stop // call.group)))


def _scaling(call: AttentionCall) -> float:
    scaling = call.options.get("scaling")
    return float(call.query.shape[-1] ** -0.5 if scaling is None else scaling)


def _part(added: Tensor, heads: range, rows: range, columns: range) -> Tensor:
    """The part of something shaped like the scores of one sample."""
    added = added[0] if added.shape[1] == 1 else added[0, heads.start : heads.stop]
    added = added if added.shape[1] == 1 else added[:, rows.start : rows.stop]
    return added if added.shape[2] == 1 else added[..., columns.start : columns.stop]


def _left_by_sinks(call: AttentionCall, heads: range, scores: Tensor, weights: Tensor) -> Tensor:
    """The share of each row that the keys keep: e^total / (e^total + e^sink), ``[heads, rows, 1]``."""
    total = scores.amax(-1, keepdim=True) - weights.amax(-1, keepdim=True).log()
    sinks: Tensor = call.sinks.detach().reshape(-1)[heads.start : heads.stop].to(total)
    return torch.sigmoid(total - sinks[:, None, None])

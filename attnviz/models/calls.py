"""What a model hands to its attention function, cut to one sample, to some heads and to some query rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Eager = Callable[..., tuple[Tensor, Tensor]]

HIDING = -9_999.0
"""A mask that adds this much or less hides a key: some models, and people, add -10,000 for "not at all"."""


MANY = 8_192
"""Keys so many do not stay in a processor's cache."""


class Place(NamedTuple):
    """Where one sample's queries and keys lie in the tensors of a batch: around them is padding."""

    sample: int
    queries: range
    keys: range


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
    def group(self) -> int:
        """How many heads share a key head; 1 where that does not come out even."""
        group, rest = divmod(self.heads, self.key.shape[1])
        return 1 if rest else max(1, group)

    @property
    def sinks(self) -> Any:
        """What takes weight from the keys in the softmax, if anything does: ``[heads]`` scores, mostly."""
        for name in ("sinks", "s_aux"):
            sinks = self.options[name] if name in self.options else _held(self.module, name)
            if sinks is not None:
                return sinks
        return None

    @property
    def bias(self) -> Tensor | None:
        """What is added to the scores by position, broadcastable to ``[batch, heads, queries, keys]``."""
        return self.options.get("position_bias")


def _held(module: nn.Module, name: str) -> Any:
    """An attribute of a module, None without it: found out without the exception that torch would make."""
    own = vars(module)
    there = name in own or name in own["_parameters"] or name in own["_buffers"] or name in own["_modules"]
    if there or hasattr(type(module), name) or type(module).__getattr__ is not nn.Module.__getattr__:
        return getattr(module, name, None)
    return None


def of_sample(call: AttentionCall, sample: int) -> AttentionCall:
    """The call of one sample of the batch."""
    if call.query.shape[0] == 1:
        return call

    def own(tensor: Tensor | None) -> Tensor | None:
        return tensor[sample : sample + 1] if tensor is not None and tensor.shape[0] > 1 else tensor

    batch = slice(sample, sample + 1)
    return replace(
        call,
        query=call.query[batch],
        key=call.key[batch],
        value=call.value[batch],
        mask=own(call.mask),
        options=call.options if call.bias is None else {**call.options, "position_bias": own(call.bias)},
    )


def in_single_precision(call: AttentionCall) -> AttentionCall:
    """The call with half-precision numbers widened, so that its scores and their softmax are float32."""
    if call.query.dtype not in (torch.float16, torch.bfloat16):
        return call
    return replace(call, query=call.query.float(), key=call.key.float())


def side_by_side(call: AttentionCall) -> AttentionCall:
    """The call with the keys of a head side by side in memory, where there are very many.

    Models that project queries, keys and values at once leave the keys of a head thousands of numbers apart:
    a product with each block of queries then takes up to twice as long, and a copy pays.
    """
    return replace(call, key=call.key.contiguous()) if call.keys >= MANY else call


def with_heads(call: AttentionCall, heads: range) -> AttentionCall:
    """The call cut to as few heads as hold those asked for.

    Heads that share a key head stay together. Where the function reads tensors of its module that
    belong to all heads (sinks), nothing is cut.
    """
    group, rest = divmod(call.heads, call.key.shape[1])
    if rest or reads_tensors(call):
        return call
    shared = slice(heads.start // group, -(-heads.stop // group))
    own = slice(shared.start * group, shared.stop * group)
    return replace(
        call,
        first=own.start,
        query=call.query[:, own],
        key=call.key[:, shared],
        value=call.value[:, shared],
        mask=cut_heads(call.mask, own),
        options={**call.options, "position_bias": cut_heads(call.bias, own)},
    )


def reads_tensors(call: AttentionCall) -> bool:
    """Whether the function uses parameters of its module, going by the names in its code."""
    names = getattr(getattr(call.eager, "__code__", None), "co_names", ())
    return any(isinstance(getattr(call.module, name, None), Tensor) for name in names)


def cut_heads(scores: Tensor | None, heads: slice) -> Tensor | None:
    return scores if scores is None or scores.shape[1] == 1 else scores[:, heads]


def of_heads(mask: Tensor, heads: range) -> Tensor:
    """A mask ``[1 or all heads, ...]`` of some heads: the one of all of them, where it has one."""
    return mask if mask.shape[0] == 1 else mask[heads.start : heads.stop]


def cut(tensor: Tensor, dim: int, part: range) -> Tensor:
    """A part of one axis, as a view; the tensor itself where that is all."""
    whole = len(part) == tensor.shape[dim]
    return tensor if whole else tensor.narrow(dim, part.start, len(part))


def cut_rows(scores: Tensor, rows: slice, keys: int) -> Tensor:
    """Rows of something shaped like the scores; what is longer than the keys (a static cache) is cut."""
    return (scores if scores.shape[-2] == 1 else scores[..., rows, :])[..., :keys]


def may_see(mask: Tensor) -> Tensor:
    """Which keys a mask allows, bool of its shape; of numbers that are added, those as low as HIDING hide."""
    return mask if mask.dtype == torch.bool else mask > HIDING


def hides_rows_by_numbers(call: AttentionCall) -> bool:
    """Whether some row may see nothing, by a mask of numbers: these are no less than finite."""
    if call.mask is None or call.mask.dtype == torch.bool:
        return False
    return not bool(may_see(call.mask[..., : call.keys]).any(-1).all())


@dataclass(frozen=True)
class Block:
    """Neighbouring query rows of a call and the keys that any of them may see.

    rows, columns: numbers in the call's own tensors
    visible:       bool ``[1 or heads, rows, columns]`` (or lengths of 1): the row may see the column
    hidden:        the contrary, for the columns from ``hidden_from`` on; None where all of them may be seen
    blind:         bool ``[1 or heads, rows, 1]``, where some row sees nothing at all; else None
    """

    rows: range
    columns: range
    visible: Tensor
    hidden: Tensor | None
    hidden_from: int
    blind: Tensor | None


def blocks(call: AttentionCall, rows: range, step: int) -> Iterator[Block]:
    """The rows of a call, some at a time, the last ones first. Keys that none of them sees are left out.

    Causal rows see the more keys the later they are: what the first block needs has room for all others;
    memory that grew a little with every block would never be used again.
    """
    for start in reversed(range(rows.start, rows.stop, step)):
        some = range(start, min(start + step, rows.stop))
        yield _causal(call, some) if call.mask is None else _masked(call, call.mask, some)


def _causal(call: AttentionCall, rows: range) -> Block:
    """Without a mask: everything, or what is not later."""
    device = call.query.device
    if not call.causal:
        return Block(rows, range(call.keys), everything(device), None, 0, None)
    columns = range(min(rows.stop, call.keys))
    shape = 1, len(rows), len(columns)
    visible = torch.ones(shape, dtype=torch.bool, device=device).tril_(rows.start)
    first = min(rows.start, columns.stop)
    return Block(rows, columns, visible, ~visible[..., first:], first, None)


@cache
def everything(device: torch.device) -> Tensor:
    """``[1, 1, 1]``, True: each row and key. Made once, so nobody may write into it."""
    return torch.ones(1, 1, 1, dtype=torch.bool, device=device)


def _masked(call: AttentionCall, mask: Tensor, rows: range) -> Block:
    """The columns from the first to the last that any of the rows may see."""
    mask = cut_rows(mask, slice(rows.start, rows.stop), call.keys)[0]
    visible = may_see(mask)
    if visible.shape[-1] == 1:
        visible = visible.expand(-1, -1, call.keys)
    seen = visible.flatten(0, 1).any(0).nonzero()
    columns = range(int(seen[0]), int(seen[-1]) + 1) if len(seen) else range(1)
    visible = visible[..., columns.start : columns.stop]
    blind = ~visible.any(-1, keepdim=True)
    hidden = None if bool(visible.all()) else ~visible
    return Block(rows, columns, visible, hidden, 0, blind if bool(blind.any()) else None)

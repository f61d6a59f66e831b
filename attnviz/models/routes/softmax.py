"""The softmax route: the softmax inside a module that is called an attention, watched while it is taken.

Torch's own attention functions are watched as well: their weights are computed from what they are given, or
returned by them.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from attnviz.models.calls import AttentionCall
from attnviz.models.routes.base import Called, Event, Listener, heard, over_all, unheard
from attnviz.models.routes.frames import Frame, Frames
from attnviz.models.routes.given import Given
from attnviz.models.routes.layouts import by_heads, given_of

ROUTE = "softmax"


def watching(frames: Frames, listener: Listener) -> AbstractContextManager[Any]:
    """Inside the block the listener is told of each softmax over keys that this thread takes."""
    return _Watch(frames, listener)


class _Watch(TorchFunctionMode):
    """Torch asks it, in its own thread only, before each function; inside its answers it is not asked."""

    def __init__(self, frames: Frames, listener: Listener) -> None:
        super().__init__()
        self._frames = frames
        self._listener = listener

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        options = dict(kwargs or {})
        watch = _WATCHED.get(func) if heard() else None
        frames = self._frames.attention() if watch else []
        if watch is None or not frames:
            return func(*args, **options)
        result, event = watch(frames, func, args, options)
        if event is not None:
            with unheard():
                self._listener.take(frames[0].path, event)
        return result


Watched = tuple[Any, Event | None]


def _softmax(
    frames: Sequence[Frame], func: Callable[..., Tensor], args: tuple[Any, ...], options: dict[str, Any]
) -> Watched:
    weights = func(*args, **options)
    scores = args[0] if args else options["input"]
    dim = args[1] if len(args) > 1 else options.get("dim")
    if dim == 1 and scores.ndim == 3 and scores.shape[2] == 1:
        return weights, _look(weights, scores)
    if dim not in (-1, scores.ndim - 1):
        return weights, None
    found, behind = by_heads(frames, weights), by_heads(frames, scores)
    if found is None or behind is None:
        return weights, None
    return weights, given_of(ROUTE, *found, scores=behind[0])


def _look(weights: Tensor, scores: Tensor) -> Given:
    """One query and one head, with a score for each key: ``[batch, keys, 1]`` (recurrent networks)."""
    row, behind = (tensor.transpose(1, 2)[:, None] for tensor in (weights, scores))
    return Given(ROUTE, row, row.shape[-1], scores=behind)


def _attention(
    frames: Sequence[Frame], func: Callable[..., Tensor], args: tuple[Any, ...], options: dict[str, Any]
) -> Watched:
    result = func(*args, **options)
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
    given = {**dict(zip(names, args, strict=False)), **options}
    query, mask = given["query"], given.get("attn_mask")
    if query.ndim != 4:
        return result, None
    scale = given.get("scale")
    call = AttentionCall(
        module=frames[0].module,
        eager=textbook,
        query=query,
        key=given["key"],
        value=given["value"],
        mask=mask if mask is None else over_all(mask),
        causal=bool(given.get("is_causal")),
        options={"scaling": query.shape[-1] ** -0.5 if scale is None else scale},
    )
    return result, Called(call, ROUTE)


def textbook(  # noqa: PLR0917 - as transformers calls eager functions
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    **_: object,
) -> tuple[Tensor, Tensor]:
    """Attention as in the textbook, in the form of a model's own eager function: as torch's own."""
    del module
    group = query.shape[1] // key.shape[1]
    key, value = (tensor.repeat_interleave(group, 1) if group > 1 else tensor for tensor in (key, value))
    scores = query @ key.transpose(-1, -2) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(-1)
    return weights @ value, weights


_MULTIHEAD = signature(functional.multi_head_attention_forward)


def _multihead(
    frames: Sequence[Frame], func: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> Watched:
    del frames
    given = _MULTIHEAD.bind(*args, **options)
    given.apply_defaults()
    asked, averaged = given.arguments["need_weights"], given.arguments["average_attn_weights"]
    given.arguments.update(need_weights=True, average_attn_weights=False)
    output, weights = func(*given.args, **given.kwargs)
    single = weights if weights.ndim == 4 else weights[None]
    event = Given(ROUTE, single, single.shape[-1])
    returned = (weights.mean(-3) if averaged else weights) if asked else None
    return (output, returned), event


_WATCHED: dict[Any, Callable[..., Watched]] = {
    torch.softmax: _softmax,
    Tensor.softmax: _softmax,
    functional.softmax: _softmax,
    functional.scaled_dot_product_attention: _attention,
    functional.multi_head_attention_forward: _multihead,
}

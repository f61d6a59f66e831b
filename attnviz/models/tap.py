"""The tap on a running model: its attention layers are listened to while it computes as always.

transformers finds the function of an attention layer by ``AttentionInterface.get_interface(name, eager)``,
where ``eager`` is the model's own function that also returns weights. While any run is tapped, another one
stands in its place. In a thread with a run of its own it answers with a function that first lets the model's
own do its work and then takes the weights of the wanted heads (see ``calls``). In every other thread, and for
modules that belong to no run, the answer is what it always was.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from attnviz.models.calls import AttentionCall, Eager
from attnviz.models.routes.base import Called, Listener, over_all, side_by_side, unheard

Attention = Callable[..., tuple[Tensor, Tensor | None]]

ROUTE = "interface"


class _Runs(threading.local):
    """Who listens to the present thread, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[Listener] = []


_runs = _Runs()
_lock = threading.Lock()
_tapped = 0  # runs in all threads
_look_up = AttentionInterface.get_interface


@contextmanager
def tapped(listener: Listener) -> Iterator[None]:
    """Inside the block the listener is told of its model's attentions that this thread computes."""
    _install()
    _runs.stack.append(listener)
    try:
        yield
    finally:
        _runs.stack.remove(listener)
        _restore()


def _install() -> None:
    global _tapped, _look_up  # noqa: PLW0603 - what is replaced belongs to the process, not to an object
    with _lock:
        if not _tapped:
            _look_up = AttentionInterface.get_interface
            AttentionInterface.get_interface = _get_interface
        _tapped += 1


def _restore() -> None:
    global _tapped  # noqa: PLW0603
    with _lock:
        _tapped -= 1
        if not _tapped:
            AttentionInterface.get_interface = _look_up


def _get_interface(self: AttentionInterface, attn_implementation: str, default: Eager) -> Attention:
    """Stands in for ``AttentionInterface.get_interface`` while a run is tapped."""
    own: Attention = _look_up(self, attn_implementation, default)
    return _listening(own, default) if _runs.stack else own


def _listening(own: Attention, eager: Eager) -> Attention:
    """The model's own attention function, its calls handed to the run that owns the module."""

    def attention(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        **options: Any,
    ) -> tuple[Tensor, Tensor | None]:
        listener, path = _listener(module)
        if listener is not None:
            causal = own is not eager and _is_causal(module, query, attention_mask, options)
            said = {name: value for name, value in options.items() if name != "is_causal"}
            mask = attention_mask if attention_mask is None else over_all(attention_mask)
            if own is eager and mask is not None and mask.dtype == torch.bool:
                mask = mask.to(query.dtype)  # plain functions add whatever they are given
            call = AttentionCall(module, eager, *side_by_side(query, key, value), mask, causal, said)
            with unheard():
                output = listener.take(path, Called(call, ROUTE, output=own is not eager))
            if output is not None:
                return output, None
        with unheard():  # its softmax is none of another route
            return own(module, query, key, value, attention_mask, **options)

    return attention


def _listener(module: nn.Module) -> tuple[Listener | None, str]:
    """Who listens to a module in this thread, and how its model calls it."""
    for listener in reversed(_runs.stack):
        if (path := listener.path(module)) is not None:
            return listener, path
    return None, ""


def _is_causal(module: nn.Module, query: Tensor, mask: Tensor | None, options: dict[str, Any]) -> bool:
    """Whether transformers' sdpa takes the missing mask for a causal one (its own rule, word for word)."""
    flag = options.get("is_causal")
    flag = flag if flag is not None else getattr(module, "is_causal", True)
    return query.shape[2] > 1 and mask is None and bool(flag)

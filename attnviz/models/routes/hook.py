"""The hook route: a module that returns its weights gives them away, and an empty shape takes their place.

The model runs with its plain eager attention and is asked for all attentions, but never holds more than one
layer's: what it collects are shapes without numbers.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from attnviz.models.routes.base import Listener, heard, unheard
from attnviz.models.routes.frames import Frames
from attnviz.models.routes.layouts import LAYOUTS, arranged

ROUTE = "hook"


@contextmanager
def hooked(model: nn.Module, frames: Frames, listener: Listener) -> Iterator[None]:
    """Inside the block the listener is told of the weights that the model's modules return in this thread."""
    hook = _hook(threading.get_ident(), frames, listener)
    handles = [module.register_forward_hook(hook, prepend=True) for module in model.modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(thread: int, frames: Frames, listener: Listener) -> Callable[[nn.Module, Any, Any], Any]:
    def hook(module: nn.Module, _: Any, output: Any) -> Any:
        path = listener.path(module)
        if threading.get_ident() != thread or path is None or not isinstance(output, tuple | list):
            return None
        weights = [entry for entry in output[1:] if _is_taken(module, entry)] if heard() else []
        if not weights or not frames.attention():
            return None
        with unheard():
            for event in arranged(frames.running, weights, _numbers(output)):
                listener.take(path, event)
        return _emptied(module, output)

    return hook


def _is_taken(module: nn.Module, entry: Any) -> bool:
    """Whether an entry of what a module returns is its weights; a layout of its own may leave some out."""
    return is_weights(entry, whole=type(module).__name__ not in LAYOUTS)


def _numbers(output: Sequence[Any]) -> list[Tensor]:
    """What a module returns besides that counts something: to which bucket a token was hashed."""
    return [entry for entry in output[1:] if isinstance(entry, Tensor) and not entry.is_floating_point()]


def is_weights(entry: Any, *, whole: bool = True) -> bool:
    """Whether a module's output may be attention weights: rows of numbers from 0 that sum to 1.

    A row may also be all zeros: one that sees nothing. What stands in for weights is none.
    whole: every row is there as a whole; else it may sum to less
    """
    if not isinstance(entry, Tensor) or entry.ndim < 3 or not entry.is_floating_point():
        return False
    if not entry.numel() or is_empty(entry):
        return False
    sums = entry.sum(-1, dtype=torch.float32)
    wanted = (sums - 1).abs() < 2e-2
    fine = wanted | (sums.abs() < 1e-6) if whole else sums < 1 + 2e-2
    return bool(wanted.any() and fine.all() and (entry >= 0).all())


def _emptied(module: nn.Module, output: Sequence[Any]) -> Any:
    first, *rest = output
    kept = [first, *(empty(entry) if _is_taken(module, entry) else entry for entry in rest)]
    made: Callable[[Any], Any] = getattr(type(output), "_make", type(output))  # of a named tuple
    return made(kept)


def empty(weights: Tensor) -> Tensor:
    """A tensor of the same shape that holds one number: what the model may carry about in their place."""
    return weights.new_zeros(()).expand(weights.shape)


def is_empty(weights: Tensor) -> bool:
    return weights.untyped_storage().nbytes() <= weights.element_size()

"""A model somebody else is using, made fit to be watched for one run, and left as it was.

Kernels that hand out no scores (flash, flex, paged) compute the same softmax in other steps: for the run the
model computes it with sdpa, or with its own eager function where it has no sdpa. What may compute something
else is refused by name. Compiled code runs as it was written; dropout and everything else that only training
does is off.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from attnviz.errors import ModelError
from attnviz.inputs import printable

WATCHABLE = ("sdpa", "eager")
SAME_NUMBERS = re.compile(
    r"(paged\|)?(flash_attention_\d|flex_attention|sdpa|eager|[\w.-]+/[\w.-]*flash-attn[\w.@:-]*)"
)
"""Implementations of exactly the attention that sdpa computes, up to rounding."""


@contextmanager
def watchable(model: nn.Module) -> Iterator[None]:
    """Inside the block the model's attention can be watched; afterwards all is as it was.

    Raises ModelError if its attention is computed by something whose numbers may be others.
    """
    with (
        _shared("compiler", _as_written),
        _shared(id(model), lambda: _changed(model)),
        torch.random.fork_rng(_devices(model), device_type=_accelerator(model)),
    ):
        yield


_lock = threading.Lock()
_entered: dict[object, tuple[ExitStack, list[None]]] = {}


@contextmanager
def _shared(key: object, change: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """A change of what threads share: the first who comes in makes it, the last who leaves undoes it."""
    with _lock:
        if key not in _entered:
            with ExitStack() as stack:
                stack.enter_context(change())
                _entered[key] = stack.pop_all(), []
        _entered[key][1].append(None)
    try:
        yield
    finally:
        with _lock:
            stack, inside = _entered[key]
            inside.pop()
            if not inside:
                del _entered[key]
                stack.close()


@contextmanager
def _changed(model: nn.Module) -> Iterator[None]:
    with _own_numbers(model), _not_training(model):
        yield


def check_watchable(model: nn.Module) -> None:
    """Raises ModelError as ``watchable`` does, without touching the model."""
    for holder in _holders(model):
        _replacement(holder)
    for module in model.modules():
        if re.search(r"FlashAttention\d$", type(module).__name__):
            raise ModelError(
                f"{type(model).__name__} was built with {type(module).__name__}, which gives no weights: "
                'load it with attn_implementation="sdpa" or "eager"'
            )


@contextmanager
def _own_numbers(model: nn.Module) -> Iterator[None]:
    """Attention by sdpa or eager, in every part of the model that has a choice."""
    check_watchable(model)
    before = [(holder, holder.implementation) for holder in _holders(model)]
    try:
        for holder, _ in before:
            holder.implementation = _replacement(holder)
        yield
    finally:
        for holder, implementation in before:
            holder.implementation = implementation


class _Holder:
    """Something that names an implementation of attention: a configuration, or a module with a copy.

    model: the part of the model that it belongs to, which knows what it supports
    """

    def __init__(self, owner: Any, attribute: str, model: PreTrainedModel) -> None:
        self._owner = owner
        self._attribute = attribute
        self.model = model

    @property
    def implementation(self) -> str | None:
        name: str | None = getattr(self._owner, self._attribute)
        return name

    @implementation.setter
    def implementation(self, name: str | None) -> None:
        setattr(self._owner, self._attribute, name)


def _holders(model: nn.Module) -> list[_Holder]:
    """Whatever in a model names an implementation, each once, with the innermost part it belongs to."""
    found: dict[int, _Holder] = {}
    for part in model.modules():  # from the outside in: what is found again deeper belongs there
        if isinstance(part, PreTrainedModel):
            for module in part.modules():
                config = getattr(module, "config", None)
                if hasattr(config, "_attn_implementation_internal"):
                    found[id(config)] = _Holder(config, "_attn_implementation_internal", part)
                if isinstance(getattr(module, "_attn_implementation", None), str):
                    found[id(module)] = _Holder(module, "_attn_implementation", part)
    return list(found.values())


def _replacement(holder: _Holder) -> str | None:
    """The implementation to watch in the place of another one."""
    name = holder.implementation
    if name is None or name in WATCHABLE:
        return name
    if not SAME_NUMBERS.fullmatch(name):
        raise ModelError(
            f"{type(holder.model).__name__} computes its attention with {printable(name)!r}, whose numbers "
            'may be others than sdpa\'s: to look at it, call model.set_attn_implementation("sdpa")'
        )
    return "sdpa" if getattr(holder.model, "_supports_sdpa", False) else "eager"


@contextmanager
def _as_written() -> Iterator[None]:
    """Compiled code runs as it was written. (Without the compiler, which loads slowly, there is none.)"""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


@contextmanager
def _not_training(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, module by module, for some may have been in it already."""
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


def _accelerator(model: nn.Module) -> str:
    """The kind of device, other than the processor, that the model computes on; "cuda" if there is none."""
    kinds = {parameter.device.type for parameter in model.parameters()} & {"cuda", "xpu", "mps"}
    return next(iter(kinds), "cuda")


def _devices(model: nn.Module) -> list[int]:
    """The numbers of the accelerators that the model computes on."""
    return sorted({p.device.index or 0 for p in model.parameters() if p.device.type == _accelerator(model)})

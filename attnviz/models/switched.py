"""A model somebody else is using, made fit to be watched for one run, and left as it was.

Kernels that hand out no scores (flash, flex, paged) compute the same softmax in other steps: for the run the
model computes it with sdpa, or with its own eager function where it has no sdpa. What may compute something
else is refused by name. Compiled code runs as it was written; dropout and everything else that only training
does is off.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from attnviz.errors import ModelError
from attnviz.inputs import printable
from attnviz.models.fresh import remembering, same_memories

WATCHABLE = ("sdpa", "eager")
ACCELERATORS = ("cuda", "xpu", "mps")
SAME_NUMBERS = re.compile(
    r"(paged\|)?(flash_attention_\d|flex_attention|sdpa|eager|[\w.-]+/[\w.-]*flash-attn[\w.@:-]*)"
)
"""Implementations of exactly the attention that sdpa computes, up to rounding."""


@dataclass(frozen=True)
class Parts:
    """What of a model a run may have to change: found by a walk over all of it, not anew for every run.

    weights:         all of them, as tensors
    modules:         all of them; paths: how the model calls each, by its identity
    implementations: whatever holds the name of the attention that is computed; caches: whether there are any
    remembering:     modules that keep something of a run for later ones
    exchangers:      modules that may exchange their kind of attention for another one for good
    devices:         numbers of the accelerators that it lies on, which are of this ``kind``
    """

    weights: tuple[torch.Tensor, ...]
    modules: tuple[nn.Module, ...]
    paths: Mapping[int, str]
    implementations: tuple["_Holder", ...]
    caches: tuple["_Holder", ...]
    remembering: tuple[nn.Module, ...]
    exchangers: tuple[Any, ...]
    kind: str
    devices: tuple[int, ...]


def parts_of(model: nn.Module) -> Parts:
    """Raises ModelError as ``check_watchable`` does."""
    check_watchable(model)
    named = tuple(model.named_modules())
    modules = tuple(module for _, module in named)
    kinds = {
        (p.device.type, p.device.index or 0) for p in model.parameters() if p.device.type in ACCELERATORS
    }
    kind = min(kinds)[0] if kinds else "cuda"
    return Parts(
        weights=tuple(model.parameters()),
        modules=modules,
        paths={id(module): name for name, module in named},
        implementations=tuple(_holders(model)),
        caches=tuple(_holders(model, "use_cache")),
        remembering=remembering(modules),
        exchangers=tuple(
            module
            for module in modules
            if callable(getattr(module, "set_attention_type", None)) and hasattr(module, "attention_type")
        ),
        kind=kind,
        devices=tuple(sorted(number for name, number in kinds if name == kind)),
    )


@contextmanager
def watchable(model: nn.Module, *, eager: bool = False, parts: Parts | None = None) -> Iterator[None]:
    """Inside the block the model's attention can be watched; afterwards all is as it was.

    eager: with plain matrix products; else as it is, where that says what each query may see
    parts: its, if they are known
    Threads share a model: who wants it otherwise than those who are inside waits until they have left.
    Raises ModelError if its attention is computed by something whose numbers may be others.
    """
    known = parts or parts_of(model)
    with (
        _shared("compiler", "off", _as_written),
        _shared(id(model), eager, lambda: _changed(known, eager=eager)),
        torch.random.fork_rng(known.devices, device_type=known.kind),
    ):
        yield


@dataclass
class _Shared:
    """A change that somebody is inside of: how it is undone, of which kind it is, and how many they are."""

    undo: ExitStack
    kind: object
    inside: int = 0


_changes: dict[object, _Shared] = {}
_left = threading.Condition()


@contextmanager
def _shared(key: object, kind: object, change: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """A change of what threads share: the first who comes in makes it, the last who leaves undoes it."""
    with _left:
        _left.wait_for(lambda: key not in _changes or _changes[key].kind == kind)
        if key not in _changes:
            with ExitStack() as stack:
                stack.enter_context(change())
                _changes[key] = _Shared(stack.pop_all(), kind)
        _changes[key].inside += 1
    try:
        yield
    finally:
        with _left:
            _changes[key].inside -= 1
            if not _changes[key].inside:
                _changes.pop(key).undo.close()
                _left.notify_all()


@contextmanager
def _changed(parts: Parts, *, eager: bool) -> Iterator[None]:
    with (
        _own_numbers(parts, eager=eager),
        _not_training(parts),
        _same_attention_type(parts),
        same_memories(parts.remembering),
    ):
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
def _own_numbers(parts: Parts, *, eager: bool) -> Iterator[None]:
    """Attention by sdpa or eager, in every part of the model that has a choice, and no caches."""
    own = [(holder, _replacement(holder)) for holder in parts.implementations]
    wanted: list[tuple[_Holder, Any]] = [(holder, "eager" if eager else name) for holder, name in own]
    wanted += [(holder, False) for holder in parts.caches]
    before = [(holder, holder.value) for holder, _ in wanted]
    try:
        for holder, value in wanted:
            holder.value = value
        yield
    finally:
        for holder, value in before:
            holder.value = value


class _Holder:
    """Something that holds a setting: a configuration, or a module with a copy of it.

    model: the part of the model that it belongs to, which knows what it supports
    """

    def __init__(self, owner: Any, attribute: str, model: nn.Module) -> None:
        self._owner = owner
        self._attribute = attribute
        self.model = model

    @property
    def value(self) -> Any:
        return getattr(self._owner, self._attribute)

    @value.setter
    def value(self, value: Any) -> None:
        setattr(self._owner, self._attribute, value)


IMPLEMENTATION = "_attn_implementation_internal"
COPY = "_attn_implementation"  # of a module


def _holders(model: nn.Module, attribute: str = IMPLEMENTATION) -> list[_Holder]:
    """Whatever in a model holds a setting, each once, with the innermost part it belongs to."""
    found: dict[int, _Holder] = {}
    parts = [part for part in model.modules() if isinstance(part, PreTrainedModel)] or [model]
    for part in parts:  # from the outside in: what is found again deeper belongs there
        for config in _configurations(part):
            if hasattr(config, attribute):
                found[id(config)] = _Holder(config, attribute, part)
        for module in part.modules() if attribute == IMPLEMENTATION else ():
            if isinstance(getattr(module, COPY, None), str):
                found[id(module)] = _Holder(module, COPY, part)
    return list(found.values())


def _configurations(model: nn.Module) -> Iterator[Any]:
    """All configurations that a model and its parts hold."""
    seen: set[int] = set()
    waiting = [
        config for module in model.modules() if (config := getattr(module, "config", None)) is not None
    ]
    while waiting:
        config = waiting.pop(0)
        if id(config) in seen:
            continue
        seen.add(id(config))
        yield config
        names = getattr(config, "sub_configs", None) or ()
        waiting += [part for name in names if (part := getattr(config, name, None)) is not None]


def _replacement(holder: _Holder) -> str | None:
    """The implementation to watch in the place of another one."""
    name: str | None = holder.value
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
def _not_training(parts: Parts) -> Iterator[None]:
    """Evaluation mode, module by module, for some may have been in it already."""
    training = [module for module in parts.modules if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _same_attention_type(parts: Parts) -> Iterator[None]:
    """BigBird exchanges its block-sparse layers for full ones at the first short text, for good."""
    switched = [(module, module.attention_type) for module in parts.exchangers]
    try:
        yield
    finally:
        for module, kind in switched:
            if module.attention_type != kind:
                module.set_attention_type(kind)

"""A model somebody else is using, made fit to be watched for one run, and left as it was.

Kernels that hand out no scores (flash, flex, paged) compute the same softmax in other steps: for the run the
model computes it with sdpa, or with its own eager function where it has no sdpa. What may compute something
else is refused by name. Compiled code runs as it was written; dropout and everything else that only training
does is off.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
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
HEEDLESS = (
    nn.Linear,
    nn.LayerNorm,
    nn.Embedding,
    nn.ModuleList,
    nn.Identity,
    nn.GELU,
    nn.ReLU,
    nn.SiLU,
    nn.Tanh,
)
"""Modules that compute the same in training."""

SAME_NUMBERS = re.compile(
    r"(paged\|)?(flash_attention_\d|flex_attention|sdpa|eager|[\w.-]+/[\w.-]*flash-attn[\w.@:-]*)"
)
"""Implementations of exactly the attention that sdpa computes, up to rounding."""


@dataclass(frozen=True)
class Parts:
    """What of a model a run may have to change: found by a walk over all of it, not anew for every run.

    model:           itself
    weights:         all of them, as tensors
    modules:         all of them; paths: how the model calls each, by its identity
    heeding:         those that may compute something else in training
    implementations: whatever holds the name of the attention that is computed; caches: whether there are any
    remembering:     modules that keep something of a run for later ones
    exchangers:      modules that may exchange their kind of attention for another one for good
    draws:           some of them may draw random numbers elsewhere than from torch
    devices:         numbers of the accelerators that it lies on, which are of this ``kind``
    """

    model: nn.Module
    weights: tuple[torch.Tensor, ...]
    modules: tuple[nn.Module, ...]
    heeding: tuple[nn.Module, ...]
    paths: Mapping[int, str]
    implementations: tuple["_Holder", ...]
    caches: tuple["_Holder", ...]
    remembering: tuple[nn.Module, ...]
    exchangers: tuple[Any, ...]
    draws: bool
    kind: str
    devices: tuple[int, ...]


def parts_of(model: nn.Module) -> Parts:
    """Raises ModelError if its attention is computed by something whose numbers may be others."""
    named, weights = tuple(model.named_modules()), tuple(model.parameters())
    modules, implementations = tuple(module for _, module in named), tuple(_holders(model))
    for holder in implementations:
        _replacement(holder)
    _check_kernels(model, modules)
    kinds = {(w.device.type, w.device.index or 0) for w in weights if w.device.type in ACCELERATORS}
    kind = min(kinds)[0] if kinds else "cuda"
    return Parts(
        model=model,
        weights=weights,
        modules=modules,
        heeding=tuple(module for module in modules if type(module) not in HEEDLESS),
        paths={id(module): name for name, module in named},
        implementations=implementations,
        caches=tuple(_holders(model, "use_cache")),
        remembering=remembering(modules),
        exchangers=tuple(
            module
            for module in modules
            if callable(getattr(module, "set_attention_type", None)) and hasattr(module, "attention_type")
        ),
        draws=any(map(_may_draw, {type(module) for module in modules})),
        kind=kind,
        devices=tuple(sorted(number for name, number in kinds if name == kind)),
    )


def _may_draw(kind: type[nn.Module]) -> bool:
    """Whether modules of a kind may draw from Python's or numpy's random numbers.

    torch's own do not, and of transformers only those whose file knows these by name.
    """
    if kind.__module__.startswith("torch."):
        return False
    known = vars(sys.modules.get(kind.__module__, sys))
    return not kind.__module__.startswith("transformers.") or not {"np", "numpy", "random"}.isdisjoint(known)


def _check_kernels(model: nn.Module, modules: Sequence[nn.Module]) -> None:
    for module in modules:
        if re.search(r"FlashAttention\d$", type(module).__name__):
            raise ModelError(
                f"{type(model).__name__} was built with {type(module).__name__}, which gives no weights: "
                'load it with attn_implementation="sdpa" or "eager"'
            )


@contextmanager
def watchable(known: Parts, *, eager: bool = False) -> Iterator[None]:
    """Inside the block the model's attention can be watched; afterwards all is as it was.

    eager: with plain matrix products; else as it is, where that says what each query may see
    known: what of it may have to be changed
    Threads share a model: who wants it otherwise than those who are inside waits until they have left.
    Raises ModelError if its attention is computed by something whose numbers may be others.
    """
    with (
        _shared("compiler", "off", _as_written),
        _shared(id(known.model), eager, lambda: _changed(known, eager=eager)),
        torch.random.fork_rng(known.devices, device_type=known.kind),
    ):
        yield


@dataclass
class _Shared:
    """A change that somebody is inside of, of which kind it is, and how many they are."""

    change: AbstractContextManager[None]
    kind: object
    inside: int = 0


_changes: dict[object, _Shared] = {}
_left = threading.Condition()


@contextmanager
def _shared(key: object, kind: object, change: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """A change of what threads share: the first who comes in makes it, the last who leaves undoes it."""
    with _left:
        while key in _changes and _changes[key].kind != kind:
            _left.wait()
        if key not in _changes:
            made = change()
            made.__enter__()
            _changes[key] = _Shared(made, kind)
        _changes[key].inside += 1
    try:
        yield
    finally:
        with _left:
            _changes[key].inside -= 1
            if not _changes[key].inside:
                _changes.pop(key).change.__exit__(None, None, None)
                _left.notify_all()


@contextmanager
def _changed(parts: Parts, *, eager: bool) -> Iterator[None]:
    """Attention by sdpa or eager in every part that has a choice, no caches, evaluation mode throughout.

    Only what is otherwise is touched: some parts may have been in evaluation mode already. BigBird exchanges
    its block-sparse layers for full ones at the first short text, for good: that is undone too.
    """
    wanted: list[tuple[_Holder, Any]] = [(holder, False) for holder in parts.caches]
    wanted += [(holder, "eager" if eager else _replacement(holder)) for holder in parts.implementations]
    others = [(holder, own, value) for holder, value in wanted if (own := holder.value) != value]
    training = [module for module in parts.heeding if module.training]
    kinds = [(module, module.attention_type) for module in parts.exchangers]
    try:
        for holder, _, value in others:
            holder.value = value
        for module in training:
            module.training = False
        with same_memories(parts.remembering):
            yield
    finally:
        for holder, own, _ in others:
            holder.value = own
        for module in training:
            module.training = True
        for module, kind in kinds:
            if module.attention_type != kind:
                module.set_attention_type(kind)


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

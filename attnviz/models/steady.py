"""A model made ready to be watched, and left afterwards as it was."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from attnviz.models.quiet import quiet
from attnviz.models.switched import watchable


@contextmanager
def steady(model: nn.Module, *, eager: bool = False) -> Iterator[None]:
    """Inside the block the model computes without dropout, gradients and caches, from a state it can repeat.

    eager: with plain matrix products; else as it is, unless its own way says nothing of masks (flash, flex)
    Training flags, configurations and random numbers are restored, after an exception too.
    Raises ModelError if its attention is computed by something whose numbers may be others.
    """
    with (
        quiet(),
        torch.inference_mode(),
        watchable(model),
        _same_random_numbers(),
        _configured(model, eager=eager),
        _same_attention_type(model),
    ):
        yield


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    """Those of Python and numpy, which some models draw from; torch's own are kept by ``watchable``."""
    python, numbers = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)


@contextmanager
def _configured(model: nn.Module, *, eager: bool) -> Iterator[None]:
    """Caches off, and plain attention on where it is wanted, in every configuration that a part reads."""
    changed: list[tuple[Any, str, Any]] = []
    try:
        for config in configurations(model):
            changed += _set(config, "use_cache", False)
            if eager:
                changed += _set(config, "_attn_implementation_internal", "eager")
        yield
    finally:
        for config, name, value in reversed(changed):
            setattr(config, name, value)


def _set(config: Any, name: str, value: Any) -> list[tuple[Any, str, Any]]:
    """Sets an attribute that is there and another value; returns what restores it."""
    if not hasattr(config, name) or getattr(config, name) == value:
        return []
    before = getattr(config, name)
    setattr(config, name, value)
    return [(config, name, before)]


def configurations(model: nn.Module) -> list[Any]:
    """All configurations that the model and its parts hold, each once."""
    found: dict[int, Any] = {}
    waiting = [
        config for module in model.modules() if (config := getattr(module, "config", None)) is not None
    ]
    while waiting:
        config = waiting.pop(0)
        if id(config) in found:
            continue
        found[id(config)] = config
        names = getattr(config, "sub_configs", None) or ()
        waiting += [part for name in names if (part := getattr(config, name, None)) is not None]
    return list(found.values())


@contextmanager
def _same_attention_type(model: nn.Module) -> Iterator[None]:
    """BigBird exchanges its block-sparse layers for full ones at the first short text, for good."""
    switched = [
        (module, module.attention_type)
        for module in model.modules()
        if callable(getattr(module, "set_attention_type", None)) and hasattr(module, "attention_type")
    ]
    try:
        yield
    finally:
        for module, kind in switched:
            if module.attention_type != kind:
                module.set_attention_type(kind)  # type: ignore[operator]

"""Which module of a model is running: known to whoever watches what is computed inside it."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import nn

ATTENTION = re.compile(r"att(entio)?n|mha", re.IGNORECASE)
"""What attention modules are called, in their class or in the model."""

OTHERWISE = re.compile(r"residual|hyperconnection|router|gate$", re.IGNORECASE)
"""Modules whose softmax shares something else out: streams, depths, experts."""

HEADS = (
    "num_heads",
    "num_attention_heads",
    "num_attn_heads",
    "n_heads",
    "n_head",
    "nhead",
    "nheads",
    "heads",
)
"""What modules call the number of their heads."""


class Frame(NamedTuple):
    """A module that is running, and what it was called with."""

    path: str
    module: nn.Module
    arguments: Sequence[Any]
    options: Mapping[str, Any]

    @property
    def heads(self) -> int | None:
        """How many heads the module says that it has."""
        named = (getattr(self.module, name, None) for name in HEADS)
        return next((heads for heads in named if isinstance(heads, int) and heads > 0), None)

    @property
    def attends(self) -> bool:
        """Whether its class is called an attention, or it is and says how many heads it has."""
        last = self.path.rpartition(".")[2]
        named = bool(ATTENTION.search(last)) and self.heads is not None
        return named or bool(ATTENTION.search(type(self.module).__name__))


class Frames:
    """The modules of one model that are running in the thread that opened them, outermost first."""

    def __init__(self, model: nn.Module, paths: Mapping[int, str] | None = None) -> None:
        """paths: how the model calls each of its modules, by their identity, if that is known"""
        self._names = paths or {id(module): name for name, module in model.named_modules()}
        self._model = model
        self._thread = 0
        self.running: list[Frame] = []

    @contextmanager
    def open(self) -> Iterator[None]:
        """Inside the block the frames follow what this thread runs."""
        self._thread = threading.get_ident()
        handles = []
        for module in self._model.modules():
            handles.append(module.register_forward_pre_hook(self._enter, prepend=True, with_kwargs=True))
            handles.append(module.register_forward_hook(self._leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self.running.clear()

    def _enter(self, module: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        if threading.get_ident() == self._thread:
            self.running.append(Frame(self._names[id(module)], module, arguments, options))

    def _leave(self, module: nn.Module, *_: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        while self.running and self.running.pop().module is not module:
            pass  # frames that an exception has left

    def attention(self) -> list[Frame]:
        """The frames from the innermost outwards, to the one that is called an attention; none without one.

        (An attention may be computed in a part of the module that is called so; an ``nn.Softmax`` of its
        own is no part to speak of.)
        """
        inner = [frame for frame in reversed(self.running) if not isinstance(frame.module, nn.Softmax)][:3]
        if inner and OTHERWISE.search(type(inner[0].module).__name__):
            return []
        for depth, frame in enumerate(inner):
            if frame.attends:
                return inner[: depth + 1]
        return []

"""What a run may write into, copied for it: a session over a video, what a model remembers."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

SIMPLE = (Tensor, nn.Module, type(None), bool, int, float, str, bytes)
"""Values that a run does not write into, or that belong to the model's weights."""


def changes(value: Any) -> bool:
    """Whether a value of an input is an object that a run may write into, and so no two runs may be alike."""
    return not isinstance(value, (*SIMPLE, Mapping, Sequence))


def kind_of(values: Mapping[str, Any]) -> frozenset[tuple[str, object]]:
    """What input has in common with other input that is attended to alike: shapes, and what is simple."""
    return frozenset(
        (name, value if isinstance(value, bool | int | float | str) else tuple(getattr(value, "shape", ())))
        for name, value in values.items()
    )


def sizes_of(values: Mapping[str, Any]) -> str:
    """What input consists of, in words: "pixel_values [1, 3, 224, 224]"."""
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
    return ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in tensors.items())


def fresh(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same input with copies of all that is not simple; what they share stays shared."""
    with _Unlinked():
        copies = copy.deepcopy(
            {name: value for name, value in values.items() if not isinstance(value, SIMPLE)}
        )
    return {name: copies.get(name, value) for name, value in values.items()}


class _Unlinked(TorchFunctionMode):
    """Inside it tensors are copied without what they were computed from, which ``deepcopy`` refuses."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        if func is Tensor.__deepcopy__:
            tensor, memo = args
            return memo.setdefault(id(tensor), tensor.detach().clone())
        return func(*args, **(kwargs or {}))


def remembering(modules: Sequence[nn.Module]) -> tuple[nn.Module, ...]:
    """The modules that keep something of a run for later ones (texts that were encoded already)."""
    return tuple(module for module in modules if _memories(module))


def _memories(module: nn.Module) -> dict[str, Any]:
    """What a module keeps under the name of a cache, without what belongs to its weights."""
    return {
        name: value
        for name, value in vars(module).items()
        if "cache" in name and not isinstance(value, SIMPLE) and not callable(value)
    }


@contextmanager
def same_memories(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Inside the block the modules write into copies; afterwards they remember what they did before."""
    before = [(module, _memories(module)) for module in modules]
    for module, memories in before:
        vars(module).update(fresh(memories))
    try:
        yield
    finally:
        for module, memories in before:
            vars(module).update(memories)

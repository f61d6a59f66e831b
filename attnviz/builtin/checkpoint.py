"""An unfinished training as one file: weights, the optimizer's moments and the history belong together.

The previous one stays until the new one is in place, so a training may be killed at any moment.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor, nn

from attnviz.builtin.schedule import Point
from attnviz.builtin.tasks import Task
from attnviz.errors import ModelError
from attnviz.files import write_whole

NAME = "checkpoint.safetensors"


def keep(
    directory: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    task: Task[Any, Any],
    history: tuple[Point, ...],
) -> None:
    """Write down where the training stands."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in moments.items()}
    metadata = {"task": json.dumps(task.as_json()), "history": json.dumps(history)}
    write_whole(directory / NAME, serialized(tensors, metadata))


def take_up(
    directory: Path, model: nn.Module, optimizer: torch.optim.Optimizer, task: Task[Any, Any]
) -> tuple[Point, ...]:
    """Put model and optimizer where the training stood; the rounds behind it, none if it has not begun.

    Raises ModelError if the file is damaged, or belongs to a training of another task.
    """
    path = directory / NAME
    if not path.exists():
        return ()
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        history = tuple(Point(*point) for point in json.loads(metadata["history"]))
        kept = json.loads(metadata["task"])
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read, delete it to begin again: {error}") from error
    same_task(path, kept, task)
    model.load_state_dict(_under("model", tensors))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimizer", tensors).items():
        number, _, moment = name.partition(".")
        moments.setdefault(int(number), {})[moment] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return history


def same_task(path: Path, kept: object, task: Task[Any, Any]) -> None:
    """Raises ModelError if what was kept there are the settings of another training."""
    if kept != json.loads(json.dumps(task.as_json())):
        raise ModelError(f"{path} belongs to a training with other settings: give this one another directory")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}."): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{prefix}.")
    }

"""An unfinished training as one file: weights, the optimizer's moments and the history belong together.

The previous one stays until the new one was read back, so a training may be killed at any moment.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor, nn

from attnviz.builtin.schedule import Point
from attnviz.errors import ModelError, OutputError
from attnviz.files import write_whole
from attnviz.inputs import printable

NAME = "checkpoint.safetensors"
NEW = "checkpoint.new.safetensors"


def keep(
    directory: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    history: tuple[Point, ...],
) -> None:
    """Write down where the training stands."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in moments.items()}
    data = serialized(tensors, {"history": json.dumps(history)})
    new = directory / NEW
    write_whole(new, data)
    if new.read_bytes() != data:
        raise OutputError(
            f"{printable(str(new))} was not written as it should be; the checkpoint before is kept"
        )
    new.replace(directory / NAME)


def take_up(directory: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[Point, ...]:
    """Put model and optimizer where the training stood; the rounds behind it, none if it has not begun.

    Raises ModelError if the file is damaged.
    """
    path = directory / NAME
    if not path.exists():
        return ()
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        history = tuple(Point(*point) for point in json.loads(metadata["history"]))
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"{printable(str(path))} cannot be read, delete it to begin again: {error}"
        ) from error
    model.load_state_dict(_under("model", tensors))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimizer", tensors).items():
        number, _, moment = name.partition(".")
        moments.setdefault(int(number), {})[moment] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return history


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}."): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{prefix}.")
    }

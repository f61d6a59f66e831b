"""Where a model computes, and in which number format."""

import torch

from attnviz.errors import ModelError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def device_of(name: str) -> torch.device:
    """The device of this name; auto is a GPU if there is one. Raises ModelError if it is not there."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(f"cuda:{number}" for number in range(gpus))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name == "auto":
        return torch.device(there[1] if len(there) > 1 else "cpu")
    full = "cuda:0" if name == "cuda" else name
    if full not in there:
        raise ModelError(f"no device {name} here: there is {', '.join(there)}")
    return torch.device(full)


def dtype_of(name: str, device: torch.device) -> torch.dtype | None:
    """The number format of this name; auto is float32 on a CPU, and None (the checkpoint's) on a GPU.

    Raises ModelError if there is none of this name.
    """
    if name == "auto":
        return torch.float32 if device.type == "cpu" else None
    if name not in DTYPES:
        raise ModelError(f"no dtype {name}: there are auto, {', '.join(DTYPES)}")
    return DTYPES[name]


def threads() -> int:
    """How many threads of the processor torch computes on here, unless told otherwise."""
    return torch.get_num_threads()


def use_threads(threads: int | None) -> None:
    """From now on torch computes on so many threads of the processor; None leaves it to torch.

    Their number can change the last digits of what is computed.
    """
    if threads is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)

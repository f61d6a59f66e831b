"""Where is computed: the device's own name, and when it is done."""

import platform
from pathlib import Path

import torch

_CPUINFO = Path("/proc/cpuinfo")


def processor_name(device: torch.device) -> str:
    """What the processor, or the GPU, calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _model_name() or platform.processor() or platform.machine()


def _model_name() -> str:
    """What Linux knows of the processor; "" elsewhere."""
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        return ""
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")


def wait(device: torch.device) -> None:
    """Until everything that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def versions() -> dict[str, str]:
    """Of what computes."""
    return {"torch": torch.__version__}

"""The most memory that a call has in use at one moment, above what was in use before.

On a processor torch's own record of every block that it takes and gives back is added up
(``torch.profiler``). That is exact to the byte, the same in every run, and knows what kernels take for
themselves; the size of a process (``ru_maxrss``) is neither, since freed blocks are kept for later. What
libraries such as MKL hold outside of torch's allocator is not in it. On a GPU the
allocator keeps this number itself.
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate

import torch

_LOGS = "KINETO_LOG_LEVEL"
_SILENT = "99"


def peak_bytes(run: Callable[[], object], device: torch.device) -> float:
    """Bytes in use at most while it runs, its result among them; NaN where the device does not tell."""
    if device.type == "cpu":
        return _on_processor(run)
    return _on_gpu(run, device) if device.type == "cuda" else math.nan


def _on_gpu(run: Callable[[], object], device: torch.device) -> float:
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    torch.cuda.synchronize(device)
    return float(torch.cuda.max_memory_allocated(device) - before)


def _on_processor(run: Callable[[], object]) -> float:
    from torch.profiler import ProfilerActivity, profile

    kept = []  # so that the result outlives the run
    with _silent(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        kept.append(run())
    results = record.profiler.kineto_results if record.profiler else None
    events = results.events() if results else []
    blocks = sorted((each.start_ns(), each.nbytes()) for each in events if each.name() == "[memory]")
    return float(max(accumulate(size for _, size in blocks), default=0))


@contextmanager
def _silent() -> Iterator[None]:
    """The profiler does not print on standard error that it begins and ends."""
    before = os.environ.get(_LOGS)
    os.environ[_LOGS] = before or _SILENT
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LOGS]

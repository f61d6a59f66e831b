"""The most memory that a call has in use at one moment, above what was in use before.

On a processor torch's own record of every block that it takes and gives back is added up
(``torch.profiler``). That is exact to the byte, the same in every run, and knows what kernels take for
themselves; the size of a process (``ru_maxrss``) is neither, since freed blocks are kept for later. What
libraries such as MKL hold outside of torch's allocator is not in it. On a GPU the
allocator keeps this number itself.
"""

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch

_ERRORS = 2  # the descriptor of standard error


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
    record = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
    with _silent():
        record.start()
    try:
        kept.append(run())
    finally:
        with _silent():
            record.stop()
    results: Any = record.profiler.kineto_results if record.profiler else None
    events = results.events() if results else []
    blocks = sorted((each.start_ns(), each.nbytes()) for each in events if each.name() == "[memory]")
    return float(max(accumulate(size for _, size in blocks), default=0))


@contextmanager
def _silent() -> Iterator[None]:
    """Inside the block nothing reaches standard error, where the profiler prints that it begins and ends.

    It reads the level of its log once a process, so that to set it may come too late.
    """
    sys.stderr.flush()
    before = os.dup(_ERRORS)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _ERRORS)
    try:
        yield
    finally:
        os.dup2(before, _ERRORS)
        os.close(before)
        os.close(nowhere)

"""How much memory there is to keep maps in, and what is said when it is not enough."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attnviz.errors import RoomError

SHARE = 0.8  # of what is free: the model and the drawing need some too
ALWAYS = 2**20  # bytes that are there wherever a model ran; to ask the system takes longer than to fill them

_CGROUP = Path("/sys/fs/cgroup")
_EXHAUSTED = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")


@dataclass(frozen=True)
class Need:
    """How much memory something will take at most.

    host:    bytes of the machine's memory
    what:    what it is that takes them, in the plural ("maps of 6 heads")
    instead: what would take less
    device:  bytes where the model runs, while it does; on a processor they become those of ``host``
    of:      a word for it that advice is chosen by ("maps"), where that is another for each command
    """

    host: int
    what: str
    instead: str
    device: int = 0
    of: str = ""


def check_room(needs: Sequence[Need], device: str = "cpu") -> None:
    """Raises RoomError if what is needed together is not to be had, before anything is computed.

    device: where the model runs; the memory of a GPU is looked at apart
    """
    if device.startswith("cuda"):
        _check_sum(needs, [need.device for need in needs], partial(free_on, device), f" on {device}")
        _check_sum(needs, [need.host for need in needs], available)
    else:
        _check_sum(needs, [max(need.host, need.device) for need in needs], available)


def _check_sum(
    needs: Sequence[Need], sizes: Sequence[int], ask: Callable[[], int | None], where: str = ""
) -> None:
    """ask: tells how many bytes are free, if that is to be known"""
    total = sum(sizes)
    if total <= ALWAYS or (free := ask()) is None or total <= SHARE * free:
        return
    size, place = max((size, -place) for place, size in enumerate(sizes))
    largest = needs[-place]
    share = "" if shown(size) == shown(total) else f" of the {shown(total)} that are needed"
    usable = f", {SHARE:.0%} of which may be used" if total <= free else ""
    raise RoomError(
        f"{largest.what} take {shown(size)}{share}, and {shown(free)} are free{where}{usable}: ",
        largest.instead,
        of=largest.of,
    )


def check_fits(needed: int, *, what: str, instead: str) -> None:
    """Raises RoomError if so many bytes are not to be had, before anything is computed."""
    check_room([Need(needed, what, instead)])


def available(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = _CGROUP) -> int | None:
    """Bytes that can be had: what the system has available, or what is left of the control group's limit.

    None where neither can be read.
    """
    known = [size for size in (_system(meminfo), _group(cgroup)) if size is not None]
    return min(known) if known else None


def free_on(device: str) -> int | None:
    """Free bytes of a GPU; None where that cannot be asked."""
    import torch  # the rest of this module serves those who need no torch

    return torch.cuda.mem_get_info(torch.device(device))[0] if torch.cuda.is_available() else None


@contextmanager
def answered(reading: str, needs: Sequence[Need], device: str = "cpu") -> Iterator[None]:
    """Inside the block an allocation that fails is an RoomError, with what was expected and what would fit.

    reading: what is going on ("gpt2 read 4,096 tokens")
    needs:   what was expected; none where that is not known yet
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_exhaustion(error):
            raise
        gpu = device.startswith("cuda")
        needed = sum(max(need.host, need.device) for need in needs)
        free = free_on(device) if gpu else available()
        left = f", and {shown(free)} are free" if free is not None else ""
        above = f"what was asked for takes {shown(needed)} above the model's own work{left}"
        alone = f"its own work takes more than {shown(free) + ' that are' if free is not None else 'is'} free"
        largest, way = _worth_saving(needs), "--device cpu" if gpu else "--dtype bfloat16"
        raise RoomError(
            f"memory ran out while {reading}: {above if needs else alone}; ",
            largest.instead if largest else "",
            of=largest.of if largest else "",
            more=f"{'read a shorter text' if needs else 'give less'}, or load the model with {way}",
        ) from error


def _worth_saving(needs: Sequence[Need]) -> Need | None:
    """What takes most, if that is much."""
    largest = max(needs, key=lambda need: max(need.host, need.device), default=None)
    return largest if largest and max(largest.host, largest.device) > _WORTH_IT else None


_WORTH_IT = 100_000_000  # bytes: less than that does not decide whether a run fits


def is_exhaustion(error: Exception) -> bool:
    """Whether there was no memory left; torch says so by words alone on a processor."""
    told = str(error).lower()
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return known or any(words in told for words in _EXHAUSTED)


def _system(meminfo: Path) -> int | None:
    for line in _read(meminfo).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _group(cgroup: Path) -> int | None:
    limit, used = (_read(cgroup / name).strip() for name in ("memory.max", "memory.current"))
    return int(limit) - int(used) if limit.isdecimal() and used.isdecimal() else None


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def shown(size: int) -> str:
    """A number of bytes for a person: "1.4 GB", "23 MB", "4 kB"."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"

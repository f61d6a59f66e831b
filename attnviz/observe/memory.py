"""How much memory there is to keep maps in."""

from dataclasses import dataclass
from pathlib import Path

from attnviz.errors import InputError

SHARE = 0.8  # of what is free: the model and the drawing need some too

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Need:
    """How much memory something will take at most.

    host:    bytes of the machine's memory
    what:    what it is that takes them, in the plural ("maps of 6 heads")
    instead: what would take less
    device:  bytes that lie where the model runs, while it does; on a processor they are among the host's
    """

    host: int
    what: str
    instead: str
    device: int = 0


def check_fits(needed: int, *, what: str, instead: str) -> None:
    """Raises InputError if so many bytes are not to be had, before anything is computed."""
    free = available()
    if free is not None and needed > SHARE * free:
        raise InputError(f"{what} take {_size(needed)}, and {_size(free)} are free: {instead}")


def available(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = _CGROUP) -> int | None:
    """Bytes that can be had: what the system has available, or what is left of the control group's limit.

    None where neither can be read.
    """
    known = [size for size in (_system(meminfo), _group(cgroup)) if size is not None]
    return min(known) if known else None


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


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"

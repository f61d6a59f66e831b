"""Named arrays in one file, in the safetensors format: https://huggingface.co/docs/safetensors.

Eight bytes say how long the header is; the header is JSON and says of each array its type, shape and place;
what follows are the arrays, one behind the other. Arrays are read by mapping the file into memory: opening
a file of 10 GB reads the header. Whatever a file says is checked against its length before it is believed.
"""

import json
import mmap
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

LONGEST_HEADER = 100_000_000  # bytes; what the format allows
MOST_AXES = 8

_LENGTH = 8  # bytes at the start
_ALIGNED = 8  # bytes: arrays begin at multiples of it
_PIECE = 1 << 22  # bytes copied at a time
_TYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}


class DamagedError(ValueError):
    """The file is not what it should be; the message says what is wrong with it."""


class _Entry(NamedTuple):
    """Where one array lies: bytes ``start`` to ``stop`` behind the header."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Contents:
    """An open file: what it says about itself, and its arrays, which are read when they are looked at.

    The file may be replaced by another meanwhile, but not be written into.
    """

    metadata: Mapping[str, str]
    _entries: Mapping[str, _Entry]
    _bytes: mmap.mmap
    _start: int

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    @property
    def names(self) -> Iterable[str]:
        """Those of all arrays."""
        return self._entries.keys()

    def array(self, name: str) -> NDArray[Any]:
        """The array of that name, mapped and read-only. Raises KeyError."""
        entry = self._entries[name]
        if not prod(entry.shape):
            return np.zeros(entry.shape, entry.dtype)
        flat = np.frombuffer(self._bytes, entry.dtype, prod(entry.shape), self._start + entry.start)
        return flat.reshape(entry.shape)


def write(file: BinaryIO, arrays: Arrays, metadata: Mapping[str, str]) -> None:
    """Writes the arrays, of types float32, float64, int64, bool and uint8."""
    file.write(_header(_entries(arrays, 0), metadata))
    _write_arrays(file, arrays)


def write_many(
    file: BinaryIO, batches: Iterable[Arrays], metadata: Mapping[str, str], *, beside: Path
) -> None:
    """Writes arrays that come batch by batch and need not be in memory together.

    The header comes first and is known last, so they wait in an unnamed file in the directory ``beside``.
    """
    from shutil import copyfileobj  # these two take as long to load as a file to open
    from tempfile import TemporaryFile

    entries: dict[str, _Entry] = {}
    with TemporaryFile(dir=beside) as waiting:
        for arrays in batches:
            entries |= _entries(arrays, waiting.tell())
            _write_arrays(waiting, arrays)
        waiting.seek(0)
        file.write(_header(entries, metadata))
        copyfileobj(waiting, file, _PIECE)


def opened(path: Path) -> Contents:
    """The file's contents.

    Raises DamagedError if the file is not in this format or not whole, OSError if it cannot be read.
    """
    if stat.S_ISFIFO(path.stat().st_mode):  # which would wait for ever
        raise DamagedError("it is a pipe, which cannot be mapped into memory")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        metadata, entries, start = _read_header(file, size)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return Contents(metadata, entries, mapped, start)


def _entries(arrays: Arrays, start: int) -> dict[str, _Entry]:
    """Where each array will lie, one behind the other."""
    entries = {}
    for name, array in arrays.items():
        entries[name] = _Entry(array.dtype, array.shape, start, start + array.nbytes)
        start += array.nbytes
    return entries


def _header(entries: Mapping[str, _Entry], metadata: Mapping[str, str]) -> bytes:
    """The first bytes of a file, padded with blanks so that what follows is aligned."""
    described = {
        name: {
            "dtype": _NAMES[entry.dtype],
            "shape": entry.shape,
            "data_offsets": (entry.start, entry.stop),
        }
        for name, entry in entries.items()
    }
    text = json.dumps({"__metadata__": metadata, **described}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    return len(text).to_bytes(_LENGTH, "little") + text


def _write_arrays(file: BinaryIO, arrays: Arrays) -> None:
    for array in arrays.values():
        if array.nbytes:
            file.write(np.ascontiguousarray(array).data)


def _read_header(file: BinaryIO, size: int) -> tuple[Mapping[str, str], dict[str, _Entry], int]:
    """What the file says about itself, its arrays, and the byte at which these begin."""
    if size <= _LENGTH:
        raise DamagedError("it is empty" if not size else f"it has {size} bytes")
    length = int.from_bytes(file.read(_LENGTH), "little")
    if length > min(size - _LENGTH, LONGEST_HEADER):
        raise DamagedError("it is no safetensors file, or cut off in its first lines")
    header = parsed(file.read(length))
    if not isinstance(header, dict):
        raise DamagedError("its header is no table of arrays")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise DamagedError("its header says nothing readable about it")
    entries = {name: _entry(name, said) for name, said in header.items()}
    _check_places(entries, size - _LENGTH - length)
    return metadata, entries, _LENGTH + length


def parsed(data: bytes) -> Any:
    """What JSON says. Raises DamagedError for anything else, also for numbers that are none (``NaN``)."""
    try:
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise DamagedError("what it says about itself cannot be read") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _entry(name: str, said: object) -> _Entry:
    match said:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [start, stop], **more} if not more:
            pass
        case _:
            raise DamagedError(f"its header does not describe {name!r}")
    if kind not in _TYPES or not all(_is_size(number) for number in (start, stop, *shape)):
        raise DamagedError(f"its header gives {name!r} a type or shape that a capture does not have")
    entry = _Entry(_TYPES[kind], tuple(shape), start, stop)
    if len(shape) > MOST_AXES or stop - start != prod(shape) * entry.dtype.itemsize:
        raise DamagedError(f"its header gives {name!r} a size that is not that of its shape")
    return entry


def _is_size(number: object) -> bool:
    return type(number) is int and 0 <= number < 1 << 62


def _check_places(entries: Mapping[str, _Entry], length: int) -> None:
    """Raises DamagedError unless the arrays lie one behind the other and fill what follows the header."""
    ordered = sorted((entry.start, entry.stop) for entry in entries.values())
    edges = [(0, 0), *ordered]
    if any(stop != start for (_, stop), (start, _) in pairwise(edges)):
        raise DamagedError("its arrays overlap, or have gaps between them")
    if (end := edges[-1][1]) != length:
        raise DamagedError(
            f"its arrays take {end:,} bytes and it holds {length:,}: it was cut off or added to"
        )

"""Attention in a ``.npz`` that somebody else made: ``attention[layer, head, query, key]`` and ``tokens``.

Nothing in it is believed: no array is unpickled, and the sizes that the archive and the arrays in it declare
are checked against the file and against each other before anything is unpacked.
"""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, NamedTuple
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from attnviz.captures import Capture
from attnviz.errors import InputError
from attnviz.inputs import printable
from attnviz.stored.arrays import from_arrays

_EXPECTED = "a .npz must hold attention[layer, head, query, key] and tokens"
_KINDS = {"attention": "f", "tokens": "US"}  # floating-point numbers; text, or bytes of it
_DENSEST = 1032  # bytes that a byte of deflate can stand for
_READ = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _DENSEST}


class _Declared(NamedTuple):
    """What an array in the archive says about itself."""

    info: ZipInfo
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * self.dtype.itemsize


def needed(path: Path) -> int:
    """How many bytes the arrays take in memory, by what the file declares.

    Raises InputError if it is no such file, or if what it declares cannot be true.
    """
    with _told(path), ZipFile(path) as archive:
        return sum(_declared(archive, name).size for name in _KINDS)


def read(path: Path) -> Capture:
    """The capture in the file, as ``from_arrays`` makes one; the model is called as the file is.

    Raises InputError as ``needed`` does, and if its arrays are damaged or no attention.
    """
    with _told(path), ZipFile(path) as archive:
        attention, tokens = (_array(archive, _declared(archive, name)) for name in _KINDS)
        if tokens.ndim != 1:
            raise ValueError(f"its tokens have the shape {tokens.shape}: they must be a list")
        return from_arrays(attention, _texts(tokens), name=printable(path.stem), copied=False)


def _declared(archive: ZipFile, name: str) -> _Declared:
    """The array of that name, its size as the archive says and as it says itself being the same."""
    found = [info for info in archive.infolist() if info.filename == f"{name}.npy"]
    if len(found) != 1:
        raise ValueError(f"it holds {len(found) or 'no'} arrays called {name}: {_EXPECTED}")
    [info] = found
    most = _READ.get(info.compress_type)
    if most is None or info.flag_bits & 1:
        raise ValueError(f"{name} is packed in a way that numpy does not use")
    if info.file_size > info.compress_size * most:
        raise ValueError(f"{name} claims {info.file_size:,} bytes, more than are packed in it")
    with archive.open(info) as stream:
        dtype, shape, fortran, start = _header(stream)
    if dtype.kind not in _KINDS[name] or dtype.hasobject:
        raise ValueError(
            f"{name} is of type {dtype}: {_EXPECTED}, as numbers and as text; objects are not read"
        )
    declared = _Declared(info, dtype, shape, fortran)
    if declared.size + start != info.file_size:
        raise ValueError(f"{name} of shape {shape} would take {declared.size:,} bytes, and is another size")
    return declared


def _header(stream: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """Type, shape, order and the place at which the numbers begin. Raises ValueError."""
    version = npy.read_magic(stream)
    if version != (1, 0):  # the others are for headers of more than 64 kB
        raise ValueError(f"an array in it is in version {version[0]}.{version[1]} of numpy's format")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, fortran, dtype = npy.read_array_header_1_0(stream)
    except (ValueError, TypeError, SyntaxError, TokenError, RecursionError, MemoryError) as error:
        raise ValueError("an array in it has a header that cannot be read") from error
    if min(shape, default=0) < 0:
        raise ValueError(f"an array in it has the shape {shape}")
    return dtype, shape, fortran, stream.tell()


def _array(archive: ZipFile, declared: _Declared) -> NDArray[Any]:
    """The array itself; the archive's checksum is compared."""
    with archive.open(declared.info) as stream:
        _header(stream)
        data = stream.read(declared.size + 1)  # one more: at the end the checksum is compared
    if len(data) != declared.size:
        raise ValueError(f"{declared.info.filename} is cut off")
    flat = np.frombuffer(data, declared.dtype) if data else np.zeros(prod(declared.shape), declared.dtype)
    return flat.reshape(declared.shape, order="F" if declared.fortran else "C")


def _texts(tokens: NDArray[Any]) -> list[str]:
    """The tokens as text. Raises ValueError for bytes that are no UTF-8."""
    return [token.decode() if isinstance(token, bytes) else str(token) for token in tokens.tolist()]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What is wrong with a file, as one line: the archive and the arrays raise any of these."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {printable(str(path))}: {error.strerror or error}") from error
    except (ValueError, InputError) as error:
        raise InputError(f"cannot read {printable(str(path))}: {printable(str(error))}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        # a RuntimeError is zipfile's for what is encrypted, or in a version or packing that it does not know
        raise InputError(
            f"cannot read {printable(str(path))}: it is damaged ({printable(str(error))})"
        ) from error

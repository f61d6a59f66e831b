"""PNG files of pictures with a palette, after the W3C's specification (third edition)."""

import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH, _PALETTE = 8, 3  # bits of a dot; the type of colour
_UP = 2  # the filter: each byte less the one above it, for rows of cells are alike
_LEVEL = 3
_METRES = 39.3701  # inches in one


def palette_png(
    dots: NDArray[np.uint8], table: NDArray[np.uint8], texts: Mapping[str, str], dpi: int
) -> bytes:
    """A picture as a file.

    dots:  ``[rows, columns]`` numbers of colours; table: ``[colours, 3]``
    texts: what else it says, by keywords of PNG ("Title"); empty ones are left out
    """
    return _SIGNATURE + b"".join(_chunk(*part) for part in _parts(dots, table, texts, dpi))


def _parts(
    dots: NDArray[np.uint8], table: NDArray[np.uint8], texts: Mapping[str, str], dpi: int
) -> Iterator[tuple[bytes, bytes]]:
    rows, columns = dots.shape
    yield b"IHDR", struct.pack(">IIBBBBB", columns, rows, _DEPTH, _PALETTE, 0, 0, 0)
    yield b"PLTE", table.tobytes()
    yield b"pHYs", struct.pack(">IIB", *[round(dpi * _METRES)] * 2, 1)
    for keyword, text in texts.items():
        if text:
            yield (
                b"iTXt",
                keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8", "backslashreplace"),
            )
    yield b"IDAT", zlib.compress(_filtered(dots).tobytes(), _LEVEL)
    yield b"IEND", b""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _filtered(dots: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each row less the one above it, after the number of the filter."""
    rows, columns = dots.shape
    filtered = np.empty((rows, columns + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = dots[0]
    np.subtract(dots[1:], dots[:-1], out=filtered[1:, 1:])
    return filtered

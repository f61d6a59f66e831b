"""The recipe inside of a file that attnviz wrote, whatever its kind. Files are foreign data: nothing in them
is run, and what is no recipe is an error."""

import html
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from attnviz.errors import InputError
from attnviz.inputs import printable
from attnviz.recipes import Recipe

LARGEST = 2**28  # bytes of a file that is read
_KEYWORD = b"attnviz:recipe"
_PDF = re.compile(rb"/Keywords \(((?:[^()\\]|\\.)*)\)", re.DOTALL)
_SVG = re.compile(rb"<dc:description>(.*?)</dc:description>", re.DOTALL)
_FIRST_LINE = re.compile(rb"(?:# |% attnviz: |<!-- attnviz: )(\{.*\})(?: -->)?\s*\n")


def recipe_in(file: Path) -> Recipe:
    """How the file was made. Raises InputError if it cannot be read, or holds no recipe."""
    shown = printable(str(file))
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot read {shown}: {error.strerror or error}") from error
    text = _found(data[:LARGEST])
    if not text:
        raise InputError(
            f"{shown} holds no recipe: give a .png, .pdf, .svg, .json, .csv, .npz, .md or .tex of attnviz"
        )
    try:
        return Recipe.from_json(text)
    except InputError as error:
        raise InputError(f"{shown}: {error}") from error


def _found(data: bytes) -> str | None:
    for opening, find in _FINDERS.items():
        if data.startswith(opening):
            return find(data)
    return _matched(_FIRST_LINE, data) if data.startswith((b"#", b"%", b"<!--")) else None


def _png(data: bytes) -> str | None:
    for kind, body in _chunks(data):
        keyword, _, text = body.partition(b"\0")
        if keyword == _KEYWORD and kind in (b"tEXt", b"iTXt"):
            plain = text if kind == b"tEXt" else text[4:]  # not compressed, no language, nothing translated
            return plain.decode("utf-8", "replace")
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        yield kind, data[place + 8 : place + 8 + length]
        place += length + 12


def _pdf(data: bytes) -> str | None:
    text = _matched(_PDF, data)
    return None if text is None else re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _svg(data: bytes) -> str | None:
    text = _matched(_SVG, data)
    return None if text is None else html.unescape(text)


def _json(data: bytes) -> str | None:
    """The recipe of a document, or a recipe alone."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return json.dumps(document.get("recipe", document))


def _npz(data: bytes) -> str | None:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return str(arrays["recipe"][()])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _matched(pattern: re.Pattern[bytes], data: bytes) -> str | None:
    match = pattern.search(data)
    return match and match[1].decode("utf-8", "replace")


_FINDERS: dict[bytes, Callable[[bytes], str | None]] = {
    b"\x89PNG": _png,
    b"%PDF": _pdf,
    b"<?xml": _svg,
    b"<svg": _svg,
    b"{": _json,
    b"PK": _npz,
}

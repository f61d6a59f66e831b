"""A page as a file, by its suffix; written whole or not at all."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attnviz.errors import OutputError
from attnviz.files import is_directory, write_whole
from attnviz.inputs import printable
from attnviz.recipes import Style
from attnviz.render.figure import ROOM, figure
from attnviz.render.numbers import numbers_bytes
from attnviz.render.pen import figure_bytes
from attnviz.render.pooling import fitted
from attnviz.render.views import Page

Notes = tuple[str, ...]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    openings: what such a file begins with: one of these
    write:    the file's bytes, and what its maker should be told
    """

    openings: tuple[bytes, ...]
    write: Callable[[Page, Style], tuple[bytes, Notes]]


def save(page: Page, path: Path, style: Style, *, force: bool = False) -> Notes:
    """Writes the page in the format of the path's suffix. Returns what its maker should be told.

    Raises OutputError as ``checked`` does, and if the writing fails; then nothing is left behind.
    """
    data, notes = checked(path, force=force).write(page, style)
    write_whole(path, data)
    return notes


def checked(path: Path, *, force: bool = False) -> Format:
    """The format that a file of this name will have, if it may be written; to be asked before long work.

    Raises OutputError for an unknown suffix, a directory, a place that is not there, and an existing file
    of another format unless forced.
    """
    suffix = path.suffix.lower()
    if is_directory(path):
        raise OutputError(f"cannot write {_shown(path)}: it is a directory; name a file in it")
    if suffix not in FORMATS:
        raise OutputError(
            f"cannot write {_shown(path)}: "
            f"no format is known by the suffix {suffix!r}; these are: {', '.join(FORMATS)}"
        )
    if not is_directory(path.parent):
        raise OutputError(f"cannot write {_shown(path)}: there is no directory {_shown(path.parent)}")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {_shown(path)}: {_shown(path.parent)} may not be written to")
    if _exists(path) and not (force or _is_one(path, FORMATS[suffix])):
        raise OutputError(
            f"cannot write {_shown(path)}: a file is there that is no {suffix} of this kind; "
            "--force replaces it"
        )
    return FORMATS[suffix]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise OutputError(f"cannot write {_shown(path)}: {error.strerror or error}") from error


def _is_one(path: Path, kind: Format) -> bool:
    """Whether the file is of this format, or empty."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            opening = file.read(max(map(len, kind.openings)))
    except OSError as error:
        raise OutputError(f"cannot replace {_shown(path)}: {error.strerror or error}") from error
    return opening.startswith(kind.openings) or not opening


def _picture(page: Page, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    page = fitted(page, ROOM)
    drawn, notes = figure(page, style)
    return figure_bytes(drawn, suffix, page), notes


def _numbers(page: Page, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    return numbers_bytes(page, suffix), ()


def _shown(path: Path) -> str:
    return printable(str(path))


FORMATS = {
    ".png": Format((b"\x89PNG\r\n",), partial(_picture, suffix=".png")),
    ".pdf": Format((b"%PDF-",), partial(_picture, suffix=".pdf")),
    ".svg": Format((b"<?xml", b"<svg"), partial(_picture, suffix=".svg")),
    ".json": Format((b'{"schema":',), partial(_numbers, suffix=".json")),
    ".csv": Format((b"# {", b'"layer"'), partial(_numbers, suffix=".csv")),
    ".npz": Format((b"PK\x03\x04",), partial(_numbers, suffix=".npz")),
}

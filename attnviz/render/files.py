"""A page as a file, by its suffix; written whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attnviz.errors import OutputError
from attnviz.files import check_place, is_directory, write_whole
from attnviz.inputs import printable
from attnviz.recipes import Style
from attnviz.render.figure import ROOM, figure, figure_bytes
from attnviz.render.numbers import numbers_bytes
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
    if suffix not in FORMATS and not is_directory(path):
        raise OutputError(
            f"cannot write {_shown(path)}: "
            f"no format is known by the suffix {suffix!r}; these are: {', '.join(FORMATS)}"
        )
    check_place(
        path, same=lambda path: _is_one(path, FORMATS[suffix]), kind=f"{suffix} of this kind", force=force
    )
    return FORMATS[suffix]


def _is_one(path: Path, kind: Format) -> bool:
    """Whether the file is of this format, or empty."""
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

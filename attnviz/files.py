"""Files written whole or not at all, and questions to a file system that may answer with an error."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from attnviz.errors import OutputError
from attnviz.inputs import printable


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all. Raises OutputError if that cannot be done."""
    with writing_whole(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write into under another name beside its place; it is moved there when all went well.

    A link is followed: what it points to is replaced. Raises OutputError if that cannot be done.
    """
    name = f".attnviz-{os.urandom(6).hex()}.part"
    draft = path.with_name(name)
    try:
        target = path.resolve()
        draft = target.with_name(name)
        with draft.open("xb") as file:
            yield file
        draft.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {printable(str(path))}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def check_place(path: Path, *, same: Callable[[Path], bool], kind: str, force: bool = False) -> None:
    """Raises OutputError unless a file may be written there; to be asked before long work.

    same: whether the file that is there is one of the kind, and may be replaced
    kind: how such files are called
    """
    shown = printable(str(path))
    if is_directory(path):
        raise OutputError(f"cannot write {shown}: it is a directory; name a file in it")
    if not is_directory(path.parent):
        raise OutputError(f"cannot write {shown}: there is no directory {printable(str(path.parent))}")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {shown}: {printable(str(path.parent))} may not be written to")
    if _exists(path) and not (force or (is_file(path) and same(path))):
        raise OutputError(f"cannot write {shown}: a file is there that is no {kind}; --force replaces it")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise OutputError(f"cannot write {printable(str(path))}: {error.strerror or error}") from error


def make_directory(path: Path) -> None:
    """Makes a directory and those above it. Raises OutputError if that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        shown = printable(str(path))
        if taken := next((part for part in (path, *path.parents) if is_file(part)), None):
            which = "it" if taken == path else printable(str(taken))
            raise OutputError(
                f"cannot make the directory {shown}: {which} is a file; name another directory"
            ) from error
        raise OutputError(f"cannot make the directory {shown}: {error.strerror or error}") from error


def name_of(directory: Path) -> str:
    """The last part of a directory's path as it was typed; of ``.`` and the like its own name."""
    return directory.name if directory.name not in ("", "..") else directory.resolve().name


def is_directory(path: Path) -> bool:
    """Whether there is such a directory; a name that cannot be one (too long, out of reach) is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def begins_with(path: Path, opening: bytes) -> bool:
    """Whether there is a regular file that can be read and begins so."""
    if not is_file(path):  # a pipe would wait for ever
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(opening)) == opening
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether there is such a regular file, likewise."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False

"""Files written whole or not at all, and questions to a file system that may answer with an error."""

import contextlib
import secrets
from pathlib import Path

from attnviz.errors import OutputError
from attnviz.inputs import printable


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file under another name beside its place, and moves it there when it is complete.

    A link is followed: what it points to is replaced. Raises OutputError if that cannot be done.
    """
    name = f".attnviz-{secrets.token_hex(6)}.part"
    draft = path.with_name(name)
    try:
        target = path.resolve()
        draft = target.with_name(name)
        with draft.open("xb") as file:
            file.write(data)
        draft.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {printable(str(path))}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Makes a directory and those above it. Raises OutputError if that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write into {printable(str(path))}: {error.strerror or error}") from error


def is_directory(path: Path) -> bool:
    """Whether there is such a directory; a name that cannot be one (too long, out of reach) is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False

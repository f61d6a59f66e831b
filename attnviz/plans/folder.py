"""A directory of figures: locked while somebody writes there, with a journal of what is done.

The journal is a file of JSON lines that only grows while an export runs. A line is written when what it
speaks of is whole; the last one may be torn by whatever ended the process, and then is left out.
"""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO, Self

from attnviz.errors import OutputError
from attnviz.files import make_directory, write_whole
from attnviz.inputs import printable
from attnviz.plans.jobs import STATE

JOURNAL, LOCK, SEEN = "journal.jsonl", "lock", "seen"


@dataclass(frozen=True)
class Figure:
    """A figure that is done, as ``figures.jsonl`` lists it.

    file:    below the directory; sha256: of its bytes
    recipe:  how it was made; hidden: share of the weight that is not shown, by why; of "diff" of each side
    title:   what it is of; notes: what must be said of it
    caption: both, for a reader; alternative: what can be seen, for who cannot
    """

    file: str
    sha256: str
    recipe: Mapping[str, Any]
    hidden: Any = field(default_factory=dict)
    title: str = ""
    caption: str = ""
    alternative: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """A figure in the journal: its key, its size, and its entry as JSON."""

    key: str
    size: int
    figure: Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """The file of what was seen of a sample, in the journal."""

    size: int
    sha256: str


@dataclass
class Folder:
    """A directory of figures, opened by one process.

    figures: those that are done, by their file
    seen:    the files of what was seen of samples, by their keys
    facts:   what is known of models by their stamp: ``[stack, layer, heads, window]`` of each layer
    whole:   the key of the plan whose lists are in place, and the lists' sizes
    """

    path: Path
    figures: dict[str, Done] = field(default_factory=dict)
    seen: dict[str, Known] = field(default_factory=dict)
    facts: dict[str, list[list[Any]]] = field(default_factory=dict)
    whole: Mapping[str, Any] = field(default_factory=dict)
    _journal: BinaryIO | None = None

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """The directory, made if it is missing, for this process alone.

        Raises OutputError if it cannot be written to, or another process is at work in it.
        """
        make_directory(path / STATE / SEEN)
        with _locked(path / STATE / LOCK, path):
            folder = cls(path)
            folder._read()
            try:
                yield folder
            finally:
                if folder._journal is not None:
                    folder._journal.close()

    @classmethod
    def looked_at(cls, path: Path) -> Self:
        """The directory as it is, or would be if it were there; nothing may be written."""
        folder = cls(path)
        folder._read()
        return folder

    def has(self, file: str, key: str) -> bool:
        """Whether the figure is done and its file in place, with its size."""
        done = self.figures.get(file)
        return done is not None and done.key == key and _size(self.path / file) == done.size

    def has_seen(self, key: str) -> bool:
        known = self.seen.get(key)
        return known is not None and _size(self.seen_file(key)) == known.size

    def seen_file(self, key: str) -> Path:
        """Where what was seen of a sample is kept."""
        return self.path / STATE / SEEN / f"{key}.safetensors"

    def add_figure(self, key: str, figure: Figure, data: bytes) -> None:
        """Writes a figure whole, then says so. Raises OutputError if that cannot be done."""
        target = self.path / figure.file
        make_directory(target.parent)
        write_whole(target, data)
        entry = asdict(figure)
        self._say({"figure": entry, "key": key, "size": len(data)})

    def add_seen(self, key: str) -> None:
        """Says that the file of what was seen is whole."""
        file = self.seen_file(key)
        self._say({"seen": key, "size": _size(file), "sha256": sha256(file)})

    def add_facts(self, stamp: str, layers: Sequence[Sequence[Any]]) -> None:
        self._say({"model": stamp, "layers": layers})

    def finish(self, key: str, outputs: Sequence[str], keep: set[str]) -> None:
        """Says that the lists are in place, and leaves in the journal only what still is true.

        keep: keys of figures and of what was seen that the plan needs
        """
        sizes = {name: _size(self.path / name) for name in outputs}
        self.figures = {file: done for file, done in self.figures.items() if done.key in keep}
        for name in set(self.seen) - keep:
            self.seen_file(name).unlink(missing_ok=True)
        self.seen = {name: known for name, known in self.seen.items() if name in keep}
        lines: list[Mapping[str, Any]] = [
            {"model": stamp, "layers": layers} for stamp, layers in sorted(self.facts.items())
        ]
        lines += [{"seen": name, **asdict(known)} for name, known in sorted(self.seen.items())]
        lines += [
            {"figure": done.figure, "key": done.key, "size": done.size}
            for _, done in sorted(self.figures.items())
        ]
        lines.append({"whole": key, "outputs": sizes})
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        write_whole(self.path / STATE / JOURNAL, b"".join(map(_line, lines)))

    def is_whole(self, key: str) -> bool:
        """Whether the lists of this plan are in place."""
        sizes = self.whole.get("outputs", {})
        return (
            self.whole.get("whole") == key
            and bool(sizes)
            and all(_size(self.path / name) == size for name, size in sizes.items())
        )

    def forget(self, files: Sequence[str], seen: Sequence[str]) -> None:
        """What has turned out not to be as it was."""
        for file in files:
            self.figures.pop(file, None)
        for key in seen:
            self.seen.pop(key, None)
        self.whole = {}

    def _read(self) -> None:
        file = self.path / STATE / JOURNAL
        data = file.read_bytes() if file.is_file() else b""
        for line in data.split(b"\n")[:-1]:  # what follows the last line break is torn
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self._take(json.loads(line))

    def _take(self, line: Mapping[str, Any]) -> None:
        if "figure" in line:
            self.figures[line["figure"]["file"]] = Done(line["key"], line["size"], line["figure"])
        elif "seen" in line:
            self.seen[line["seen"]] = Known(line["size"], line["sha256"])
        elif "model" in line:
            self.facts[line["model"]] = line["layers"]
        elif "whole" in line:
            self.whole = line

    def _say(self, line: Mapping[str, Any]) -> None:
        """A line at the end of the journal; after a torn one it begins anew."""
        file = self.path / STATE / JOURNAL
        try:
            if self._journal is None:
                _mend(file)
                self._journal = file.open("ab", buffering=0)
            data = _line(line)
            if self._journal.write(data) < len(data):  # as a full disk does it, before it says so
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise OutputError(f"cannot write {printable(str(file))}: {error.strerror or error}") from error
        self._take(line)


def figure_of(entry: Mapping[str, Any]) -> Figure:
    """A figure from its entry in the journal."""
    known = {each.name for each in fields(Figure)}
    return Figure(**{name: value for name, value in entry.items() if name in known})


def sha256(path: Path) -> str:
    """The digest of a file; "" of one that is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _mend(file: Path) -> None:
    """Cuts off a torn last line: what is written next would become part of it."""
    if not file.is_file():
        return
    with file.open("r+b") as journal:
        data = journal.read()
        journal.truncate(data.rfind(b"\n") + 1)


def _line(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, sort_keys=True, ensure_ascii=True).encode() + b"\n"


def _size(path: Path) -> int:
    """Of a regular file; -1 where there is none."""
    try:
        known = path.stat()
    except (OSError, ValueError):
        return -1
    return known.st_size if path.is_file() else -1


@contextlib.contextmanager
def _locked(file: Path, directory: Path) -> Iterator[None]:
    """Held by this process alone, until it ends by whatever cause."""
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(f"cannot write {printable(str(file))}: {error.strerror or error}") from error
    try:
        if not _taken(lock):
            raise OutputError(
                f"another export is at work in {printable(str(directory))}: wait for it, or name another "
                "directory with -o"
            )
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    """Whether the lock could be had; the system frees it when the process ends."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""Capture files: one sample or many, everything of each, and how it was made.

A file is a safetensors file (``container``). Its metadata holds ``format`` ("attnviz capture"), ``schema``
and ``samples`` (how many). The arrays of sample 0 are called ``0/...``: ``0/record`` is JSON in UTF-8, with
the capture, the axes that it names by number, and the recipe; the others are what the capture holds, such
as ``0/maps/3/weights`` for the weights ``[heads, queries, keys]`` of layer 3. The schema number grows with
every change of the records.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Axis, Capture, Captures
from attnviz.errors import InputError, OutputError
from attnviz.files import check_place, writing_whole
from attnviz.inputs import printable
from attnviz.recipes import Choice, Recipe, Style, recipe
from attnviz.stored import container
from attnviz.stored.checks import check
from attnviz.stored.codec import Parts, Taken, codec, record
from attnviz.stored.container import Contents, DamagedError
from attnviz.stored.textless import without_text

FORMAT = "attnviz capture"
SCHEMA = 1
SUFFIX = ".safetensors"

_ALIGNED = 8  # bytes
_LONGEST_REASON = 200  # characters of what a stranger's file makes us say


def write(path: Path, captures: Captures, *, text: bool = True, force: bool = False) -> None:
    """Writes the captures, read one at a time, whole or not at all.

    text:  keep what was read; without it labels are places, and only a digest tells which text it was
    force: replace a file that is no capture
    Raises OutputError if that cannot be done.
    """
    check_target(path, force=force)
    if not captures:
        raise OutputError(f"cannot write {printable(str(path))}: there are no samples to write")
    metadata = {"format": FORMAT, "schema": str(SCHEMA), "samples": str(len(captures))}
    samples = (_taken_apart(number, capture, text) for number, capture in enumerate(captures))
    with writing_whole(path) as file:
        if len(captures) == 1:
            container.write(file, next(samples), metadata)
        else:
            container.write_many(file, samples, metadata, beside=path.resolve().parent)


def check_target(path: Path, *, force: bool = False) -> None:
    """Raises OutputError unless a capture file may be written there; to be asked before long work."""
    if path.suffix.lower() != SUFFIX:
        raise OutputError(f"cannot write {printable(str(path))}: a capture is a {SUFFIX} file")
    check_place(path, same=_is_capture, kind="capture", force=force)


def read(path: Path) -> Captures:
    """The captures in a file, each read when it is asked for; their maps stay in the file.

    Raises InputError if the file cannot be read, is damaged, or of a later schema.
    """
    with _told(path):
        contents = container.opened(path)
        count = _samples(contents)

    def sample(number: int) -> Capture:
        with _told(path):
            return _sample(contents, number)

    return Captures(count, sample)


def read_recipe(path: Path, number: int = 0) -> Recipe:
    """How the sample of that number was captured. Raises InputError as ``read`` does."""
    with _told(path):
        contents = container.opened(path)
        count = _samples(contents)
        if number not in range(count):
            raise DamagedError(f"it has no sample {number}: there are {count}")
        return Recipe.from_json(json.dumps(_record(contents, number)["recipe"]))


def _taken_apart(number: int, capture: Capture, text: bool) -> dict[str, NDArray[Any]]:
    """The arrays of one sample by their names in the file: long numbers first, so that all are aligned."""
    made = recipe(
        "capture", capture, Choice(), Style(), view="capture", reduction=_kept(capture), with_text=text
    )
    taken = Taken()
    whole = codec(Capture).apart(capture if text else without_text(capture), str(number), taken)
    axes = [record(Axis).apart(axis, "", taken) for axis in taken.axes]
    said = json.dumps({"capture": whole, "axes": axes, "recipe": made.entries()}, allow_nan=False).encode()
    ordered = dict(sorted(taken.arrays.items(), key=lambda item: -item[1].itemsize))
    room = sum(array.nbytes for array in ordered.values()) + len(said)
    said += b" " * (-room % _ALIGNED)
    return {**ordered, f"{number}/record": np.frombuffer(said, np.uint8)}


def _kept(capture: Capture) -> dict[str, Any]:
    """What of the model's attention is in the capture: heads by layer, and what else there is."""
    others = ("pooled", "means", "rollout", "words", "statistics", "pairs")
    return {
        "maps": {maps.name: list(maps.heads) for maps in capture.maps},
        "besides": [name for name in others if getattr(capture, name)],
    }


def _samples(contents: Contents) -> int:
    """How many samples there are. Raises DamagedError if the file holds something else."""
    said = contents.metadata
    if said.get("format") != FORMAT:
        raise DamagedError("it is no capture, but holds tensors of something else; attnviz capture makes one")
    schema, samples = said.get("schema", ""), said.get("samples", "")
    if schema != str(SCHEMA):
        later = schema.isdecimal() and int(schema) > SCHEMA
        raise DamagedError(
            f"it is of schema {schema} and this version of attnviz reads {SCHEMA}"
            + (": a later one can read it" if later else "")
        )
    count = int(samples) if samples.isdecimal() else 0
    if not count or not all(f"{number}/record" in contents for number in range(count)):
        raise DamagedError(f"it does not hold the {samples} samples that it tells of")
    if not {name.partition("/")[0] for name in contents.names} <= set(map(str, range(count))):
        raise DamagedError(f"it holds more samples than the {samples} that it tells of")
    return count


def _sample(contents: Contents, number: int) -> Capture:
    said = _record(contents, number)
    axes = [_harmless(record(Axis).together(axis, Parts(contents.array, []))) for axis in said["axes"]]
    capture: Capture = codec(Capture).together(said["capture"], Parts(contents.array, axes))
    check(capture, axes)
    return replace(capture, notes=_shown(capture.notes))


def _record(contents: Contents, number: int) -> dict[str, Any]:
    """What the file says of a sample, besides its arrays."""
    said = container.parsed(contents.array(f"{number}/record").tobytes())
    if not isinstance(said, dict) or said.keys() != {"capture", "axes", "recipe"}:
        raise DamagedError("a sample is no record of a capture")
    return said


def _shown(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts that are harmless to print; those that were are unchanged."""
    return tuple(text if text.isprintable() else printable(text) for text in texts)


def _harmless(axis: Axis) -> Axis:
    """The axis with labels that can be printed: ours are, a stranger's may not be."""
    return replace(axis, labels=_shown(axis.labels))


def _is_capture(path: Path) -> bool:
    """Whether there is a capture of any schema, or an empty file."""
    try:
        return not path.stat().st_size or container.opened(path).metadata.get("format") == FORMAT
    except (OSError, DamagedError):
        return False


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What is wrong with a file, as one line: records of what does not fit raise any of these."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {printable(str(path))}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, InputError) as error:
        raise InputError(f"cannot read {printable(str(path))}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, DamagedError):
        return str(error)
    return printable(f"it is damaged: {str(error) or type(error).__name__}")[:_LONGEST_REASON]

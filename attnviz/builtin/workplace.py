"""The directory of a training: whose it is, from the first moment to the finished model.

``UNFINISHED`` says what is being trained there. It is written first: a directory with one may be gone on
with, and one without is nobody's workplace, so what it holds is not touched.
"""

import json
from pathlib import Path
from typing import Any

from attnviz.builtin import UNFINISHED, checkpoint, snapshots, store
from attnviz.builtin.tasks import Task
from attnviz.errors import ModelError, OutputError
from attnviz.files import make_directory, write_whole
from attnviz.inputs import printable

_MADE = (store.CONFIG, store.WEIGHTS, store.TOKENIZER, snapshots.NAME)


def finished(directory: Path, task: Task[Any, Any]) -> bool:
    """Whether the directory holds the model of just this training, and nothing is left to do.

    Raises ModelError if it is that of another.
    """
    if not store.architecture_in(directory):
        return False
    if _trained_as(directory) != settings(task):
        raise ModelError(
            f"{printable(str(directory))} holds a model of another training: give this one another "
            "directory, or --force replaces it"
        )
    clear(directory)  # it may have been killed while it did so
    return True


def claim(directory: Path, task: Task[Any, Any], *, force: bool) -> None:
    """Make the directory this training's, or find that it is.

    force: begin anew, whatever is there
    Raises ModelError if another training is unfinished there, OutputError if there are files in the place of
    those that will be written, or it cannot be written to.
    """
    make_directory(directory)
    if force:
        (directory / store.CONFIG).unlink(missing_ok=True)  # what has one is a whole model
        clear(directory)
    elif (directory / UNFINISHED).exists():
        _check_same(directory, task)
        return
    else:
        _check_free(directory)
    write_whole(directory / UNFINISHED, json.dumps(settings(task), indent=2).encode())


def clear(directory: Path) -> None:
    """Leave of a training only the model."""
    for name in (checkpoint.NAME, checkpoint.NEW, UNFINISHED):
        (directory / name).unlink(missing_ok=True)


def settings(task: Task[Any, Any]) -> Any:
    """What is written down of a task."""
    return json.loads(json.dumps(task.as_json()))


def _trained_as(directory: Path) -> Any:
    """The settings of the model in a directory; None if it holds no record of them."""
    try:
        return store.training_record(directory).get("task")
    except ModelError:
        return None


def _check_same(directory: Path, task: Task[Any, Any]) -> None:
    file = directory / UNFINISHED
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{printable(str(file))} cannot be read: --force begins anew ({error})") from error
    if kept != settings(task):
        changed = ", ".join(_changed(kept, settings(task)))
        raise ModelError(
            f"{printable(str(directory))} holds an unfinished training with other settings ({changed}): give "
            "this one another directory, or --force begins anew"
        )


def _check_free(directory: Path) -> None:
    taken = [name for name in _MADE if (directory / name).exists()]
    if taken:
        raise OutputError(
            f"cannot train into {printable(str(directory))}: it holds {taken[0]}, and no training that could "
            "be gone on with; --force replaces it"
        )


def _changed(kept: Any, wanted: Any, path: str = "") -> list[str]:
    """The names of settings that are not the same: "model.heads 4, now 8"."""
    if isinstance(kept, dict) and isinstance(wanted, dict):
        names = [*wanted, *(name for name in kept if name not in wanted)]
        inner = f"{path}." if path else ""
        return [
            change
            for name in names
            for change in _changed(kept.get(name), wanted.get(name), inner + printable(str(name)))
        ]
    return [] if kept == wanted else [f"{path} {printable(str(kept))}, now {printable(str(wanted))}"]

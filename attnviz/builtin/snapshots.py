"""Models as they were during a training: directories beside each other, named by their step.

Early steps matter most, so they stand evenly on the logarithm: the model that has learnt nothing, the trained
one, and between them ever longer ways.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from attnviz.builtin import store
from attnviz.builtin.model import OwnModel
from attnviz.errors import ModelError
from attnviz.inputs import printable

NAME = "snapshots"
_FIRST = 1 / 256  # of all steps: where the first one after the beginning stands, if they are many


def spread(steps: int, count: int) -> tuple[int, ...]:
    """At which of so many steps snapshots are taken: 0, then evenly on the logarithm up to the last.

    They are fewer where two would be the same.
    """
    if count < 2:
        return (steps,)[:count]
    places = np.geomspace(max(1.0, steps * _FIRST), steps, count - 1) if count > 2 else [float(steps)]
    return (0, *dict.fromkeys(round(place) for place in places))


def taken_in(directory: Path) -> tuple[tuple[int, Path], ...]:
    """The snapshots of a training, each with its step, the first one first.

    Raises ModelError if there are none.
    """
    try:
        names = [path for path in (directory / NAME).iterdir() if path.name.isdecimal()]
    except OSError:
        names = []
    whole = [path for path in names if store.architecture_in(path)]
    if not whole:
        raise ModelError(
            f"{printable(str(directory))} holds no snapshots of a training: attnviz train NAME --snapshots N "
            "-o DIRECTORY keeps them"
        )
    return tuple(sorted((int(path.name), path) for path in whole))


def check(directory: Path, steps: Sequence[int], reached: int) -> None:
    """Raises ModelError if a training that has reached a step did not take all snapshots before it."""
    missed = [step for step in steps if step < reached and not store.architecture_in(_place(directory, step))]
    if missed:
        raise ModelError(
            f"{printable(str(directory))} was trained beyond step {missed[0]} and did not keep it: ask for "
            "as many snapshots as before, or give this training another directory"
        )


@dataclass(frozen=True)
class Album:
    """The snapshots of one training.

    steps:  at which they are taken
    record: how the training goes, to be kept with each of them
    """

    directory: Path
    steps: Sequence[int]
    tokenizer: Tokenizer
    record: Mapping[str, Any]

    def begin(self, step: int) -> None:
        """To be called before a training goes on from a step: from the first, with an empty album.

        Raises ModelError if it went by a step that should be in it.
        """
        if step == 0:
            shutil.rmtree(self.directory / NAME, ignore_errors=True)
        check(self.directory, self.steps, step)

    def take(self, step: int, model: OwnModel) -> None:
        """Keeps the model as it is after so many steps, if that is one of them."""
        if step in self.steps:
            store.save(_place(self.directory, step), model, self.tokenizer, {**self.record, "step": step})


def _place(directory: Path, step: int) -> Path:
    return directory / NAME / f"{step:06d}"

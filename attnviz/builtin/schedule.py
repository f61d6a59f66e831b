"""How long and how fast a model of ours is trained, and what is known of it afterwards."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class Schedule:
    """The course of a training, whatever is learnt in it.

    steps:  of the whole training
    round:  steps between two checkpoints; with each new round new texts are drawn
    batch:  texts in a step
    rate:   the largest step size, reached after ``warmup`` (a share of all steps); from there it falls to 0
    decay:  weight decay
    """

    steps: int
    round: int
    batch: int
    rate: float
    seed: int = 0
    warmup: float = 0.05
    decay: float = 0.01

    @property
    def rounds(self) -> int:
        """How many there are; the last may be shorter."""
        return math.ceil(self.steps / self.round)

    def seed_of(self, number: int) -> int:
        """A seed for each round that no round of another training shares; -1 and -2 are for other uses."""
        return int(np.random.SeedSequence((self.seed, number + 2)).generate_state(1, np.uint64)[0])

    def rate_at(self, progress: float) -> float:
        """The step size when that share of all steps is done."""
        return self.rate * min(progress / self.warmup, (1 - progress) / (1 - self.warmup))


@dataclass(frozen=True)
class Courses(Schedule):
    """Several courses in a row: in each the step size rises and falls (SGDR, Loshchilov & Hutter 2017).

    parts: the share of the steps that each has
    again: the largest step size of each, as a share of that of the one before
    """

    parts: tuple[float, ...] = (1.0,)
    again: float = 0.75

    def rate_at(self, progress: float) -> float:
        step = round(progress * self.steps)
        for number, part in enumerate(self.parts):
            length = max(1, round(part * self.steps))
            if step < length or number == len(self.parts) - 1:
                break
            step -= length
        return self.again**number * super().rate_at(min(1.0, step / length))


class Point(NamedTuple):
    """How far a training was after a round.

    loss:     mean over the round, nats an answer
    accuracy: share of the answers on held-out texts that are right
    """

    round: int
    loss: float
    accuracy: float


class Progress(NamedTuple):
    """Where a training stands, told when work begins, after every step, and after every round.

    step:    how many are done
    loss:    of the last step, nats an answer; NaN before the first
    history: the rounds behind
    seconds: since it was begun, or taken up again at step ``begun``
    """

    step: int
    steps: int
    loss: float
    history: tuple[Point, ...]
    seconds: float
    begun: int

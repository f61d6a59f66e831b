"""Time and memory of every contender, length by length, in as many seconds as there are.

Time: repeats in turn, one of each contender after the other, so that what slows the machine for a while slows
them all; a repeat is the mean of as many calls as last five milliseconds; reported is the median. Before that
each is called once. Forward alone, in inference mode, one text in float32, its numbers drawn at random.

What does not fit into memory, by the formula of its contender, and what would take longer than the seconds
left (five repeats, by its time at the length before and the power that it approaches) is not tried.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from attnviz.analysis.cost import Measured
from attnviz.costs.contenders import Contender, Size, vectors
from attnviz.costs.machine import wait
from attnviz.costs.memory import peak_bytes
from attnviz.errors import RoomError
from attnviz.observe.memory import Need, check_room, is_exhaustion

LEAST, MOST = 5, 25  # repeats
ENOUGH = 0.005  # seconds that a repeat lasts
SHARE = 0.5  # of the seconds that longer texts leave, for the repeats at one length
FLOOR = 0.03  # of all seconds left, for the same: what longer texts take is overestimated from short ones
STRIDE, FIRST = 4, 512  # on the way to a long text: how far at once, and from where

Clock = Callable[[], float]


Report = Callable[[int, int, str], None]
"""Told how many contenders at a length are done, of how many, and what is measured: "fused, 2,048 tokens"."""


class Step(NamedTuple):
    """A length on the way; wanted: it was asked for, and not only to tell what the next one takes."""

    length: int
    wanted: bool


def steps(lengths: Sequence[int]) -> Iterator[Step]:
    """The lengths asked for, which grow, with others between those that lie far apart."""
    reached = FIRST // STRIDE
    for length in lengths:
        while reached * STRIDE < length:
            reached *= STRIDE
            yield Step(reached, wanted=False)
        reached = max(length, reached)
        yield Step(length, wanted=True)


class Took(NamedTuple):
    """What a contender took at a length: seconds of a call, and those that counting its memory adds."""

    length: int
    call: float
    counting: float

    def expected(self, length: int, order: int, calls: int) -> float:
        """Seconds that so many calls, one of them counted, take at another length, at most."""
        longer = length / self.length
        return calls * self.call * longer**order + self.counting * longer


@dataclass
class Runner:
    """A contender with its layer, and what it took so far."""

    contender: Contender
    layer: nn.Module
    took: Took | None = None

    @property
    def name(self) -> str:
        return self.contender.name


@dataclass
class Bench:
    """Where and how long is measured.

    ends:   when the seconds are over, by the clock
    report: is told what is measured, before it is
    """

    size: Size
    device: torch.device
    seed: int
    ends: float
    report: Report
    clock: Clock = time.perf_counter

    @property
    def left(self) -> float:
        return max(self.ends - self.clock(), 0.0)

    def measured(self, contenders: Sequence[Contender], lengths: Sequence[int]) -> Iterator[Measured]:
        """Every contender at every length, by length. lengths: growing."""
        runners = [self._runner(contender) for contender in contenders]
        peak_bytes(lambda: None, self.device)  # the first one takes a second
        done, points = 0, len(runners) * len(lengths)
        for length, wanted in steps(lengths):
            self.report(done, points, f"{length:,} tokens")
            with torch.inference_mode():
                reasons = {runner.name: self._reason(runner, length, LEAST * wanted) for runner in runners}
                trying = [runner for runner in runners if not reasons[runner.name]]
                states = self._states(length if trying else 0)
                reasons |= {runner.name: self._begun(runner, states) for runner in trying}
                if not wanted:
                    continue
                trying = [runner for runner in runners if not reasons[runner.name]]
                longer = [other for other in lengths if other > length]
                spare = (self.left - _least(trying, longer)) * SHARE
                repeats = self._repeated(trying, states, max(spare, self.left * FLOOR))
                for runner in runners:
                    self.report(done, points, f"{runner.name}, {length:,} tokens")
                    reason, done = reasons[runner.name], done + 1
                    yield (
                        Measured(runner.name, length, skipped=reason)
                        if reason
                        else self._measured(runner, states, repeats[runner.name])
                    )

    def _runner(self, contender: Contender) -> Runner:
        torch.manual_seed(self.seed)
        return Runner(contender, contender.build(self.size).to(self.device).eval())

    def _states(self, length: int) -> Tensor:
        drawn = torch.Generator().manual_seed(self.seed)
        return torch.randn(1, length, self.size.d_model, generator=drawn).to(self.device)

    def _reason(self, runner: Runner, length: int, repeats: int) -> str:
        """Why a text so long is not tried; "" if it is."""
        return self._too_large(runner, length) or self._too_slow(runner, length, repeats)

    def _begun(self, runner: Runner, states: Tensor) -> str:
        """One call, which tells how long others will be; why it broke off, "" if it did not."""
        length = states.shape[1]
        try:
            seconds = self._time(runner, states, 1)
        except (MemoryError, RuntimeError) as error:
            if not is_exhaustion(error):
                raise
            return "memory ran out"
        counting = runner.took.counting * length / runner.took.length if runner.took else 0.0
        runner.took = Took(length, seconds, counting)
        return ""

    def _too_large(self, runner: Runner, length: int) -> str:
        needed = runner.contender.needs(length, self.size) + vectors(length, self.size)
        try:
            check_room([Need(needed, "it would", "", device=needed)], str(self.device))
        except RoomError as error:
            return error.problem.rstrip(": ")
        return ""

    def _too_slow(self, runner: Runner, length: int, repeats: int) -> str:
        if runner.took is None:
            return ""
        seconds = runner.took.expected(length, runner.contender.order, repeats + 2)
        return (
            "" if seconds <= self.left else f"it would take about {seconds:,.0f} s of {self.left:.0f} s left"
        )

    def _repeated(self, runners: Sequence[Runner], states: Tensor, seconds: float) -> dict[str, list[float]]:
        """Seconds of a call in repeats taken in turn, as many as there is time for."""
        calls = {
            runner.name: max(1, math.ceil(ENOUGH / runner.took.call)) for runner in runners if runner.took
        }
        once = sum(runner.took.call * calls[runner.name] for runner in runners if runner.took)
        count = int(min(max(seconds / once, LEAST), MOST)) if runners else 0
        rounds = [
            [self._time(runner, states, calls[runner.name]) for runner in runners] for _ in range(count)
        ]
        return dict(zip(calls, map(list, zip(*rounds, strict=True)), strict=True))

    def _measured(self, runner: Runner, states: Tensor, repeats: Sequence[float]) -> Measured:
        low, median, high = np.quantile(repeats, [0.25, 0.5, 0.75]).tolist()
        start = self.clock()
        size = peak_bytes(lambda: runner.layer(states), self.device)
        length = states.shape[1]
        runner.took = Took(length, median, max(self.clock() - start - median, 0.0))
        return Measured(runner.name, length, median, low, high, len(repeats), size)

    def _time(self, runner: Runner, states: Tensor, calls: int) -> float:
        """Seconds of a call, the mean over so many."""
        wait(self.device)
        start = self.clock()
        for _ in range(calls):
            runner.layer(states)
        wait(self.device)
        return (self.clock() - start) / calls


def _least(runners: Sequence[Runner], lengths: Sequence[int]) -> float:
    """Seconds that these lengths take with as few repeats as may be."""
    each = ((runner.took, runner.contender.order, length) for runner in runners for length in lengths)
    return sum(took.expected(length, order, LEAST + 2) for took, order, length in each if took)

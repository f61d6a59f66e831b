"""The engine of one machine: the model runs here, figures are drawn on all cores beside it."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing import get_context, parent_process
from typing import Self

from attnviz.captures import Capture
from attnviz.errors import AttnvizError
from attnviz.plans import engine, seeing
from attnviz.plans.engine import Drawn, Failure, Kept, Outcome, Work
from attnviz.plans.plan import Job
from attnviz.plans.seeing import Batch

TOGETHER = 4  # figures of one sample that are drawn by one process, one after the other
WAITING = 3  # tasks a process: enough that none is idle, few enough that memory stays flat
TRIES = 2  # with a task whose process ended


@dataclass(frozen=True)
class Task:
    """Figures of the same captures."""

    jobs: tuple[Job, ...]
    captures: tuple[Capture, ...]


class Local:
    """This machine.

    workers: processes that draw; None for one a core
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or cores()

    def made(self, work: Work, batches: Sequence[Batch]) -> Iterator[Outcome]:
        """See ``Engine``. Each model is loaded once, and only one is there at a time."""
        figures = sum(map(len, work.jobs.values()))
        with Pool(max(1, min(self._workers, figures))) as pool:
            for model, group in groupby(batches, lambda batch: batch.model):
                own = list(group)
                try:
                    source = seeing.load(model, work.loading, generates=work.generates)
                except AttnvizError as error:
                    yield engine.unloaded(own, error, work)
                    continue
                for batch in own:
                    for seen, found in seeing.look(source, batch, work.needs[model]).items():
                        if isinstance(found, AttnvizError):
                            yield engine.unseen(seen, found, work)
                            continue
                        if seen in work.kept:
                            yield Kept(seen, engine.lean(found))
                        yield from pool.drawn(work.jobs.get(seen, ()), (found,))
                del source
            yield from pool.rest()


@dataclass
class Pool:
    """Processes that draw. As many tasks as keep them busy wait, then whoever hands in more waits."""

    workers: int
    _executor: ProcessPoolExecutor | None = None
    _waiting: dict[Future[list[Drawn | Failure]], Task] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def drawn(self, jobs: Sequence[Job], captures: tuple[Capture, ...]) -> Iterator[Drawn | Failure]:
        """Hands in figures, and yields what has been drawn meanwhile."""
        for first in range(0, len(jobs), TOGETHER):
            while len(self._waiting) >= WAITING * self.workers:
                yield from self._next()
            self._hand_in(Task(tuple(jobs[first : first + TOGETHER]), captures))

    def rest(self) -> Iterator[Drawn | Failure]:
        """What is still being drawn."""
        while self._waiting:
            yield from self._next()

    def _hand_in(self, task: Task) -> None:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self.workers, mp_context=get_context("spawn"), initializer=_begin
            )
        try:
            self._waiting[self._executor.submit(_draw, task)] = task
        except BrokenProcessPool:  # a process ended since the last result was taken
            lost: Future[list[Drawn | Failure]] = Future()
            lost.set_exception(BrokenProcessPool())
            self._waiting[lost] = task

    def _next(self) -> Iterator[Drawn | Failure]:
        """What is done first; where a process has ended, all that was lost with it is drawn again."""
        done, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
        lost: list[Task] = []
        for future in done:
            task = self._waiting.pop(future)
            try:
                yield from future.result()
            except BrokenProcessPool:
                lost.append(task)
        if lost:
            yield from self._again(lost)

    def _again(self, lost: Sequence[Task]) -> Iterator[Drawn | Failure]:
        """Lost tasks one by one, in processes of their own: only the one that ends them fails."""
        lost = [*lost, *self._waiting.values()]
        self._waiting = {}
        self._stop()
        for task in lost:
            for job in task.jobs:
                yield from _alone(Task((job,), task.captures))

    def _stop(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = None


def _alone(task: Task) -> list[Drawn | Failure]:
    for _ in range(TRIES):
        with (
            ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin) as executor,
            contextlib.suppress(BrokenProcessPool),
        ):
            return executor.submit(_draw, task).result()
    return [
        Failure(job.file, "the process that drew it was ended from without", (job.file,)) for job in task.jobs
    ]


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin() -> None:
    """A process that draws leaves interrupts to the one that started it, and ends when that has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _draw(task: Task) -> list[Drawn | Failure]:
    return [engine.draw(job, task.captures) for job in task.jobs]

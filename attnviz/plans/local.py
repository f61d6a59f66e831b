"""The engine of one machine: the model runs here, figures are drawn on all cores beside it."""

import contextlib
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from typing import Self

from attnviz.captures import Capture
from attnviz.errors import AttnvizError
from attnviz.plans import engine, machine, seeing
from attnviz.plans.engine import Drawn, Failure, Kept, Outcome, Work
from attnviz.plans.plan import Job
from attnviz.plans.seeing import Batch

TOGETHER = 4  # figures of one sample that are drawn by one process, one after the other
WAITING = 3  # tasks a process: enough that none is idle, few enough that memory stays flat
FEW = 4  # figures that are drawn before a process is ready to draw
TRIES = 2  # with a figure whose process ended


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

    def made(self, work: Work, batches: Sequence[Batch]) -> Generator[Outcome, None, None]:
        """See ``Engine``. Each model is loaded once, and only one is there at a time."""
        figures = sum(map(len, work.jobs.values()))
        with Pool(min(self._workers, figures) if figures > FEW else 0) as pool:
            for model, group in groupby(batches, lambda batch: batch.model):
                own = list(group)
                try:
                    source = machine.load(model, work.loading, generates=work.generates)
                except AttnvizError as error:
                    yield engine.unloaded(own, error, work)
                    continue
                for batch in own:
                    for seen, found in seeing.look(source, batch, work.needs[model]).items():
                        if isinstance(found, AttnvizError):
                            yield engine.unseen(seen, found, work)
                            continue
                        if seen in work.kept:
                            yield Kept(seen, engine.lean(found, work.kept_maps(seen)))
                        yield from pool.drawn(work.jobs.get(seen, ()), (found,))
                del source
            yield from pool.rest()


class Pool:
    """Processes that draw. As many tasks as keep them busy wait, then whoever hands in more waits.

    Each process is looked after by a thread, which starts another where one was ended.
    workers: how many; 0 to draw here, on the spot
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._threads = ThreadPoolExecutor(max(1, workers))
        self._drawers: SimpleQueue[Drawer] = SimpleQueue()
        self._waiting: set[Future[list[Drawn | Failure]]] = set()
        for _ in range(workers):
            self._drawers.put(Drawer())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        for _ in range(self._workers):
            self._drawers.get().end()

    def drawn(self, jobs: Sequence[Job], captures: tuple[Capture, ...]) -> Iterator[Drawn | Failure]:
        """Hands in figures, and yields what has been drawn meanwhile."""
        if not self._workers:
            yield from (engine.draw(job, captures) for job in jobs)
            return
        for first in range(0, len(jobs), TOGETHER):
            while len(self._waiting) >= WAITING * self._workers:
                yield from self._next()
            task = Task(tuple(jobs[first : first + TOGETHER]), captures)
            self._waiting.add(self._threads.submit(self._draw, task))

    def rest(self) -> Iterator[Drawn | Failure]:
        """What is still being drawn."""
        while self._waiting:
            yield from self._next()

    def _next(self) -> Iterator[Drawn | Failure]:
        done, self._waiting = wait(self._waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()

    def _draw(self, task: Task) -> list[Drawn | Failure]:
        """Run by a thread, which has a process for itself meanwhile."""
        drawer = self._drawers.get()
        try:
            return drawer.drawn(task)
        finally:
            self._drawers.put(drawer)


class Drawer:
    """A process that draws, started when it is first needed, and again where it was ended from without."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def drawn(self, task: Task) -> list[Drawn | Failure]:
        """The figures of a task; those alone fail that end the process every time."""
        found = self._asked(task)
        if found is not None:
            return found
        alone = (Task((job,), task.captures) for job in task.jobs)
        return [outcome for one in alone for outcome in self._alone(one)]

    def end(self) -> None:
        """The process ends when it is done with what it draws."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.join()
        self._process = self._pipe = None

    def _alone(self, task: Task) -> list[Drawn | Failure]:
        for _ in range(TRIES):
            if (found := self._asked(task)) is not None:
                return found
        why = "the process that drew it was ended from without, perhaps for want of memory"
        return [Failure(job.file, why, (job.file,)) for job in task.jobs]

    def _asked(self, task: Task) -> list[Drawn | Failure] | None:
        """None if the process was ended."""
        pipe = self._pipe or self._begun()
        try:
            pipe.send(task)
            found: list[Drawn | Failure] = pipe.recv()
        except (EOFError, OSError):
            self.end()
            return None
        return found

    def _begun(self) -> Connection:
        spawning = get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        return self._pipe


def _serve(pipe: Connection) -> None:
    """What such a process does, until nobody is there any more who would ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it is interrupted, and closes the pipe
    with contextlib.suppress(EOFError, OSError):
        while True:
            task: Task = pipe.recv()
            pipe.send([engine.draw(job, task.captures) for job in task.jobs])


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

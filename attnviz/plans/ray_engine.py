"""The engine of several machines: Ray's actors each hold a model and make batches. Ray does all scheduling.

An actor that is lost is started again by Ray, and its batch made again: nothing of it was written before.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attnviz.errors import AttnvizError, UsageError
from attnviz.plans import engine, machine
from attnviz.plans.engine import Failure, Outcome, Work
from attnviz.plans.plan import ModelEntry
from attnviz.plans.seeing import Batch

if TYPE_CHECKING:
    from attnviz.models.base import Source

TRIES = 3  # with a batch whose worker was lost


class Ray:
    """A cluster, or this machine as one.

    address: of the cluster; None for that of $RAY_ADDRESS, or else one that is started here for this export
    workers: actors, each with the model; None for one a GPU, or where there are none as many as have all the
             threads that a local run computes on
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        self._address = address
        self._workers = workers

    def made(self, work: Work, batches: Sequence[Batch]) -> Generator[Outcome, None, None]:
        """See ``Engine``. Raises UsageError if Ray is not installed, or its cluster cannot be reached."""
        from attnviz.models.devices import threads

        ray = _ray()
        loading = replace(
            work.loading, threads=work.loading.threads or threads()
        )  # as many as here: see there
        work = replace(work, loading=loading)
        started = _connected(ray, self._address)
        try:
            for model, group in groupby(batches, lambda batch: batch.model):
                yield from self._of_model(ray, work, model, list(group))
        finally:
            if started:
                ray.shutdown()

    def _of_model(
        self, ray: Any, work: Work, model: ModelEntry, batches: Sequence[Batch]
    ) -> Iterator[Outcome]:
        """What comes of the batches of one model: each worker has one batch at a time."""
        count, resources = self._sizes(ray.cluster_resources(), work.loading.threads or 1)
        actor = ray.remote(max_restarts=-1, max_task_retries=TRIES, **resources)(Worker)
        shared = ray.put(work)
        workers = [actor.remote(model) for _ in range(min(count, len(batches)))]
        idle, waiting = list(workers), list(batches)
        busy: dict[Any, tuple[Any, Batch]] = {}
        while waiting or busy:
            while waiting and idle:
                worker, batch = idle.pop(), waiting.pop(0)
                busy[worker.made.remote(shared, batch)] = worker, batch
            (done, *_), _ = ray.wait(list(busy), num_returns=1)
            worker, batch = busy.pop(done)
            idle.append(worker)
            yield from _outcomes(ray, done, batch, work)
        for worker in workers:
            ray.kill(worker)

    def _sizes(self, there: dict[str, float], threads: int) -> tuple[int, dict[str, Any]]:
        """How many workers, and what each is given of a cluster with so much."""
        gpus = int(there.get("GPU", 0))
        if gpus:
            return self._workers or gpus, {"num_gpus": 1}
        processors = int(there.get("CPU", 1))
        count = self._workers or max(1, processors // threads)
        return count, {"num_cpus": min(threads, max(1, processors // count))}


class Worker:
    """An actor: one model, loaded once."""

    def __init__(self, model: ModelEntry) -> None:
        self._model = model
        self._source: Source | None = None

    def made(self, work: Work, batch: Batch) -> list[Outcome]:
        """All that comes of a batch."""
        try:
            source = self._loaded(work)
        except AttnvizError as error:
            return [engine.unloaded([batch], error, work)]
        return engine.batch_made(source, batch, work)

    def _loaded(self, work: Work) -> "Source":
        if self._source is None:
            self._source = machine.load(self._model, work.loading, generates=work.generates)
        return self._source


def _outcomes(ray: Any, done: Any, batch: Batch, work: Work) -> list[Outcome]:
    """What a worker has made; where it was lost again and again, that."""
    try:
        outcomes: list[Outcome] = ray.get(done)
    except ray.exceptions.RayError as error:
        files = tuple(file for seen in batch.seen for file in work.files(seen))
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return [Failure(f"{batch.samples[0].name} and its batch", f"their worker failed: {reason}", files)]
    return outcomes


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UsageError("--engine ray needs Ray, which is not here: pip install attnviz[ray]") from error
    return ray


def _connected(ray: Any, address: str | None) -> bool:
    """Whether Ray had to be connected to here."""
    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False, configure_logging=False)
    except Exception as error:
        raise UsageError(f"no Ray cluster at {address or 'this machine'}: {error}") from error
    return True

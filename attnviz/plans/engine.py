"""What makes the figures of a plan: on this machine, or anything else that keeps to the protocol.

An engine is handed batches of samples and yields what comes of them, in any order; whoever called it writes
the files. What it yields depends on the batch alone, so that every engine makes the same files.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from attnviz.analysis.select import selected
from attnviz.captures import Capture, Layers
from attnviz.errors import AttnvizError
from attnviz.inputs import printable
from attnviz.plans import kinds, seeing
from attnviz.plans.folder import Figure
from attnviz.plans.kinds import Needs, Wanted
from attnviz.plans.machine import Loading
from attnviz.plans.plan import Job, ModelEntry, SampleEntry, Seen
from attnviz.plans.seeing import Batch
from attnviz.recipes import Choice

if TYPE_CHECKING:
    from attnviz.models.base import Source


@dataclass(frozen=True)
class Work:
    """What is to be done, the same for every batch.

    needs: what must be seen of each sample by each model
    jobs:  the figures that are missing, each of the one sample that it is of
    kept:  samples of which what was seen is to be kept, for tables and for figures of several
    generates: some sample asks the model to write
    """

    loading: Loading
    needs: Mapping[ModelEntry, Mapping[SampleEntry, Needs]]
    jobs: Mapping[Seen, tuple[Job, ...]]
    kept: frozenset[Seen]
    generates: bool = False

    def kept_maps(self, seen: Seen) -> Wanted:
        """Those of a sample that are needed again."""
        return self.needs[seen.model][seen.entry].kept

    def files(self, seen: Seen) -> tuple[str, ...]:
        """Those that are missing of a sample."""
        return tuple(job.file for job in self.jobs.get(seen, ()))


@dataclass(frozen=True)
class Drawn:
    """A figure, and its file's bytes."""

    figure: Figure
    data: bytes


@dataclass(frozen=True)
class Kept:
    """What was seen of a sample, without the maps that are not needed again."""

    seen: Seen
    capture: Capture


@dataclass(frozen=True)
class Failure:
    """What could not be made, and why, in one line; files: the figures that are missing for it."""

    what: str
    why: str
    files: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        more = f" ({len(self.files)} figures)" if len(self.files) > 1 else ""
        return printable(" ".join(f"{self.what}{more}: {self.why}".split()))


Outcome = Drawn | Kept | Failure


class Engine(Protocol):
    """Makes figures. Raises nothing for what goes wrong with single ones."""

    def made(self, work: Work, batches: Sequence[Batch]) -> Generator[Outcome, None, None]:
        """What comes of the batches, as soon as it is there."""
        ...


def batch_made(source: "Source", batch: Batch, work: Work) -> list[Outcome]:
    """All that comes of one batch, on the spot."""
    outcomes: list[Outcome] = []
    for seen, found in seeing.look(source, batch, work.needs[batch.model]).items():
        if isinstance(found, AttnvizError):
            outcomes.append(unseen(seen, found, work))
            continue
        if seen in work.kept:
            outcomes.append(Kept(seen, lean(found, work.kept_maps(seen))))
        outcomes += [draw(job, (found,)) for job in work.jobs.get(seen, ())]
    return outcomes


def unseen(seen: Seen, error: AttnvizError, work: Work) -> Failure:
    """That nothing comes of a sample."""
    return Failure(seen.name, str(error), work.files(seen))


def unloaded(batches: Sequence[Batch], error: AttnvizError, work: Work) -> Failure:
    """That nothing comes of a model."""
    files = tuple(file for batch in batches for seen in batch.seen for file in work.files(seen))
    return Failure(batches[0].model.label, str(error), files)


def draw(job: Job, captures: Sequence[Capture]) -> Drawn | Failure:
    """One figure. Whatever goes wrong with it is told, and does not stop the others."""
    try:
        return Drawn(*kinds.drawn(job, captures))
    except AttnvizError as error:
        return Failure(job.file, str(error), (job.file,))
    except Exception as error:  # a bug, which must not cost what can be made
        return Failure(job.file, f"{type(error).__name__}: {error}", (job.file,))


def lean(capture: Capture, kept: Wanted) -> Capture:
    """What tables are made of, and the maps that are needed again."""
    none = Layers()
    maps = selected(capture, Choice(heads=_exact(kept))).maps if kept else none
    return replace(capture, maps=maps, pooled=none, means=none, rollout=none, words=none)


def _exact(wanted: Wanted) -> str:
    """Heads as a choice names them: "3.5,3.7"."""
    return ",".join(f"{layer}.{head}" for layer, heads in wanted.items() for head in heads)

"""A plan made into a directory of figures: what is missing is made, what is there stays.

Ended at any moment and started again, an export ends with the same bytes as one that was never ended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.plans import stamps
from attnviz.plans.agenda import Agenda, laid_out
from attnviz.plans.folder import Folder, sha256
from attnviz.plans.jobs import jobs_of
from attnviz.plans.machine import Loading, fingerprint_of, layers_of
from attnviz.plans.plan import Job, Plan

if TYPE_CHECKING:
    from attnviz.plans.engine import Engine, Failure


@dataclass(frozen=True)
class Progress:
    """How far an export is: figures that are done now, and that are to be made now."""

    done: int
    total: int


Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    made, kept: how many figures were made, and how many were there already
    failures:   what could not be made, in plan order as far as it has one
    left:       files of an earlier plan that are still in the directory
    """

    directory: Path
    made: int = 0
    kept: int = 0
    failures: "tuple[Failure, ...]" = ()
    left: tuple[str, ...] = ()


def check(plan: Plan, loading: Loading = Loading()) -> tuple[Job, ...]:
    """Every file that the plan would make, in its order, all of it checked; no weights are read.

    (But those of a model whose configuration does not say what layers it has.)
    Raises AttnvizError for the first mistake.
    """
    from attnviz.plans import kinds

    for figure in plan.figures:
        kinds.check(figure)
    facts = {model: layers_of(model, loading, generates=plan.generates) for model in plan.models}
    return jobs_of(plan, facts)


def missing(plan: Plan, directory: Path, loading: Loading = Loading()) -> tuple[Job, ...]:
    """The figures that ``export`` would make now; nothing is written. Raises as ``check`` does."""
    jobs = check(plan, loading)
    folder = Folder.looked_at(directory)
    marks = {model: stamps.stamp_of(model) for model in plan.models}
    return tuple(job for job in jobs if not folder.has(job.file, stamps.key_of(job, marks)))


def export(
    plan: Plan,
    directory: Path,
    engine: "Callable[[], Engine]",
    *,
    loading: Loading = Loading(),
    verify: bool = False,
    force: bool = False,
    report: Report = lambda _: None,
) -> Exported:
    """Makes what is missing of the plan in the directory.

    engine: gives what makes the figures, if there are any to be made
    verify: look at the bytes of every file, and not only at its size
    force:  replace files of other kinds that have a figure's name
    Raises AttnvizError for a plan that cannot be made, OutputError where nothing can be written any more and
    if another process is at work in the directory. What was made until then stays.
    """
    with Folder.opened(directory) as folder:
        agenda = laid_out(plan, folder, loading)
        if verify:
            _verify(folder, agenda, loading)
        missing, unseen = agenda.missing(folder), agenda.unseen(folder)
        if not missing and not unseen and folder.is_whole(agenda.whole):
            return Exported(directory, kept=len(agenda.jobs), left=agenda.left(folder))
        from attnviz.plans import kinds
        from attnviz.plans.run import Run

        for figure in plan.figures:
            kinds.check(figure)
        for job in missing:
            kinds.check_place(job, directory, force=force)
        run = Run(folder, agenda, report, total=len(missing))
        run.singly(engine, loading, missing, unseen)
        run.together(missing)
        return run.finished()


def _verify(folder: Folder, agenda: Agenda, loading: Loading) -> None:
    """Forgets every file whose bytes are not those that were written, and what other weights have made."""
    weights = {model.label: fingerprint_of(model, loading) for model in agenda.plan.models}
    changed = [
        job.file
        for job in agenda.jobs
        if (done := folder.figures.get(job.file))
        and (
            sha256(folder.path / job.file) != done.figure["sha256"]
            or not _made_by(done.figure["recipe"]["model"], [weights[seen.model.label] for seen in job.of])
        )
    ]
    damaged = [key for key, known in folder.seen.items() if sha256(folder.seen_file(key)) != known.sha256]
    folder.forget(changed, damaged)


def _made_by(recipe: Mapping[str, Any], fingerprints: Sequence[str | None]) -> bool:
    """Whether a recipe's models are of these weights."""
    models = recipe.get("models", [recipe])
    return all(model["fingerprint"] in fingerprints or None in fingerprints for model in models)

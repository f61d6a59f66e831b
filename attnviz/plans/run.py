"""An export at work: what is missing is handed to an engine, what comes of it is written and listed."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field

from attnviz.errors import OutputError
from attnviz.plans import kinds
from attnviz.plans.agenda import Agenda
from attnviz.plans.engine import Engine, Failure, Kept, Outcome, Work
from attnviz.plans.export import Exported, Progress, Report
from attnviz.plans.folder import Folder, figure_of
from attnviz.plans.kinds import Needs
from attnviz.plans.machine import Loading
from attnviz.plans.plan import DIFFERENCE, Facts, Job, ModelEntry, Plan, SampleEntry, Seen
from attnviz.plans.seeing import Batch, batches


@dataclass
class Run:
    """An export at work: takes what an engine yields, writes it and says so."""

    folder: Folder
    agenda: Agenda
    report: Report
    total: int
    made: int = 0
    failures: list[Failure] = field(default_factory=list)

    def singly(
        self,
        engine: Callable[[], Engine],
        loading: Loading,
        missing: Sequence[Job],
        unseen: frozenset[Seen],
    ) -> None:
        """Figures of one sample each, and what is kept of the samples."""
        jobs: dict[Seen, tuple[Job, ...]] = {}
        for job in missing:
            if job.alone:
                jobs[job.of[0]] = (*jobs.get(job.of[0], ()), job)
        wanted = unseen | set(jobs)
        todo = [batch for batch in self._batches() if wanted & set(batch.seen)]
        if todo:
            plan = self.agenda.plan
            needed = needs(plan, self.agenda.facts, self.agenda.jobs)
            work = Work(loading, needed, jobs, unseen, plan.generates)
            self._take(engine().made(work, todo))

    def together(self, missing: Sequence[Job]) -> None:
        """Figures of several samples, from what was kept of them."""
        from attnviz.plans.several import drawn

        todo = [job for job in missing if not job.alone]
        files = {seen: self.folder.seen_file(key) for seen, key in self.agenda.seen.items()}
        there = {seen: file for seen, file in files.items() if self.folder.has_seen(self.agenda.seen[seen])}
        self._take(drawn(job, there) for job in todo)

    def finished(self) -> Exported:
        """The lists written, of all figures that are done."""
        agenda, folder = self.agenda, self.folder
        outputs = self._write_lists()
        left = agenda.left(folder)
        keep = {*agenda.keys.values(), *agenda.seen.values()}
        whole = agenda.whole if not self.failures else ""
        folder.finish(whole, outputs, keep)
        done = len(agenda.jobs) - len(agenda.missing(folder))
        return Exported(folder.path, self.made, done - self.made, self._failures(), left)

    def _failures(self) -> tuple[Failure, ...]:
        """In the order of the plan."""
        places = {job.file: number for number, job in enumerate(self.agenda.jobs)}
        return tuple(
            sorted(
                self.failures, key=lambda failure: min((places[file] for file in failure.files), default=-1)
            )
        )

    def _batches(self) -> Iterable[Batch]:
        return batches(self.agenda.plan.models, self.agenda.plan.samples)

    def _take(self, outcomes: Generator[Outcome, None, None]) -> None:
        with contextlib.closing(outcomes):  # whatever stops this, no process is left behind
            for outcome in outcomes:
                self._take_one(outcome)
                failed = sum(len(failure.files) for failure in self.failures)
                self.report(Progress(self.made + failed, self.total))

    def _take_one(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failure):
            self.failures.append(outcome)
            return
        try:
            if isinstance(outcome, Kept):
                key = self.agenda.seen[outcome.seen]
                outcome.capture.save(self.folder.seen_file(key))
                self.folder.add_seen(key)
            else:
                self.folder.add_figure(self.agenda.keys[outcome.figure.file], outcome.figure, outcome.data)
                self.made += 1
        except OutputError as error:
            raise OutputError(f"{error}; {self._so_far()}") from error

    def _so_far(self) -> str:
        done = len(self.agenda.jobs) - len(self.agenda.missing(self.folder))
        return f"{done} of {len(self.agenda.jobs)} figures are done, and the same command makes the others"

    def _write_lists(self) -> tuple[str, ...]:
        from attnviz.plans import lists

        agenda, folder = self.agenda, self.folder
        done = [
            figure_of(folder.figures[job.file].figure)
            for job in agenda.jobs
            if folder.has(job.file, agenda.keys[job.file])
        ]
        seen = [(each, folder.seen_file(key)) for each, key in agenda.seen.items() if folder.has_seen(key)]
        lists.write_jsonl(folder.path / lists.JSONL, done)
        lists.write_tex(folder.path / lists.TEX, done)
        return lists.JSONL, lists.TEX, *lists.write_tables(folder.path, seen)


def needs(plan: Plan, facts: Facts, jobs: Iterable[Job]) -> dict[ModelEntry, dict[SampleEntry, Needs]]:
    """What must be seen of each sample by each model, for all figures of the plan, made already or not."""
    found = {model: dict.fromkeys(plan.samples, Needs()) for model in plan.models}
    for figure in plan.figures:
        if figure.view == DIFFERENCE:
            continue
        for model in plan.models:
            if figure.models and model.label not in figure.models:
                continue
            needed = kinds.needs_of(figure, facts[model])
            for sample in plan.samples:
                if not figure.samples or sample.name in figure.samples:
                    found[model][sample] |= needed
    for job in jobs:
        for seen in job.of if job.figure.view == DIFFERENCE else ():
            found[seen.model][seen.entry] |= kinds.needs_of(job.figure, facts[seen.model])
    return found

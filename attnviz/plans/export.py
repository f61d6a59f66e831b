"""A plan made into a directory of figures: what is missing is made, what is there stays.

Ended at any moment and started again, an export ends with the same bytes as one that was never ended.
"""

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.captures import LayerFacts
from attnviz.errors import OutputError
from attnviz.plans import kinds, stamps
from attnviz.plans.engine import Engine, Failure, Kept, Outcome, Work
from attnviz.plans.folder import Folder, figure_of, sha256
from attnviz.plans.jobs import jobs_of
from attnviz.plans.kinds import Needs
from attnviz.plans.plan import DIFFERENCE, Facts, Job, ModelEntry, Plan, SampleEntry, Seen
from attnviz.plans.seeing import Batch, Loading, batches

if TYPE_CHECKING:
    from attnviz.models.request import Request


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
    failures: tuple[Failure, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agenda:
    """A plan laid out on a directory.

    jobs:  every file; keys: what each is judged by, by its file
    needs: what must be seen of each sample by each model
    seen:  the key of what is kept of each sample
    whole: the key of the whole plan
    """

    plan: Plan
    facts: Facts
    jobs: tuple[Job, ...]
    needs: Mapping[ModelEntry, Mapping[SampleEntry, Needs]]
    keys: Mapping[str, str]
    seen: Mapping[Seen, str]
    whole: str

    def missing(self, folder: Folder) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if not folder.has(job.file, self.keys[job.file]))

    def unseen(self, folder: Folder) -> frozenset[Seen]:
        return frozenset(seen for seen, key in self.seen.items() if not folder.has_seen(key))


def check(plan: Plan, loading: Loading = Loading()) -> tuple[Job, ...]:
    """Every file that the plan would make, in its order, all of it checked; no weights are read.

    (But those of a model whose configuration does not say what layers it has.)
    Raises AttnvizError for the first mistake.
    """
    for figure in plan.figures:
        kinds.check(figure)
    facts = {model: layers_of(model, loading, generates=_generates(plan)) for model in plan.models}
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
    engine: Callable[[], Engine],
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
        agenda = _agenda(plan, folder, loading)
        if verify:
            _verify(folder, agenda, loading)
        missing, unseen = agenda.missing(folder), agenda.unseen(folder)
        if not missing and not unseen and folder.is_whole(agenda.whole):
            return Exported(directory, kept=len(agenda.jobs), left=_left(folder, agenda))
        for figure in plan.figures:
            kinds.check(figure)
        for job in missing:
            kinds.check_place(job, directory, force=force)
        run = _Run(folder, agenda, report, total=len(missing))
        run.singly(engine, loading, missing, unseen)
        run.together(missing)
        return run.finished()


def layers_of(model: ModelEntry, loading: Loading, *, generates: bool) -> tuple[LayerFacts, ...]:
    """The layers of a model, from its configuration, or where that does not tell from the loaded model.

    Raises ModelError if it is not there.
    """
    from attnviz.models.outline import outline
    from attnviz.plans.seeing import load

    return outline(_request(model, loading)) or load(model, loading, generates=generates).facts.layers


def _agenda(plan: Plan, folder: Folder, loading: Loading) -> Agenda:
    marks = {model: stamps.stamp_of(model) for model in plan.models}
    facts = {model: _known_layers(model, marks[model], folder, plan, loading) for model in plan.models}
    jobs = jobs_of(plan, facts)
    needed = needs(plan, facts, jobs)
    seen = [Seen(model, sample) for model in plan.models for sample in plan.samples]
    return Agenda(
        plan=plan,
        facts=facts,
        jobs=jobs,
        needs=needed,
        keys={job.file: stamps.key_of(job, marks) for job in jobs},
        seen={each: stamps.seen_key(each, marks, needed[each.model][each.entry].kept) for each in seen},
        whole=stamps.plan_key(plan, marks),
    )


def _known_layers(
    model: ModelEntry, stamp: str, folder: Folder, plan: Plan, loading: Loading
) -> tuple[LayerFacts, ...]:
    """As ``layers_of``; what was found once for the same files is not looked for again."""
    known = f"{stamps.digest([model.name, model.revision])}:{stamp}"
    if known in folder.facts:
        return tuple(LayerFacts(stack, layer, heads) for stack, layer, heads in folder.facts[known])
    layers = layers_of(model, loading, generates=_generates(plan))
    folder.add_facts(known, [[layer.stack, layer.layer, layer.heads] for layer in layers])
    return layers


def _generates(plan: Plan) -> bool:
    return any(sample.sample.generate for sample in plan.samples)


def _verify(folder: Folder, agenda: Agenda, loading: Loading) -> None:
    """Forgets every file whose bytes are not those that were written, and what other weights have made."""
    weights = {model.label: _fingerprint(model, loading) for model in agenda.plan.models}
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


def _fingerprint(model: ModelEntry, loading: Loading) -> str | None:
    """Of the model's weights as they are now; None of a model that is not on this machine."""
    from attnviz.models.outline import fingerprint

    return fingerprint(_request(model, loading))


def _made_by(recipe: Mapping[str, Any], fingerprints: Sequence[str | None]) -> bool:
    """Whether a recipe's models are of these weights."""
    models = recipe.get("models", [recipe])
    return all(model["fingerprint"] in fingerprints or None in fingerprints for model in models)


def _request(model: ModelEntry, loading: Loading) -> "Request":
    from attnviz.models.request import Request

    return Request(
        model.name,
        model.revision,
        allow_pickle=loading.allow_pickle,
        allow_remote_code=loading.allow_remote_code,
        offline=loading.offline,
    )


def _left(folder: Folder, agenda: Agenda) -> tuple[str, ...]:
    """Files of figures that were made once, and that the plan has no more."""
    wanted = set(agenda.keys)
    return tuple(file for file in sorted(folder.figures) if file not in wanted
                 and (folder.path / file).is_file())  # fmt: skip


@dataclass
class _Run:
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
            work = Work(loading, self.agenda.needs, jobs, unseen, _generates(plan))
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
        left = _left(folder, agenda)
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

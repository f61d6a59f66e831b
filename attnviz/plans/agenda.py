"""A plan laid out on a directory: which files there will be, and what tells whether each is in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attnviz.analysis.naming import wanted_heads
from attnviz.facts import LayerFacts
from attnviz.plans import stamps
from attnviz.plans.folder import Folder
from attnviz.plans.jobs import jobs_of
from attnviz.plans.machine import Loading, layers_of
from attnviz.plans.plan import DIFFERENCE, Facts, Job, ModelEntry, Plan, Seen


@dataclass(frozen=True)
class Agenda:
    """A plan laid out on a directory.

    jobs:  every file; keys: what each is judged by, by its file
    seen:  the key of what is kept of each sample
    whole: the key of the whole plan
    """

    plan: Plan
    facts: Facts
    jobs: tuple[Job, ...]
    keys: Mapping[str, str]
    seen: Mapping[Seen, str]
    whole: str

    def missing(self, folder: Folder) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if not folder.has(job.file, self.keys[job.file]))

    def unseen(self, folder: Folder) -> frozenset[Seen]:
        return frozenset(seen for seen, key in self.seen.items() if not folder.has_seen(key))

    def left(self, folder: Folder) -> tuple[str, ...]:
        """Files of figures that were made once, and that the plan has no more."""
        wanted = set(self.keys)
        return tuple(
            file for file in sorted(folder.figures) if file not in wanted and (folder.path / file).is_file()
        )


def laid_out(plan: Plan, folder: Folder, loading: Loading) -> Agenda:
    """Raises AttnvizError for a plan that cannot be made."""
    marks = {model: stamps.stamp_of(model) for model in plan.models}
    facts = {model: _known_layers(model, marks[model], folder, plan, loading) for model in plan.models}
    jobs = jobs_of(plan, facts)
    kept = _kept(jobs, facts)
    seen = [Seen(model, sample) for model in plan.models for sample in plan.samples]
    return Agenda(
        plan=plan,
        facts=facts,
        jobs=jobs,
        keys={job.file: stamps.key_of(job, marks) for job in jobs},
        seen={each: stamps.seen_key(each, marks, kept.get(each, [])) for each in seen},
        whole=stamps.plan_key(plan, marks),
    )


def _kept(jobs: Sequence[Job], facts: Facts) -> dict[Seen, list[str]]:
    """The heads of which maps are needed again once all samples are seen."""
    kept: dict[Seen, set[str]] = {}
    for job in jobs:
        for seen in job.of if job.figure.view == DIFFERENCE else ():
            wanted = wanted_heads(facts[seen.model], job.figure.choice)
            names = {f"{layer}.{head}" for layer, heads in wanted.items() for head in heads}
            kept[seen] = kept.get(seen, set()) | names
    return {seen: sorted(names) for seen, names in kept.items()}


def _known_layers(
    model: ModelEntry, stamp: str, folder: Folder, plan: Plan, loading: Loading
) -> tuple[LayerFacts, ...]:
    """As ``layers_of``; what was found once for the same files is not looked for again."""
    known = f"{stamps.digest([model.name, model.revision])}:{stamp}"
    if known in folder.facts:
        return tuple(LayerFacts(stack, layer, heads) for stack, layer, heads in folder.facts[known])
    layers = layers_of(model, loading, generates=plan.generates)
    folder.add_facts(known, [[layer.stack, layer.layer, layer.heads] for layer in layers])
    return layers

"""A plan and the layers of its models, made into the files that are to be made. No two may be one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import PurePosixPath

from attnviz.analysis.naming import wanted_heads
from attnviz.errors import AttnvizError, InputError
from attnviz.facts import layer_name
from attnviz.inputs import printable
from attnviz.plans.names import fields_of, filled, same_file
from attnviz.plans.plan import DIFFERENCE, TOGETHER, Facts, FigureEntry, Job, ModelEntry, Plan, Seen
from attnviz.recipes import Choice

OUTPUTS = ("figures.jsonl", "figures.tex", "heads.csv", "heads.parquet")
"""What the directory holds besides the figures."""

STATE = ".attnviz"
"""Where the directory keeps what is needed to take an export up again."""

_PARTS = {None: {"layer", "head"}, "heads": {"layer"}, "layers": {"head"}, "all": set()}
"""By what is averaged: what a figure may still be of one of."""


def jobs_of(plan: Plan, facts: Facts) -> tuple[Job, ...]:
    """Every file of the plan: models in their order, their samples in theirs, figures in theirs.

    Raises InputError for a layer or head that a model does not have, for two figures that would share a
    file, and for a file that would take the place of the directory's own.
    """
    places = {model: number for number, model in enumerate(plan.models)}
    samples = {sample: number for number, sample in enumerate(plan.samples)}

    def order(numbered: tuple[int, Job]) -> tuple[int, ...]:
        number, job = numbered
        alone = samples[job.of[0].entry] if job.alone or job.figure.view == DIFFERENCE else len(samples)
        return places[job.of[0].model], alone, number

    found = list(enumerate(job for figure in plan.figures for job in _of_figure(figure, plan, facts)))
    jobs = tuple(job for _, job in sorted(found, key=order))
    _check_apart(jobs)
    return jobs


def _of_figure(figure: FigureEntry, plan: Plan, facts: Facts) -> Iterator[Job]:
    try:
        if not (seen := list(_seen(figure, plan))):
            raise InputError("there is nothing that it is of: with against, give another model or sample")
        models = dict.fromkeys(of[0].model for of in seen)
        choices = {model: list(_choices(figure, model, facts)) for model in models}
        for of in seen:
            for choice, parts in choices[of[0].model]:
                values = {
                    "model": of[0].model.label,
                    "sample": of[0].entry.name,
                    "view": figure.view,
                    **parts,
                }
                yield Job(filled(figure.file, values), replace(figure, choice=choice), of)
    except AttnvizError as error:
        raise InputError(f"{figure.section}: {error}") from error


def _seen(figure: FigureEntry, plan: Plan) -> Iterator[tuple[Seen, ...]]:
    """What each picture is of: one sample of one model; all samples of one; or two to be compared."""
    models = [model for model in plan.models if not figure.models or model.label in figure.models]
    samples = [sample for sample in plan.samples if not figure.samples or sample.name in figure.samples]
    if figure.view == DIFFERENCE:
        yield from _pairs(figure, plan, [Seen(*both) for both in product(models, samples)])
    elif figure.view in TOGETHER and "sample" not in fields_of(figure.file):
        yield from (tuple(Seen(model, sample) for sample in samples) for model in models)
    else:
        yield from ((Seen(*both),) for both in product(models, samples))


def _pairs(figure: FigureEntry, plan: Plan, of: Sequence[Seen]) -> Iterator[tuple[Seen, ...]]:
    """Each of them beside the sample, or the model, that it is compared with."""
    samples = {sample.name: sample for sample in plan.samples}
    models = {model.label: model for model in plan.models}
    if figure.against is None:
        raise InputError("a diff needs against: the name of a sample, or the label of a model")
    if figure.against not in {**samples, **models}:
        there = ", ".join(map(printable, [*samples, *models][:12]))
        raise InputError(f"against: no sample or model {printable(figure.against)!r}; there are {there}")
    for seen in of:
        if figure.against in samples:
            other = Seen(seen.model, samples[figure.against])
        else:
            other = Seen(models[figure.against], seen.entry)
        if other != seen:
            yield seen, other


def _choices(
    figure: FigureEntry, model: ModelEntry, facts: Facts
) -> Iterator[tuple[Choice, Mapping[str, str]]]:
    """The choice of each file, and what it says in the file's name: one for each layer or head named there.

    Raises SelectionError for a layer or head that the model does not have.
    """
    choice, layers = figure.choice, facts[model]
    wanted = wanted_heads(layers, choice)
    asked = fields_of(figure.file) & {"layer", "head"}
    if figure.view in (*TOGETHER, "atlas", "rollout"):
        possible: set[str] = set()
    else:
        possible = _PARTS[choice.mean]
    if extra := sorted(asked - possible):
        averaged = f" with mean = {choice.mean}" if choice.mean else ""
        raise InputError(
            f"file: view = {figure.view}{averaged} is not of one {extra[0]}: leave out {{{extra[0]}}}"
        )
    heads = [(layer_name(layer.stack, layer.layer), head) for layer in layers
             for head in wanted.get(layer.name, ())]  # fmt: skip
    if asked == {"layer", "head"}:
        for layer, head in heads:
            yield (
                replace(choice, layers=None, heads=f"{layer}.{head}"),
                {"layer": layer, "head": str(head)},
            )
    elif asked == {"layer"}:
        for layer in dict.fromkeys(layer for layer, _ in heads):
            yield _of_layer(choice, layer), {"layer": layer}
    elif asked == {"head"}:
        for number in dict.fromkeys(head for _, head in heads):
            yield _of_number(choice, number, heads), {"head": str(number)}
    else:
        yield choice, {}


def _of_layer(choice: Choice, layer: str) -> Choice:
    """The choice in one layer alone."""
    exact = [item.strip() for item in (choice.heads or "").split(",") if "." in item]
    if exact:
        return replace(choice, heads=",".join(item for item in exact if item.rpartition(".")[0] == layer))
    return replace(choice, layers=layer)


def _of_number(choice: Choice, number: int, heads: Sequence[tuple[str, int]]) -> Choice:
    """The choice among the heads of one number."""
    exact = ",".join(f"{layer}.{head}" for layer, head in heads if head == number)
    return replace(choice, layers=None, heads=exact)


def _check_apart(jobs: Sequence[Job]) -> None:
    """Raises InputError if two jobs have one file, or a directory would be one."""
    taken: dict[str, Job] = {}
    for job in jobs:
        path = PurePosixPath(job.file)
        if job.file in OUTPUTS or STATE in path.parts:
            raise InputError(f"{job.figure.section}: {job.file} is a file that attnviz writes itself")
        known = same_file(job.file)
        if known in taken:
            raise InputError(_clash(taken[known], job))
        taken[known] = job
    for job in jobs:
        for parent in PurePosixPath(job.file).parents:
            if same_file(str(parent)) in taken:
                raise InputError(
                    f"{printable(str(parent))} would be a file and the directory of {printable(job.file)}"
                )


def _clash(first: Job, second: Job) -> str:
    """Two figures that are one file, and what would tell them apart."""
    missing = [
        field
        for field, differs in (
            ("model", first.of[0].model != second.of[0].model),
            ("sample", first.of[0].entry != second.of[0].entry),
            ("layer", first.figure.choice.layers != second.figure.choice.layers
             or first.figure.choice.heads != second.figure.choice.heads),
            ("head", first.figure.choice.heads != second.figure.choice.heads),
            ("view", first.figure.view != second.figure.view),
        )
        if differs and field not in fields_of(second.figure.file)
    ]  # fmt: skip
    advice = f": put {{{missing[0]}}} into the pattern" if missing else ": give them different patterns"
    sections = " and ".join(dict.fromkeys((first.figure.section, second.figure.section)))
    return f"{sections}: two figures would be the one file {printable(second.file)}{advice}"

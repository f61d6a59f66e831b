"""``attnviz export``: many figures, from a plan."""

import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from attnviz.cli.options import (
    Choices,
    Drawing,
    Drawn,
    Exporting,
    Heads,
    Models,
    Planned,
    command,
)  # fmt: skip
from attnviz.errors import OutputError, UsageError

if TYPE_CHECKING:
    from attnviz.plans.engine import Engine
    from attnviz.plans.export import Exported
    from attnviz.plans.machine import Loading
    from attnviz.plans.plan import Job, Plan

PATTERNS = {Drawn.HEADS: "{model}-{view}.pdf", Drawn.GRID: "{model}-{view}.pdf"}
PATTERN = "{model}-{sample}.pdf"
DIRECTORY = "figures"

IN_PLAN = (Planned, Models, Choices, Heads, Drawing)
"""Groups whose options a plan has itself."""

BESIDE = {"plan", "output", "json", "force", "device", "offline", "allow_remote_code", "allow_pickle"}
"""Options of these that go with a plan: what is of this machine alone."""


@command
def export(
    *,
    planned: Planned,
    exporting: Exporting,
    models: Models,
    choices: Choices,
    table: Heads,
    drawing: Drawing,
) -> None:
    """Make many figures, for a paper: all of a plan, or the same picture of many texts.

    What is there and unchanged stays; an export that was ended is taken up where it stopped.
    """
    from attnviz.plans import export as exports

    plan, directory = _plan(planned, models, choices, table, drawing)
    loading = _loading(models)
    if exporting.check:
        _tell_checked(exports.check(plan, loading), plan, planned)
    elif exporting.dry_run:
        _list(exports.missing(plan, directory, loading))
    else:
        _made(plan, directory, loading, exporting, drawing)


def _made(plan: "Plan", directory: Path, loading: "Loading", exporting: Exporting, drawing: Drawing) -> None:
    from attnviz.cli.progress import Figures
    from attnviz.plans import export as exports

    with Figures() as bar:
        done = exports.export(
            plan,
            directory,
            lambda: _engine(exporting),
            loading=loading,
            verify=exporting.verify,
            force=drawing.force,
            report=bar.show,
        )
    _tell(done, drawing)


def _plan(
    planned: Planned, models: Models, choices: Choices, table: Heads, drawing: Drawing
) -> "tuple[Plan, Path]":
    """The plan, and where its figures go."""
    from attnviz.plans.toml import read_plan

    if planned.plan is None:
        return _plan_of_options(planned, models, choices, table, drawing)
    for group in (planned, models, choices, table, drawing):
        _check_default(group)
    where = drawing.output or planned.plan.stem
    if "{" in where:
        raise UsageError(f"-o {where}: the plan says how files are called; name a directory")
    return read_plan(planned.plan), Path(where)


def _check_default(group: Any) -> None:
    """Raises UsageError for an option beside a plan that says it itself."""
    for entry in fields(group):
        if entry.name not in BESIDE and getattr(group, entry.name) != entry.default:
            named = {"several": "-m", "font_size": "--font-size"}.get(entry.name, f"--{entry.name}")
            raise UsageError(f"{named} goes without a plan: write it into the plan")


def _plan_of_options(
    planned: Planned, models: Models, choices: Choices, table: Heads, drawing: Drawing
) -> "tuple[Plan, Path]":
    from attnviz.plans.names import check_pattern
    from attnviz.plans.plan import FigureEntry
    from attnviz.plans.samples import SampleSection, entries
    from attnviz.plans.toml import made, model_entry

    if planned.texts is None:
        raise UsageError("nothing to export: give a PLAN.toml, or --texts FILE and a model with -m")
    directory, pattern = _parted(drawing.output, PATTERNS.get(planned.view, PATTERN))
    check_pattern(pattern)
    lines = planned.texts.suffix.lower() not in (".jsonl", ".csv")
    section = SampleSection(file=str(planned.texts), lines=lines, truncate=planned.truncate)
    figure = FigureEntry(
        "--view", planned.view.value, pattern, choices.choice(), drawing.style(), table.listing()
    )
    return made(
        models=[model_entry(name, dtype=models.dtype.value) for name in models.names()],
        samples=entries(section, 1, Path()),
        figures=[figure],
    ), directory


def _parted(output: str | None, usual: str) -> tuple[Path, str]:
    """Of "figures/{sample}.png" the directory and the pattern."""
    if output is None or "{" not in output:
        return Path(output or DIRECTORY), usual
    parts = PurePosixPath(output).parts
    first = next(place for place, part in enumerate(parts) if "{" in part)
    return Path(*parts[:first]), str(PurePosixPath(*parts[first:]))


def _loading(models: Models) -> "Loading":
    from attnviz.plans.machine import Loading

    return Loading(
        device=models.device,
        offline=models.offline,
        allow_remote_code=models.allow_remote_code,
        allow_pickle=models.allow_pickle,
    )


def _engine(exporting: Exporting) -> "Engine":
    from attnviz.exporting import engine_of

    return engine_of(exporting.engine.value, exporting.workers, exporting.address)


def _tell_checked(jobs: "Sequence[Job]", plan: "Plan", planned: Planned) -> None:
    from attnviz.cli.output import note

    counts = (len(jobs), "figure"), (len(plan.models), "model"), (len(plan.samples), "sample")
    figures, models, samples = (f"{count:,} {noun}{'s' * (count != 1)}" for count, noun in counts)
    note(f"{planned.plan or planned.texts}: {figures} of {models} and {samples}, nothing wrong")


def _list(jobs: "Sequence[Job]") -> None:
    sys.stdout.writelines(f"{job.file}\n" for job in jobs)


def _tell(done: "Exported", drawing: Drawing) -> None:
    """What came of it. Raises OutputError if some figures could not be made, after naming each."""
    from attnviz.cli.output import note

    if drawing.json:
        _print_json(done)
    there = f"{done.kept:,} were there" if done.kept else ""
    if done.made or not done.kept:
        note(f"wrote {done.made:,} figure{'s' * (done.made != 1)} into {done.directory}"
             f"{f' ({there})' if there else ''}")  # fmt: skip
    elif not done.failures:
        note(f"nothing to do: all {done.kept:,} figures are in {done.directory}")
    if done.left:
        more = f" and {len(done.left) - 1:,} more" if len(done.left) > 1 else ""
        note(f"{done.left[0]}{more}: of an earlier plan, left where they are")
    for failure in done.failures:
        note(failure.line)
    if done.failures:
        count = sum(len(failure.files) for failure in done.failures)
        raise OutputError(f"{count:,} figure{'s' * (count != 1)} could not be made; the others are there")


def _print_json(done: "Exported") -> None:
    import json

    document = {
        "schema": 1,
        "directory": str(done.directory),
        "made": done.made,
        "kept": done.kept,
        "left": done.left,
        "failures": [
            {"of": each.what, "why": each.why, "figures": list(each.files)} for each in done.failures
        ],
    }
    sys.stdout.write(json.dumps(document) + "\n")

"""The verbs of plans and of files that say how they were made: ``export`` and ``caption``."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attnviz.errors import UsageError

if TYPE_CHECKING:
    from attnviz.plans.engine import Engine
    from attnviz.plans.export import Exported, Report
    from attnviz.plans.machine import Loading

EngineName = Literal["local", "ray"]


def export(
    plan: str | Path,
    directory: str | Path | None = None,
    *,
    engine: EngineName = "local",
    workers: int | None = None,
    address: str | None = None,
    loading: "Loading | None" = None,
    verify: bool = False,
    force: bool = False,
    report: "Report" = lambda _: None,
) -> "Exported":
    """Makes what is missing of the figures of a plan, a TOML file, as ``attnviz export`` does.

    directory: where to; beside you, called like the plan, unless it is given
    workers:   processes that draw, or of Ray actors with the model; None for as many as there is room for
    address:   of a Ray cluster, for the engine "ray"
    loading:   device, and what models may do here: ``attnviz.plans.machine.Loading``
    verify:    look at all bytes of what is there, and at the weights; force: replace files of other kinds
    report:    told how many figures are done
    Figures that could not be made are in the result's ``failures``. Drawing processes import the script that
    calls this, as all of Python's do: call it under ``if __name__ == "__main__":``.
    Raises AttnvizError for a plan that cannot be made, OutputError where nothing can be written.
    """
    from attnviz.plans import export as exports
    from attnviz.plans.machine import Loading
    from attnviz.plans.toml import read_plan

    file = Path(plan)
    return exports.export(
        read_plan(file),
        Path(file.stem if directory is None else directory),
        lambda: engine_of(engine, workers, address),
        loading=loading or Loading(),
        verify=verify,
        force=force,
        report=report,
    )


def engine_of(name: str, workers: int | None = None, address: str | None = None) -> "Engine":
    """What makes figures, by its name. Raises UsageError for another, and for an address with "local"."""
    if name == "ray":
        from attnviz.plans.ray_engine import Ray

        return Ray(address=address, workers=workers)
    if name != "local":
        raise UsageError(f"--engine {name!r} is none of local, ray")
    if address is not None:
        raise UsageError("--address goes with --engine ray")
    from attnviz.plans.local import Local

    return Local(workers)


def caption(file: str | Path, *, tex: bool = False) -> str:
    """What ``attnviz caption`` says of a file that attnviz wrote.

    tex: for TeX, which prints every token as it is. Raises InputError for a file without a recipe.
    """
    from attnviz.render import prose
    from attnviz.render.tex import tex as for_tex
    from attnviz.render.within import recipe_in

    text = prose.caption(recipe_in(Path(file)))
    return for_tex(text) if tex else text

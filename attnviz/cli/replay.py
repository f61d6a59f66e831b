"""``attnviz replay``: a figure made again from what its file says of itself.

A recipe is foreign data: which code may run, on which device, from where weights come and where files go
is said on the command line alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from attnviz.cli.options import Drawing, Written, command


@dataclass(frozen=True)
class Again:
    """Which file is made again, with what, and where to."""

    file: Written
    output: Annotated[
        Path | None, Option("-o", "--output", metavar="NEW", help="Where to; without it the terminal.")
    ] = None
    models: Annotated[
        list[str] | None,
        Option("-m", "--model", metavar="NAME[@REVISION]", help="The model, where its name in the recipe "
               "does not find it here; of several models once for each, in their order."),
    ] = None  # fmt: skip
    device: Annotated[str, Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where it runs.")] = "auto"
    offline: Annotated[bool, Option("--offline", help="Use what is on disk alone.")] = False
    allow_remote_code: Annotated[
        bool, Option("--allow-remote-code", help="Run Python code that comes with the model.")
    ] = False
    allow_pickle: Annotated[
        bool, Option("--allow-pickle", help="Load weights that are not safetensors; they can run code.")
    ] = False
    force: Annotated[bool, Option("--force", help="Replace a file of another kind.")] = False


@command
def replay(again: Again) -> None:
    """Make a figure again from the recipe in it: the same bytes, with the same versions and weights."""
    from attnviz import api
    from attnviz.cli import output
    from attnviz.plans.machine import Loading
    from attnviz.recipes import Style

    view = api.replay(
        again.file,
        again.output,
        models=again.models or (),
        loading=Loading(again.device, again.offline, again.allow_remote_code, again.allow_pickle),
        force=again.force,
        tell=output.note,
    )
    if again.output is None:
        output.show([view], [], Drawing(), Style())
    else:
        output.note(f"wrote {again.output}")

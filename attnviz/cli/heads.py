"""``attnviz heads``: the head-summary table."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.cli.options import Choices, Drawing, Heads, Inputs, Kept, Model, Snapshots, command

if TYPE_CHECKING:
    from attnviz.captures import Capture
    from attnviz.recipes import Choice, Listing, Style
    from attnviz.render.rows import HeadTable
    from attnviz.render.views import HeadGrid


@command
def heads(
    *,
    inputs: Inputs,
    kept: Kept,
    snapshots: Snapshots,
    model: Model,
    choices: Choices,
    table: Heads,
    drawing: Drawing,
) -> None:
    """List heads: what each does, in a word; its statistics; its strongest pair of tokens.

    Several samples: the means over them, with intervals from ten samples on.
    """
    from attnviz import api
    from attnviz.cli import look, output, read
    from attnviz.render.rows import HeadTable
    from attnviz.render.views import HeadGrid

    choice, listing, style = choices.choice(), table.listing(), drawing.style()
    if snapshots.over is not None:
        return _over(
            snapshots.over, inputs, device=model.device, choice=choice, listing=listing, drawing=drawing
        )
    api.check_heads(choice, listing, style)
    if table.explain:
        _check_alone(drawing)
        if not (inputs.texts or inputs.file or kept.captures):
            return _explain()
    before = read.captures(kept)
    samples = [] if before else read.samples(inputs)
    files = output.target(drawing, HeadTable if listing.grid is None else HeadGrid)
    seen = before or look.captures(samples, inputs, model, choice, keep=None, statistics=True)
    view = _view(seen, choice, listing, style)
    output.show([view], files, drawing, style)
    if table.explain:
        output.print_rich("")
        _explain()
    return None


def _over(
    directory: Path, inputs: Inputs, *, device: str, choice: "Choice", listing: "Listing", drawing: Drawing
) -> None:
    """How heads grew over the snapshots of a training."""
    from attnviz import api
    from attnviz.cli import output, progress, read
    from attnviz.render.plots import Chart

    style = drawing.style()
    api.check_growth(choice, listing, style)
    texts = read.samples(inputs) if inputs.texts or inputs.file else None
    files = output.target(drawing, Chart)
    with progress.Counted("snapshots") as bar:
        found = api.growth(
            directory, texts, choice=choice, seed=listing.seed, device=device,
            truncate=inputs.truncate, report=bar.show,
        )  # fmt: skip
    output.show([api.growth_chart(found, listing=listing, style=style)], files, drawing, style)


def _view(
    captures: "Iterable[Capture]", choice: "Choice", listing: "Listing", style: "Style"
) -> "HeadTable | HeadGrid":
    from attnviz import api

    where, seed = listing.where, listing.seed
    if listing.grid is not None:
        return api.head_grid(captures, listing.grid, where=where, seed=seed, choice=choice, style=style)
    return api.heads(
        captures, where=where, sort=listing.sort, top=listing.top, columns=listing.columns, seed=seed,
        choice=choice, style=style,
    )  # fmt: skip


def _check_alone(drawing: Drawing) -> None:
    from attnviz.errors import UsageError

    if drawing.json or drawing.output:
        raise UsageError("--explain prints for readers: leave out --json and -o")


def _explain() -> None:
    from attnviz.cli import output
    from attnviz.render.table import explanation

    output.print_rich(explanation())

"""``attnviz cost``: time and memory of attention as a text grows, measured here and now."""

from dataclasses import dataclass
from typing import Annotated

from typer import Option

from attnviz.cli.options import Drawing, command
from attnviz.cli.options.lists import whole_numbers
from attnviz.cli.options.reading import Device


@dataclass(frozen=True)
class Costs:
    """What is measured, and for how long."""

    lengths: Annotated[
        str, Option(metavar="N,...", help="Of the texts, in tokens.")
    ] = "128,512,2048,8192"  # fmt: skip
    d_model: Annotated[int, Option(metavar="N", min=1, help="Width of a layer.")] = 256
    n_heads: Annotated[int, Option(metavar="N", min=1, help="Heads of a layer of attention.")] = 8
    window: Annotated[
        int, Option(metavar="N", min=1, help="Tokens on either side that windowed attention sees.")
    ] = 64
    device: Device = "auto"
    threads: Annotated[
        int | None,
        Option(metavar="N", min=1, max=1024, help="Of the processor; else as many as torch takes."),
    ] = None
    seed: Annotated[int, Option(metavar="N", min=0, help="Of the weights and of what is read.")] = 0
    budget: Annotated[
        float, Option(metavar="SECONDS", help="What would take longer is skipped, and that is said.")
    ] = 60.0


@command
def cost(*, costs: Costs, drawing: Drawing) -> None:
    """Measure what attention costs as a text grows: time and memory, the power they grow with, crossings.

    Full attention, materialised and fused, linear and windowed attention, and a GRU of the same width.
    """
    from attnviz import api
    from attnviz.cli import output, progress
    from attnviz.render.plots import Chart

    lengths, style = whole_numbers("--lengths", costs.lengths), drawing.style()
    api.check_chart(style)
    files = output.target(drawing, Chart)
    api.check_cost(
        lengths, d_model=costs.d_model, n_heads=costs.n_heads, budget=costs.budget, device=costs.device
    )
    output.note(
        f"measuring at {len(set(lengths))} lengths takes up to about {progress.duration(costs.budget)}"
    )
    with progress.Counted("measurements") as bar:
        found = api.cost(
            lengths, d_model=costs.d_model, n_heads=costs.n_heads, window=costs.window, device=costs.device,
            threads=costs.threads, seed=costs.seed, budget=costs.budget, report=bar.show,
        )  # fmt: skip
    output.show([api.cost_chart(found, style=style)], files, drawing, style)

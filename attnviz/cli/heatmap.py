"""``attnviz heatmap``: draw attention."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attnviz.cli.options import Choices, Drawing, Inputs, Kept, Model, command

if TYPE_CHECKING:
    from attnviz.captures import Capture
    from attnviz.inputs import Sample


@command
def heatmap(inputs: Inputs, kept: Kept, model: Model, choices: Choices, drawing: Drawing) -> None:
    """Draw attention: an overview of every layer and head, or the maps that are chosen."""
    from attnviz import api
    from attnviz.cli import output, read

    choice, style = choices.choice(), drawing.style()
    api.check(choice, style)
    before = read.captures(kept)
    samples = [seen.sample for seen in before] if before else read.samples(inputs)
    files = output.targets(drawing, samples)
    captures = before or _captured(samples, inputs, model, choices)
    output.show((api.heatmap(seen, choice=choice, style=style) for seen in captures), files, drawing, style)


def _captured(samples: "list[Sample]", inputs: Inputs, model: Model, choices: Choices) -> "Iterator[Capture]":
    """Runs the model over each sample when it is asked for."""
    from attnviz import api
    from attnviz.cli import progress

    source, choice = model.load(), choices.choice()
    with progress.Bar() as bar:
        for sample in samples:
            yield api.capture(
                sample,
                model=source,
                statistics=False,
                choice=choice,
                truncate=inputs.truncate,
                report=bar.show,
            )

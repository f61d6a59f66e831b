"""``attnviz heatmap``: draw attention."""

from attnviz.cli.options import Choices, Drawing, Inputs, Model, command


@command
def heatmap(inputs: Inputs, model: Model, choices: Choices, drawing: Drawing) -> None:
    """Draw attention: an overview of every layer and head, or the maps that are chosen."""
    from attnviz import api
    from attnviz.cli import output, read

    choice, style = choices.choice(), drawing.style()
    api.check(choice, style)
    samples = read.samples(inputs)
    files = output.targets(drawing, samples)
    source = model.load(generates=inputs.generate > 0)
    captures = (
        api.capture(sample, model=source, statistics=False, choice=choice, truncate=inputs.truncate)
        for sample in samples
    )
    output.show((api.heatmap(seen, choice=choice, style=style) for seen in captures), files, drawing, style)

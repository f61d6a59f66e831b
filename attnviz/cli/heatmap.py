"""``attnviz heatmap``: draw attention."""

from attnviz.cli.options import Choices, Drawing, Inputs, Model, command


@command
def heatmap(inputs: Inputs, model: Model, choices: Choices, drawing: Drawing) -> None:
    """Draw attention: an overview of every layer and head, or the maps that are chosen."""
    from attnviz import api
    from attnviz.cli import output, progress, read

    choice, style = choices.choice(), drawing.style()
    api.check(choice, style)
    samples = read.samples(inputs)
    files = output.targets(drawing, samples)
    source = model.load()
    with progress.Bar() as bar:
        captures = (
            api.capture(sample, model=source, choice=choice, truncate=inputs.truncate, report=bar.show)
            for sample in samples
        )
        pages = (api.heatmap(seen, choice=choice, style=style) for seen in captures)
        output.show(pages, files, drawing, style)

"""``attnviz heatmap``: draw attention."""

from attnviz.cli.options import Choices, Drawing, Inputs, Kept, Model, command


@command
def heatmap(inputs: Inputs, kept: Kept, model: Model, choices: Choices, drawing: Drawing) -> None:
    """Draw attention: an overview of every layer and head, or the maps that are chosen."""
    from attnviz import api
    from attnviz.cli import look, output, read
    from attnviz.wishes import AUTO

    choice, style = choices.choice(), drawing.style()
    api.check(choice, style)
    before = read.captures(kept)
    samples = [seen.sample for seen in before] if before else read.samples(inputs)
    files = output.targets(drawing, samples)
    seen = before or look.captures(samples, inputs, model, choice, keep=AUTO, statistics=False)
    output.show((api.heatmap(each, choice=choice, style=style) for each in seen), files, drawing, style)

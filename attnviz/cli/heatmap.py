"""``attnviz heatmap``: draw attention."""

from attnviz.cli.options import Choices, Drawing, Inputs, Kept, Model, Views, command


@command
def heatmap(
    *, inputs: Inputs, kept: Kept, model: Model, choices: Choices, views: Views, drawing: Drawing
) -> None:
    """Draw attention: an overview of every layer and head, or the maps that are chosen."""
    from attnviz import api
    from attnviz.cli import look, output, read
    from attnviz.render.pages import kind_of
    from attnviz.wishes import AUTO

    choice, style, view = views.asked(choices.choice()), views.styled(drawing), views.name()
    api.check(choice, style, view)
    before = read.captures(kept)
    samples = [seen.sample for seen in before] if before else read.samples(inputs)
    files = output.targets(drawing, samples, kind_of(view))
    seen = before or look.captures(samples, inputs, model, choice, keep=AUTO, statistics=False)
    pages = (api.heatmap(each, choice=choice, style=style, view=view) for each in seen)
    output.show(pages, files, drawing, style)

"""``attnviz heatmap``: draw attention."""

from typing import TYPE_CHECKING, Any

from attnviz.cli.options import Choices, Drawing, Inputs, Kept, Model, Views, command

if TYPE_CHECKING:
    from attnviz.inputs import Sample
    from attnviz.render.rows import Steps


@command
def heatmap(
    *, inputs: Inputs, kept: Kept, model: Model, choices: Choices, views: Views, drawing: Drawing
) -> None:
    """Draw attention: an overview of every layer and head, or the maps that are chosen."""
    from attnviz import api
    from attnviz.cli import look, output, read
    from attnviz.render.pages import kind_of
    from attnviz.wishes import AUTO

    if views.explain is not None:
        views.check_explained(kept)
        return _explain(inputs, model, choices, drawing, views.explain)
    choice, style, view = views.asked(choices.choice()), views.styled(drawing), views.name()
    api.check(choice, style, view)
    before = read.captures(kept)
    samples = [seen.sample for seen in before] if before else read.samples(inputs)
    files = output.targets(drawing, samples, kind_of(view))
    seen = before or look.captures(samples, inputs, model, choice, keep=AUTO, statistics=False)
    pages = (api.heatmap(each, choice=choice, style=style, view=view) for each in seen)
    output.show(pages, files, drawing, style)
    return None


def _explain(inputs: Inputs, model: Model, choices: Choices, drawing: Drawing, word: str) -> None:
    """One query of each sample, followed through by numbers."""
    from attnviz import api
    from attnviz.cli import look, output, read
    from attnviz.render.rows import Steps

    choice, style = choices.choice(), drawing.style()
    api.check_explain(choice, style)
    samples = read.samples(inputs)
    files = output.targets(drawing, samples, Steps)

    def steps(sample: "Sample", **looking: Any) -> "Steps":
        return api.explain(sample, word, choice=choice, style=style, **looking)

    output.show(look.each(samples, inputs, model, steps), files, drawing, style)

"""``attnviz variants``: what else a head makes of its queries and keys."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from attnviz.cli.options import Choices, Drawing, Inputs, Model, Varied, command

if TYPE_CHECKING:
    from attnviz.inputs import Sample
    from attnviz.render.views import Page


@command
def variants(*, inputs: Inputs, model: Model, varied: Varied, choices: Choices, drawing: Drawing) -> None:
    """What else a head makes of its queries and keys: other scores, temperatures and masks, side by side.

    The head is that of -H, or the one that looks hardest at tokens beyond its neighbours.
    """
    from attnviz import api
    from attnviz.cli import look, output, read
    from attnviz.render.views import Page

    choice, style = choices.choice(), drawing.style()
    api.check_variants(varied.score, varied.temperature, varied.mask, choice, style)
    samples = read.samples(inputs)
    files = output.targets(drawing, samples, Page)

    def page(sample: "Sample", **looking: Any) -> "Page":
        wanted = asdict(varied)
        return api.variants(sample, choice=choice, style=style, **wanted, **looking)

    output.show(look.each(samples, inputs, model, page), files, drawing, style)

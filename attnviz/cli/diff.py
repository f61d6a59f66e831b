"""``attnviz diff``: two texts of one model, or one text of two models, and what differs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.cli.options import Choices, Drawing, Inputs, KeptTwo, Models, Most, command
from attnviz.errors import UsageError

if TYPE_CHECKING:
    from attnviz.captures import Capture
    from attnviz.inputs import Sample
    from attnviz.recipes import Choice


@command
def diff(
    *, inputs: Inputs, kept: KeptTwo, models: Models, choices: Choices, most: Most, drawing: Drawing
) -> None:
    """Show what differs between two texts of one model, or two models of one text.

    Tokens are laid side by side and maps subtracted: the heads that changed most, and the map of the first
    of them; or the maps that are chosen.
    """
    from attnviz import api
    from attnviz.cli import output, read
    from attnviz.render.differencepages import kind_of
    from attnviz.render.rows import Table

    choice, style = choices.choice(), drawing.style()
    api.check_diff(choice, style, top=most.top)
    before = read.two_captures(kept)
    samples = [] if before else read.samples(inputs)
    pairs = [] if before else _pairs(samples, models)
    kind = kind_of(choice, Path(drawing.output or "").suffix)
    files = output.target(drawing, kind)
    first, second = before or _seen(pairs, inputs, models, choice)
    page = api.diff(first, second, top=most.top, choice=choice, style=style)
    output.show([page.table if kind is Table and page.table else page], files, drawing, style)


def _pairs(samples: "Sequence[Sample]", models: Models) -> "list[tuple[Sample, str]]":
    """What is read by which model. Raises UsageError unless that is two texts, or one text twice."""
    names = models.names()
    if len(samples) == 2 and len(names) == 1:
        return [(sample, names[0]) for sample in samples]
    if len(samples) == 1 and len(names) == 2:
        return [(samples[0], name) for name in names]
    if len(samples) == 1 and len(names) == 1:
        raise UsageError(
            "one text and one model differ in nothing: give a second TEXT, or a second model with -m"
        )
    if len(samples) == 2 and len(names) == 2:
        raise UsageError("two texts and two models differ in both: leave out one TEXT or one -m")
    raise UsageError(
        f"diff is of two: two texts of one model, or one text of two models; not {len(samples)} "
        f"text{'s' * (len(samples) > 1)} of {len(names)} model{'s' * (len(names) > 1)}"
    )


def _seen(
    pairs: "Sequence[tuple[Sample, str]]", inputs: Inputs, models: Models, choice: "Choice"
) -> "Iterator[Capture]":
    """What each model sees of its sample: the chosen maps, or all; under names that tell them apart."""
    from attnviz.cli import look
    from attnviz.models.called import apart
    from attnviz.wishes import ALL, AUTO

    keep = AUTO if choice.maps else ALL
    names = apart([name for _, name in pairs])
    for (sample, name), told in zip(pairs, names, strict=True):
        [seen] = look.captures([sample], inputs, models.model(name), choice, keep=keep, statistics=False)
        yield replace(seen, model=replace(seen.model, name=told)) if told else seen

"""Runs the model over samples, one at a time, and shows how far it is."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from attnviz.cli.options import Inputs, Model

if TYPE_CHECKING:
    from attnviz.captures import Capture
    from attnviz.inputs import Sample
    from attnviz.recipes import Choice
    from attnviz.render.views import View

Made = TypeVar("Made", bound="View")


def captures(
    samples: "Sequence[Sample]",
    inputs: Inputs,
    model: Model,
    choice: "Choice",
    *,
    keep: str | None,
    statistics: bool,
) -> "Iterator[Capture]":
    """What is seen of each sample; the model is loaded once, when the first is asked for.

    keep, statistics: as ``attnviz.capture`` takes them
    """
    from attnviz import api
    from attnviz.cli import progress

    source = model.load(generates=inputs.generate > 0)
    with progress.Bar() as bar:
        for sample in samples:
            yield api.capture(
                sample,
                model=source,
                keep=keep,
                statistics=statistics,
                choice=choice,
                truncate=inputs.truncate,
                report=bar.show,
            )


def each(
    samples: "Sequence[Sample]", inputs: Inputs, model: Model, make: "Callable[..., Made]"
) -> "Iterator[Made]":
    """What is made of each sample by a verb that runs the model itself, which is loaded once."""
    from attnviz.cli import progress

    source = model.load(generates=inputs.generate > 0)
    with progress.Bar() as bar:
        for sample in samples:
            yield make(sample, model=source, truncate=inputs.truncate, report=bar.show)

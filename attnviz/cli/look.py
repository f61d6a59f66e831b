"""Runs the model over samples, one at a time, and shows how far it is."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attnviz.cli.options import Inputs, Model

if TYPE_CHECKING:
    from attnviz.captures import Capture
    from attnviz.inputs import Sample
    from attnviz.recipes import Choice


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

"""``attnviz align``: a translation beside what it was written from."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from attnviz.cli.options import Drawing, Kept, Linking, Translated, Translator, command
from attnviz.errors import UsageError

if TYPE_CHECKING:
    from attnviz.analysis.translated import Aligned
    from attnviz.captures import Capture
    from attnviz.inputs import Sample
    from attnviz.recipes import Style


@command
def align(
    *, texts: Translated, kept: Kept, translator: Translator, linking: Linking, drawing: Drawing
) -> None:
    """Translate SOURCE, or take TARGET for its translation, and draw which words were looked at for which.

    Rows are words of the target, columns of the source. In a terminal the last line is the alignment as
    "0-0 1-2": word of the source, word of the target, from 0.
    """
    from attnviz import api
    from attnviz.cli import output, read

    style = drawing.style()
    api.check(linking.choice(), style)
    api.check_align(linking.choice(), best=linking.best, threshold=linking.threshold)
    before = read.captures(kept)
    samples = [seen.sample for seen in before] if before else _samples(texts)
    files = output.targets(drawing, samples)
    found = _aligned(before, linking) if before else _translated(samples, texts, translator, linking)
    if files or drawing.json:
        output.show((api.alignment_view(each, style=style) for each in found), files, drawing, style)
    else:
        _print(found, drawing, style)


def _samples(texts: Translated) -> "list[Sample]":
    """What is translated. Raises UsageError if nothing, or too much, was named; InputError for no text."""
    from attnviz.cli import read

    if texts.source is None and texts.file is None:
        raise UsageError(
            'nothing to translate: give a SOURCE, for example attnviz align "The cat sits on the mat"'
        )
    if texts.target is not None and texts.generate:
        raise UsageError("TARGET is what the model is to have written: leave out --generate")
    if texts.target is not None and texts.lines:
        raise UsageError("TARGET is the translation of one SOURCE: leave out --lines")
    if texts.target is not None and not texts.target.strip():
        raise UsageError("TARGET is empty: give at least one word, or leave it out to have SOURCE translated")
    return read.samples(texts.inputs())


def _aligned(captures: "Iterable[Capture]", linking: Linking) -> "Iterator[Aligned]":
    from attnviz import api

    choice, best, threshold = linking.choice(), linking.best, linking.threshold
    return (api.align(seen, choice=choice, best=best, threshold=threshold) for seen in captures)


def _translated(
    samples: "Sequence[Sample]", texts: Translated, translator: Translator, linking: Linking
) -> "Iterator[Aligned]":
    """Each sample with its translation; the model is loaded once, when the first is asked for."""
    from attnviz import api
    from attnviz.cli import progress

    api.check_translates(translator.model, offline=translator.offline, allow_pickle=translator.allow_pickle)
    source = translator.load(generates=any(sample.pair is None for sample in samples))
    with progress.Bar() as bar:
        for sample in samples:
            yield api.align(
                sample, model=source, choice=linking.choice(), best=linking.best,
                threshold=linking.threshold, truncate=texts.truncate, report=bar.show,
            )  # fmt: skip


def _print(found: "Iterable[Aligned]", drawing: Drawing, style: "Style") -> None:
    """Each page, and below it the alignment of each of its maps on a line that a script can take."""
    from attnviz import api
    from attnviz.cli import output

    for number, each in enumerate(found):
        if number:
            output.print_rich("")
        output.show([api.alignment_view(each, style=style)], [], drawing, style)
        several = len(each.alignments) > 1
        lines = [f"{one.name}\t{one.pharaoh}" if several else one.pharaoh for one in each.alignments]
        sys.stdout.write("\n".join(lines) + "\n")

"""Where results go: the terminal, standard output as JSON, or files."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.cli.options import Drawing
from attnviz.errors import UsageError
from attnviz.files import is_directory
from attnviz.inputs import Sample

if TYPE_CHECKING:
    from rich.console import RenderableType

    from attnviz.recipes import Style
    from attnviz.render.views import View

PATTERN = "{sample}"
MODEL = "{model}"


def targets(drawing: Drawing, samples: Sequence[Sample], kind: "type[View] | None" = None) -> list[Path]:
    """The file of each sample; none without ``-o``.

    Raises UsageError if several samples would share a file, or if -o and --json were both asked for;
    OutputError if a file could not be written, before anything is computed.
    """
    if drawing.output is None:
        return []
    _check_json(drawing)
    pattern = drawing.output
    if len(samples) > 1 and (pattern.endswith("/") or is_directory(Path(pattern))):
        pattern = f"{pattern.rstrip('/')}/{PATTERN}.png"
    files = _named(pattern, PATTERN, [sample.name for sample in samples])
    if len(set(files)) < len(files):
        raise UsageError(
            f"-o {drawing.output} is one file for {len(files)} samples: "
            f"put {PATTERN} into its name, or name a directory"
        )
    from attnviz.render.files import checked, formats_of
    from attnviz.render.views import Page

    for file in files:
        checked(file, formats_of(kind or Page), force=drawing.force)
    return files


def model_targets(drawing: Drawing, models: Sequence[str], kind: "type[View]") -> list[Path]:
    """The file of each model that another is compared with; none without ``-o``.

    Raises as ``targets`` does.
    """
    if drawing.output is None:
        return []
    _check_json(drawing)
    files = _named(drawing.output, MODEL, models)
    if len(set(files)) < len(files):
        advice = "give models of different names" if MODEL in drawing.output else f"put {MODEL} into its name"
        raise UsageError(f"-o {drawing.output} is one file for {len(files)} comparisons: {advice}")
    from attnviz.render.files import checked, formats_of

    for file in files:
        checked(file, formats_of(kind), force=drawing.force)
    return files


def _named(pattern: str, place: str, names: Sequence[str]) -> list[Path]:
    return [Path(pattern.replace(place, _file_name(name))) for name in names]


def target(drawing: Drawing, kind: "type[View]") -> list[Path]:
    """The one file of all samples; none without ``-o``. Raises as ``targets`` does."""
    if drawing.output is None:
        return []
    _check_json(drawing)
    if PATTERN in drawing.output:
        raise UsageError(f"-o {drawing.output}: all samples are in one table, so leave {PATTERN} out")
    from attnviz.render.files import checked, formats_of

    checked(Path(drawing.output), formats_of(kind), force=drawing.force)
    return [Path(drawing.output)]


def _check_json(drawing: Drawing) -> None:
    if drawing.json:
        raise UsageError("--json prints to standard output: for a file leave it out and give -o FILE.json")


def show(
    views: "Iterable[View]",
    files: Sequence[Path],
    drawing: Drawing,
    style: "Style",
    *,
    several: str = "samples",
) -> None:
    """Print or save each view as soon as it is there.

    several: what one JSON document calls them if they are not one
    """
    if drawing.json:
        _print_json(views, style, several)
    elif files:
        for view, file in zip(views, files, strict=True):
            _save(view, file, style, force=drawing.force)
    else:
        for number, view in enumerate(views):
            print_rich(*([""] if number else []), printed(view))


def note(text: str) -> None:
    """One line on standard error, for the reader and not for a program."""
    from attnviz.inputs import printable

    print(f"attnviz: {printable(' '.join(text.split()))}", file=sys.stderr)  # noqa: T201


def _save(view: "View", file: Path, style: "Style", *, force: bool) -> None:
    from attnviz import api

    for told in api.save(view, file, style=style, force=force):
        note(f"{file}: {told}")
    note(f"wrote {file}")


def _print_json(views: "Iterable[View]", style: "Style", several: str) -> None:
    """One document: that of the only view, or all of them by what they are."""
    from attnviz.render.files import json_text

    documents = [json_text(view, style) for view in views]
    whole = documents[0] if len(documents) == 1 else f'{{"schema": 1, "{several}": [{",".join(documents)}]}}'
    sys.stdout.write(whole + "\n")


def printed(view: "View") -> "RenderableType":
    """The view as a terminal shows it."""
    from attnviz.render.plots import Chart
    from attnviz.render.rows import HeadTable, Steps, Table
    from attnviz.render.views import HeadGrid, HeadLines, TokenStrip

    if isinstance(view, HeadTable | Table):
        from attnviz.render.table import table

        return table(view)
    if isinstance(view, Steps):
        from attnviz.render.table import steps

        return steps(view)
    if isinstance(view, Chart):
        from attnviz.render.table import chart

        return chart(view)
    if isinstance(view, HeadGrid):
        from attnviz.render.grid import grid

        return grid(view)
    if isinstance(view, HeadLines | TokenStrip):
        from attnviz.render.tokenterminal import PrintedLines, PrintedStrip

        return PrintedLines(view) if isinstance(view, HeadLines) else PrintedStrip(view)
    from attnviz.render.terminal import page

    return page(view)


def print_rich(*parts: "RenderableType") -> None:
    """On standard output, with the colours and the width that it has."""
    from rich.console import Console

    class Terminal(Console):
        def on_broken_pipe(self) -> None:
            """Leaves to the command what rich would end with status 1."""
            raise  # noqa: PLE0704 - rich calls this while it handles the error

    console = Terminal()
    for part in parts:
        console.print(part, crop=False)  # tables are as wide as was asked for


def _file_name(name: str) -> str:
    """A sample's name as part of a file name."""
    return name.replace("/", "__").replace("\\", "__")

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
    from attnviz.recipes import Style
    from attnviz.render.views import Page

PATTERN = "{sample}"


def targets(drawing: Drawing, samples: Sequence[Sample]) -> list[Path]:
    """The file of each sample; none without ``-o``.

    Raises UsageError if several samples would share a file, or if -o and --json were both asked for;
    OutputError if a file could not be written, before anything is computed.
    """
    if drawing.output is None:
        return []
    if drawing.json:
        raise UsageError("--json prints to standard output: for a file leave it out and give -o FILE.json")
    pattern = drawing.output
    if len(samples) > 1 and (pattern.endswith("/") or is_directory(Path(pattern))):
        pattern = f"{pattern.rstrip('/')}/{PATTERN}.png"
    files = [Path(pattern.replace(PATTERN, _file_name(sample.name))) for sample in samples]
    if len(set(files)) < len(files):
        raise UsageError(
            f"-o {drawing.output} is one file for {len(files)} samples: "
            f"put {PATTERN} into its name, or name a directory"
        )
    from attnviz.render.files import checked

    for file in files:
        checked(file, force=drawing.force)
    return files


def show(pages: "Iterable[Page]", files: Sequence[Path], drawing: Drawing, style: "Style") -> None:
    """Print or save each page as soon as it is there."""
    if drawing.json:
        _print_json(pages)
    elif files:
        for page, file in zip(pages, files, strict=True):
            _save(page, file, style, force=drawing.force)
    else:
        _print(pages)


def note(text: str) -> None:
    """One line on standard error, for the reader and not for a program."""
    from attnviz.inputs import printable

    print(f"attnviz: {printable(' '.join(text.split()))}", file=sys.stderr)  # noqa: T201


def _save(page: "Page", file: Path, style: "Style", *, force: bool) -> None:
    from attnviz import api

    for told in api.save(page, file, style=style, force=force):
        note(f"{file}: {told}")
    note(f"wrote {file}")


def _print_json(pages: "Iterable[Page]") -> None:
    """One document: that of the only sample, or all of them under "samples"."""
    from attnviz.render.numbers import json_bytes

    documents = [json_bytes(page).decode().strip() for page in pages]
    whole = documents[0] if len(documents) == 1 else f'{{"schema": 1, "samples": [{",".join(documents)}]}}'
    sys.stdout.write(whole + "\n")


def _print(pages: "Iterable[Page]") -> None:
    from rich.console import Console

    from attnviz.render import terminal

    class Terminal(Console):
        def on_broken_pipe(self) -> None:
            """Leaves to the command what rich would end with status 1."""
            raise  # noqa: PLE0704 - rich calls this while it handles the error

    console = Terminal()
    for number, page in enumerate(pages):
        if number:
            console.print()
        console.print(terminal.page(page))


def _file_name(name: str) -> str:
    """A sample's name as part of a file name."""
    return name.replace("/", "__").replace("\\", "__")

"""Samples from what was typed, a file or standard input; or captures, where they were seen before."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.cli.options import Inputs, Kept, KeptTwo, Texts
from attnviz.errors import InputError, UsageError
from attnviz.inputs import Sample, check_texts, decoded, lines_of

if TYPE_CHECKING:
    from attnviz.captures import Capture, Captures


def samples(inputs: Texts) -> list[Sample]:
    """What the model is to read, each with a name that files can carry.

    Raises UsageError if nothing, or too much, was named; InputError for what is no text.
    """
    texts = _texts(inputs)
    generate = inputs.generate if isinstance(inputs, Inputs) else 0
    if inputs.pair is not None and len(texts) > 1:
        raise UsageError(f"--pair goes with one text, not with {len(texts)}")
    if inputs.pair is not None and inputs.chat:
        raise UsageError("--pair and --chat do not go together: a chat has one message")
    if inputs.pair is not None and generate:
        raise UsageError("--pair and --generate do not go together: what is written follows one text")
    found = [Sample(text, inputs.pair, inputs.chat, name, generate, inputs.languages) for name, text in texts]
    check_texts(found)
    return found


def captures(kept: Kept) -> "Captures | None":
    """What was seen before, where --from names a file of it.

    Raises InputError if it cannot be read.
    """
    if kept.captures is None:
        return None
    return kept_in(kept.captures)


def kept_in(file: Path) -> "Captures":
    """The samples that a file of captures holds. Raises InputError if it cannot be read."""
    from attnviz import api
    from attnviz.captures import Capture, Captures

    seen = api.load(file)
    return Captures(1, lambda _: seen) if isinstance(seen, Capture) else seen


def two_captures(kept: KeptTwo) -> "list[Capture] | None":
    """Two samples that were seen before, where --from names a file of both or a file of each.

    Raises UsageError if there are more or fewer, InputError if one cannot be read.
    """
    if not kept.captures:
        return None
    found = [seen for file in kept.captures for seen in captures(Kept(file)) or ()]
    if len(found) != 2:
        raise UsageError(
            f"--from: diff is of two samples, and {len(found)} {'is' if len(found) == 1 else 'are'} there: "
            "give a capture of two, or --from twice with one each"
        )
    return found


def _texts(inputs: Texts) -> list[tuple[str, str]]:
    given = inputs.texts or []
    if inputs.file is not None and given:
        raise UsageError("give a TEXT or --file, not both")
    if inputs.file is not None:
        return _split(inputs.file.stem, decoded(_bytes(inputs.file), str(inputs.file)), inputs.lines)
    if not given:
        raise UsageError('nothing to read: give a TEXT, for example attnviz heatmap "The cat sat on the mat"')
    if inputs.lines and given != ["-"]:
        raise UsageError("--lines goes with --file or with - for standard input")
    numbered = len(given) > 1
    return [
        named
        for number, text in enumerate(given, 1)
        for named in (
            _standard_input(inputs) if text == "-" else [(f"text-{number}" if numbered else "text", text)]
        )
    ]


def _standard_input(inputs: Texts) -> list[tuple[str, str]]:
    return _split("stdin", decoded(sys.stdin.buffer.read(), "standard input"), inputs.lines)


def _split(name: str, text: str, lines: bool) -> list[tuple[str, str]]:
    if not lines:
        return [(name, text.removesuffix("\n"))]
    found = lines_of(text)
    if not found:
        raise InputError(f"{name} is empty: give at least one line of text")
    return [(f"{name}-{number}", line) for number, line in found]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error

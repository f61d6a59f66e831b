"""What to do where memory does not suffice, in the options of each command."""

from collections.abc import Iterator
from contextlib import contextmanager

from attnviz.errors import RoomError

ADVICE = {
    "heatmap": {
        "maps": "choose fewer with -l/--layer and -H/--head, or leave out --tokens, --special and --words",
    },
    "capture": {
        "words": "give shorter texts",
        "maps": "keep fewer, such as --keep 3.5,7.1, or pooled ones: --keep none --pooled 256",
        "statistics": "leave them out with --no-statistics",
    },
    "align": {"maps": "choose fewer with -l/--layer and -H/--head, or give a shorter SOURCE"},
    "diff": {"maps": "choose fewer with -l/--layer and -H/--head"},
    "heads": {"statistics": "read a shorter text"},
    "compare": {"words": "give shorter texts"},
    "probe": {
        "words": "choose fewer heads with -l/--layer and -H/--head, or give shorter texts",
        "statistics": "draw fewer tokens with --length, or read shorter texts",
    },
    "doctor": {"maps": "give a shorter TEXT"},
}
"""By the command and by what takes most of the memory (``RoomError.of``)."""


@contextmanager
def advising(command: str) -> Iterator[None]:
    """Inside the block what does not fit into memory is answered with options that the command has."""
    try:
        yield
    except RoomError as error:
        raise error.advising(ADVICE.get(command, {}).get(error.of, error.instead)) from error

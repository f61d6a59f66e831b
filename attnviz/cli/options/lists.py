"""Options that are lists of whole numbers."""

import re

from attnviz.errors import UsageError

_WHOLE = re.compile("[0-9]{1,99}")  # of thousands of digits Python makes no number


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """The numbers of "1,4,8", as they were given. Raises UsageError for anything else, and for none."""
    parts = [part.strip() for part in text.split(",")]
    if wrong := [part for part in parts if not _WHOLE.fullmatch(part)]:
        raise UsageError(f"{option} {text!r}: {wrong[0]!r} is no whole number; write them as 2,4,8")
    return tuple(map(int, parts))

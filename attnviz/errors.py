"""What can go wrong that the user can mend. Anything else is a bug and keeps its traceback.

A message is one line: what was asked, why not, what would work.
"""


class AttnvizError(Exception):
    """Base of all errors that the user can mend (exit status 1)."""


class UsageError(AttnvizError):
    """The command cannot be understood as it was typed (exit status 2)."""


class InputError(AttnvizError):
    """The text, or another input, cannot be read or encoded."""


class ModelError(AttnvizError):
    """The model cannot be found, loaded or captured exactly."""


class SelectionError(AttnvizError):
    """A layer, head, token or word was asked for that is not there."""


class OutputError(AttnvizError):
    """The result cannot be written where, or as, it was asked for."""

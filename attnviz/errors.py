"""What can go wrong that the user can mend. Anything else is a bug and keeps its traceback.

A message is one line: what was asked, why not, what would work.
"""


class AttnvizError(Exception):
    """Base of all errors that the user can mend (exit status 1)."""


class UsageError(AttnvizError):
    """The command cannot be understood as it was typed (exit status 2)."""


class InputError(AttnvizError):
    """The text, or another input, cannot be read or encoded."""


class RoomError(InputError):
    """What was asked for does not fit into memory.

    of: what it is that takes most ("maps", "statistics"): which option would take less depends on who asks
    """

    def __init__(self, problem: str, instead: str, *, of: str = "", more: str = "") -> None:
        """problem: what does not fit; instead: what would take less of that; more: what else would help"""
        advice = [part for part in (instead, more) if part and not (part == instead and part in more)]
        super().__init__(problem + "; ".join(advice))
        self.problem, self.instead, self.of, self.more = problem, instead, of, more

    def advising(self, instead: str) -> "RoomError":
        """The same with other advice, where there was any."""
        return RoomError(self.problem, self.instead and instead, of=self.of, more=self.more)


class ModelError(AttnvizError):
    """The model cannot be found, loaded or captured exactly."""


class SelectionError(AttnvizError):
    """A layer, head, token or word was asked for that is not there."""


class OutputError(AttnvizError):
    """The result cannot be written where, or as, it was asked for."""


class ExpectationError(AttnvizError):
    """What the user said they expect of a result is not so (exit status 3)."""

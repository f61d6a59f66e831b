"""Why a model cannot be captured: a closed list."""

from enum import Enum

from attnviz.errors import ModelError


class Reason(Enum):
    """What is said of a model none of whose weights can be taken exactly."""

    NO_ATTENTION = "it has no attention"
    NO_WEIGHTS = "its attention gives no weights"
    NO_SOFTMAX = "the weights of its attention are no softmax over keys"
    MISSING_PACKAGE = "it needs a package that is missing"


class RefusedError(ModelError):
    """A model that cannot be captured, for one of the reasons."""

    def __init__(self, model: str, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{model} cannot be captured: {reason.value}{f' ({detail})' if detail else ''}")
        self.reason = reason

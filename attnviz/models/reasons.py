"""Why a model cannot be captured: a closed list."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from torch import nn

from attnviz.errors import ModelError


class Reason(Enum):
    """What is said of a model none of whose weights can be taken exactly."""

    NO_ATTENTION = "it has no attention"
    NO_WEIGHTS = "its attention gives no weights"
    NO_SOFTMAX = "the weights of its attention are no softmax over keys"
    MISSING_PACKAGE = "it needs a package that is missing"


NO_SOFTMAX: Mapping[str, Callable[[Any], bool]] = {
    "NystromformerSelfAttention": lambda module: bool(module.num_landmarks != module.seq_len),
    "YosoSelfAttention": lambda _: True,
    "MraSelfAttention": lambda _: True,
    "RwkvSelfAttention": lambda _: True,
    "AutoformerAttention": lambda _: True,
}
"""Attentions that mix softmaxes with something else, or sample or approximate one, and when they do."""


def is_no_softmax(module: nn.Module) -> bool:
    """Whether the attention of this module is known to be something else than a softmax over keys."""
    known = NO_SOFTMAX.get(type(module).__name__)
    return known is not None and known(module)


class RefusedError(ModelError):
    """A model that cannot be captured, for one of the reasons."""

    def __init__(self, model: str, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{model} cannot be captured: {reason.value}{f' ({detail})' if detail else ''}")
        self.reason = reason

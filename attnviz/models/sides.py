"""What a model reads and what its decoder does: which tensors hold it, and who attends to what."""

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

Over = Literal["read", "written"] | None
"""What one side of an attention is over: what is read, what the decoder reads; None for anything else."""

READ = ("input_ids", "inputs_embeds", "encoder_outputs")
WRITTEN = ("decoder_input_ids", "decoder_inputs_embeds")
"""The arguments that hold the tokens of either side; what the encoder made of them stands for them too."""

NOT_TOKENS = ("vision", "audio")
"""Stacks that read no tokens, whatever their length."""


def over_of(stack: str, *, decodes: bool) -> tuple[Over, Over]:
    """What the queries and the keys of a stack are over, as far as its name says.

    decodes: the model has a decoder that reads something else than its encoder
    """
    if stack in NOT_TOKENS:
        return None, None
    if not decodes:
        return "read", "read"
    queries: Over = "written" if stack in ("decoder", "cross") else "read"
    return queries, "written" if stack == "decoder" else "read"


def held(tensors: Mapping[str, Any], names: tuple[str, ...]) -> Tensor | None:
    """The tensor that holds the tokens of one side: ``[1, tokens]``, or with more axes; None without."""
    for name in names:
        tensor = tensors.get(name)
        if name == "encoder_outputs" and tensor is not None:
            tensor = tensor[0]
        if isinstance(tensor, Tensor) and tensor.ndim > 1:
            return tensor
    return None


def length_of(tensors: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """How many tokens one side has; None if it holds none."""
    tensor = held(tensors, names)
    return None if tensor is None else tensor.shape[1]

"""What tensors that were prepared elsewhere must be, said before a model fails on them in its own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from attnviz.errors import InputError
from attnviz.models.batches import is_plain
from attnviz.models.sides import WRITTEN

IDS = ("input_ids", "decoder_input_ids")
SEQUENCES = (*IDS, "inputs_embeds", "decoder_inputs_embeds", "attention_mask", "decoder_attention_mask")


@dataclass(frozen=True)
class Reads:
    """What a model can be given.

    name:      how messages call it
    main:      the argument that holds what it reads: "input_ids", "pixel_values"
    known:     how many tokens its vocabulary has, by the argument that holds them; 0 if that is not known
    positions: tokens that fit; None where there is no limit
    books:     it reads several rows of tokens at once, one of each codebook
    frames:    images that are one sample of a model that reads videos as images
    """

    name: str
    main: str
    known: Mapping[str, int]
    positions: int | None
    books: bool
    frames: int = 1


def check_prepared(tensors: Mapping[str, Any], reads: Reads) -> None:
    """Raises InputError for tensors that are no batch of one that the model can read."""
    if not tensors:
        raise InputError(
            f"no tensors were given: give what {reads.name} is called with, such as {reads.main}"
        )
    if tensors.get("past_key_values") is not None:
        raise InputError(
            f"{reads.name} was given past_key_values, which a capture would add to: give the whole text, not "
            "its last tokens and a cache"
        )
    for name, tensor in tensors.items():
        _check_tensor(str(name), tensor)
    if reads.books:
        return
    _check_single(tensors, reads)
    for name in set(IDS) & set(tensors):
        _check_ids(name, tensors[name], reads)
    if is_plain(tensors) and "position_ids" not in tensors:
        _check_length(tensors, reads)


def _check_tensor(name: str, tensor: Any) -> None:
    foreign = type(tensor).__module__ == "numpy" or (name in SEQUENCES and not isinstance(tensor, Tensor))
    if foreign:
        kind = f"{type(tensor).__module__}.{type(tensor).__name__}".removeprefix("builtins.")
        raise InputError(f"{name} is of type {kind}: give tensors, such as torch.tensor([[5, 17, 3]])")


def _check_single(tensors: Mapping[str, Any], reads: Reads) -> None:
    for name in ("input_ids", "inputs_embeds", *WRITTEN):
        tensor = tensors.get(name)
        if tensor is not None and (tensor.ndim < 2 or tensor.shape[0] != 1 or tensor.shape[1] == 0):
            raise InputError(
                f"{name} has shape {list(tensor.shape)}: give a batch of one, [1, tokens], and a token"
            )
    seen = tensors.get(reads.main)
    if not isinstance(seen, Tensor) or seen.ndim <= 2 or seen.shape[0] == 1:
        return
    beside = (tensor for name, tensor in tensors.items() if name != reads.main and isinstance(tensor, Tensor))
    one = any(tensor.ndim and tensor.shape[0] == 1 for tensor in beside)  # a text, or the grid of its patches
    if not one and not (seen.ndim == 4 and seen.shape[0] == reads.frames):
        raise InputError(f"{reads.main} has shape {list(seen.shape)}: give a batch of one, [1, ...]")


def _check_ids(name: str, ids: Tensor, reads: Reads) -> None:
    if ids.is_floating_point() or ids.is_complex():
        raise InputError(f"{name} is of {ids.dtype}: tokens are whole numbers, such as torch.long")
    known = reads.known.get(name, 0)
    wrong = next((end for end in (int(ids.min()), int(ids.max())) if not 0 <= end < known), None)
    if known and wrong is not None:
        raise InputError(f"{name} holds token {wrong}: {reads.name} knows those from 0 to {known - 1}")


def _check_length(tensors: Mapping[str, Any], reads: Reads) -> None:
    for name in set(IDS) & set(tensors):
        count = tensors[name].shape[1]
        if reads.positions is not None and count > reads.positions:
            raise InputError(f"{name} has {count} tokens and {reads.name} reads at most {reads.positions}")

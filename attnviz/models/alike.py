"""Telling the tokens of a text from what only happens to be as long: another look with a token less."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from attnviz.errors import ModelError
from attnviz.models.census import Census, taken
from attnviz.models.sides import READ, WRITTEN, Over

TEXT = frozenset(
    (*READ, *WRITTEN, "attention_mask", "token_type_ids", "position_ids", "decoder_attention_mask", "labels")
)
"""Arguments that are as long as the text, where they are given."""


def told_apart(model: nn.Module, tensors: Mapping[str, Any], census: Census) -> Census:
    """The census of a model that is given more than text, with what is only as long as its tokens.

    What stays as long when the text is a token shorter is something else: image regions, another model's
    states. Where that cannot be seen, nothing of that length is taken for the text.
    """
    if not (_is_given_more(tensors) and _is_ambiguous(census)):
        return census
    try:
        shorter = taken(model, _cut(tensors)).sizes
    except ModelError:
        shorter = {}
    return replace(
        census, alike={name: _alike(size, shorter.get(name)) for name, size in census.sizes.items()}
    )


def _is_given_more(tensors: Mapping[str, Any]) -> bool:
    """Whether the model is given numbers that are no tokens."""
    return any(
        isinstance(tensor, Tensor) and tensor.is_floating_point() and name not in TEXT
        for name, tensor in tensors.items()
    )


def _is_ambiguous(census: Census) -> bool:
    """Whether anything but the stack of a text is as long as its tokens.

    (That is known by name, and what an image became there is among its tokens.)
    """
    lengths: dict[Over, int | None] = {"read": census.reads, "written": census.writes}
    return any(
        over is not None and lengths[over] == length
        for layer in census.facts
        if layer.stack not in ("text", "decoder")
        for over, length in zip(census.over[layer], census.sizes[layer.name], strict=True)
    )


def _cut(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The same input with the last token left out on either side."""
    return {
        name: tensor[:, :-1] if isinstance(tensor, Tensor) and name in TEXT else tensor
        for name, tensor in tensors.items()
    }


def _alike(size: tuple[int, int], shorter: tuple[int, int] | None) -> tuple[bool, bool]:
    """Which sides are no tokens: those that are as long as before."""
    if shorter is None:
        return True, True
    return size[0] == shorter[0], size[1] == shorter[1]

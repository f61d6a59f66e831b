"""What a model type needs that cannot be built by the rules alone."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch import randn as normal

from tests.conformance.shrink import Recipe

Inputs = Callable[[Any], dict[str, Any]]

AS_WIDE = Recipe(widths=False, images=False, lists=False)  # convolutions, whose widths fit each other alone


@dataclass(frozen=True)
class Special:
    """What one model type needs.

    config: fields, nested like the configuration
    start:  fields without which the defaults are no configuration
    model:  the class, where it is not the first one that takes the configuration
    inputs: what the model is called with
    recipe: how much is made small
    part:   the field of the configuration that the class takes, where the whole has no forward of its own
    implementation: which of the model's attentions is its reference, where it has no eager one, or where that
            computes something else than the model does by default (a mask read as its opposite, none at all);
            None: whatever each of its parts computes by default
    within: inside it the model can be built, where transformers has a fault that keeps everybody from it
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    inputs: Inputs | None = None
    recipe: Recipe | None = None
    part: str | None = None
    implementation: str | None = "eager"
    within: Callable[[], AbstractContextManager[None]] = nullcontext


def ids(*shape: int) -> Tensor:
    """Tokens: small numbers, none of them special, some of them twice."""
    count = int(torch.tensor(shape).prod())
    return (torch.arange(count) * 37 % 90 + 10).view(shape)


def ones(*shape: int) -> Tensor:
    return torch.ones(*shape, dtype=torch.long)


def padded(length: int, padding: int = 3) -> Tensor:
    """The mask of a text that is padded on the right."""
    mask = ones(1, length)
    mask[:, length - padding :] = 0
    return mask


def padded_text(length: int = 14) -> dict[str, Tensor]:
    return {"input_ids": ids(1, length), "attention_mask": padded(length)}


def of_audio(bins: int, frames: int = 60) -> Inputs:
    return lambda _: {
        "input_features": normal(1, frames, bins),
        "input_features_mask": ones(1, frames).bool(),
    }


def text_around(token: int, count: int, *, padding: int = 0) -> dict[str, Tensor]:
    """A text with as many places for an image or a sound in it, padded on the right."""
    places = torch.full((1, count), token)
    joined = torch.cat([ids(1, 4), places, ids(1, 6 + padding)], dim=1)
    return {"input_ids": joined, "attention_mask": padded(joined.shape[1], padding)}

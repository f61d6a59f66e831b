"""A model laid open on one sample, for whoever wants to examine it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from attnviz.facts import LayerFacts


class Site(NamedTuple):
    """Where a layer computes its attention.

    path: how the model calls the module
    nth:  which of the module's attentions it is, from 0; several layers may share a module
    """

    path: str
    nth: int


@dataclass(frozen=True)
class Opened:
    """A model, and what it says itself of one sample.

    model:     its modules
    call:      one pass over the sample, with attention as plain matrix products; returns the model's output
    sites:     where each layer is computed, by its name
    own:       the weights that the model itself returns, by layer: ``[heads, queries, keys]``; none if it
               returns none
    reference: what these are
    """

    model: nn.Module
    call: Callable[[], Any]
    sites: Mapping[str, Site]
    own: Mapping[str, Tensor]
    reference: str


SLACK = 2e-2  # a row in half precision may sum to a little more than 1

RETURNED = {
    "attentions": ("", "text", "decoder", "encoder", "vision", "audio"),
    "encoder_attentions": ("encoder",),
    "decoder_attentions": ("decoder",),
    "cross_attentions": ("cross",),
}
"""Where models return their weights, and of which stack these may be."""


def returned(output: Any, layers: tuple[LayerFacts, ...]) -> dict[str, Tensor]:
    """The weights that a model has returned, by the name of their layer: ``[heads, queries, keys]``.

    Of a stack of which it returned more or fewer than there are layers, none.
    """
    own: dict[str, Tensor] = {}
    for field, stacks in RETURNED.items():
        weights = [entry[0] for entry in getattr(output, field, None) or () if _is_maps(entry)]
        for stack in stacks:
            names = [layer.name for layer in layers if layer.stack == stack and layer.heads]
            if weights and len(names) == len(weights):
                own |= dict(zip(names, weights, strict=True))
                break
    return own


def _is_maps(entry: Any) -> bool:
    """Whether these are weights of one sample. (Some models return their scores, or hidden states.)"""
    if not isinstance(entry, Tensor) or entry.ndim != 4 or entry.shape[0] != 1:
        return False
    return bool((entry >= 0).all() and (entry.float().sum(-1) < 1 + SLACK).all())

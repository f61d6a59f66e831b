"""A head's queries and keys made into weights in other ways than its model does."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from attnviz.attention import blocks, causal, cosine, dot, linear_weights, tokens, weights_of, window
from attnviz.captures import Booleans, Capture, Floats, LayerMaps, Layers
from attnviz.errors import SelectionError
from attnviz.observe.again import with_statistics
from attnviz.projections import Projections
from attnviz.variation import PLAIN, Mask, Term, Variant

LEARNT_BY = {"general": "builtin:luong", "additive": "builtin:bahdanau"}
"""Models that ship and learnt these scores."""


def varied(made: Projections, variants: Iterable[Variant]) -> Capture:
    """The maps of the variants, as if they were heads of one layer, with the statistics of each.

    Raises SelectionError for a score that the model has no parameters for, and a mask that does not fit.
    """
    pairs = [varied_weights(made, variant) for variant in variants]
    weights, visible = (np.stack(parts) for parts in zip(*pairs, strict=True))
    maps = replace(made.maps, heads=tuple(range(len(pairs))), weights=weights, visible=visible)
    return with_statistics(_alone(made, maps))


def _alone(made: Projections, maps: LayerMaps) -> Capture:
    """A capture of these maps and nothing else."""
    seen = made.seen
    layer = next(layer for layer in seen.model.layers if layer.name == maps.name)
    model = replace(seen.model, layers=(replace(layer, heads=len(maps.heads)),))
    return replace(seen, model=model, maps=Layers((maps,)))


def varied_weights(made: Projections, variant: Variant) -> tuple[Floats, Booleans]:
    """The weights of a variant and what they may see, ``[queries, keys]``. Raises as ``varied`` does."""
    visible = torch.from_numpy(np.array(made.visible))
    if variant.mask is not None:
        visible = visible & _mask(made, variant.mask)
    if variant.score == "linear":
        weights = linear_weights(_tensor(made.query), _tensor(made.key), visible)
    else:
        weights = _softmax(made, _scores(made, variant), visible, variant.temperature)
    return weights.numpy(), visible.numpy()


def _scores(made: Projections, variant: Variant) -> Tensor:
    """Before the softmax: with the model's cap and with what it adds by position."""
    scores = _scored(made, variant)
    if made.cap is not None:
        scores = made.cap * torch.tanh(scores / made.cap)
    return scores if made.bias is None else scores + _tensor(made.bias)


def _scored(made: Projections, variant: Variant) -> Tensor:
    """Each query with each key."""
    if variant.score not in PLAIN:
        return _learnt(made, variant.score)
    if made.query.shape[-1] != made.key.shape[-1]:
        raise SelectionError(
            f"--score {variant.score} is of queries and keys of one size: head {made.head.name} has "
            f"{made.query.shape[-1]} and {made.key.shape[-1]}; its own score is {made.score}"
        )
    query, key = _tensor(made.query), _tensor(made.key)
    if variant.score == "cosine":
        return cosine(query, key)
    return dot(query, key) * (made.scale if variant.score == "scaled" else 1.0)


def _learnt(made: Projections, score: str) -> Tensor:
    if made.learnt is None or made.score != score:
        ships = f", such as {LEARNT_BY[score]}" if score in LEARNT_BY else ""
        raise SelectionError(
            f"--score {score} has parameters that are learnt, and {made.seen.model.name} has learnt none: "
            f"it is shown of models that have{ships}"
        )
    return _tensor(made.learnt)


def _softmax(made: Projections, scores: Tensor, visible: Tensor, temperature: float) -> Tensor:
    """The weights; a place in the softmax that is no key is one more column meanwhile."""
    if made.sink is None:
        return weights_of(scores, visible, temperature=temperature)
    sink = torch.full((len(scores), 1), made.sink)
    always = torch.ones(len(scores), 1, dtype=torch.bool)
    weights = weights_of(
        torch.cat([scores, sink], -1), torch.cat([visible, always], -1), temperature=temperature
    )
    return weights[:, :-1]


def _mask(made: Projections, mask: Mask) -> Tensor:
    """Bool ``[queries, keys]``. Raises SelectionError where queries and keys are not of one text."""
    queries, keys = made.axes
    if queries.positions != keys.positions or made.head.stack == "cross":
        raise SelectionError(
            f"--mask {mask.text} is of a text that looks at itself: head {made.head.name} looks at another"
        )
    allowed = torch.ones(len(queries), len(keys), dtype=torch.bool)
    for factor in mask.factors:
        either = torch.zeros_like(allowed)
        for term in factor:
            either = either | _allowed(term, len(queries))
        allowed = allowed & either
    return allowed


def _allowed(term: Term, length: int) -> Tensor:
    if term.name == "causal":
        return causal(length)
    if term.name == "window":
        return window(length, *term.numbers)
    if term.name == "block":
        return blocks(length, term.numbers[0], seed=(*term.numbers, 0)[1])
    (place,) = term.numbers
    if place >= length:
        raise SelectionError(
            f"--mask global:{place}: there is no token {place}, the text has {length}, 0 to {length - 1}"
        )
    return tokens(length, [place])


def _tensor(array: Floats) -> Tensor:
    return torch.from_numpy(array)

"""What a model is called with: samples put together, and where the tokens of each lie."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from attnviz.models import sides
from attnviz.models.run import Batch, Side

READ = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
WRITTEN = ("decoder_input_ids", "decoder_attention_mask")
PLAIN = frozenset((*READ, *WRITTEN))
"""Tensors of texts, ``[1, tokens]`` each."""


def is_plain(tensors: Mapping[str, Any]) -> bool:
    """Whether the tensors are those of a text, and nothing else."""
    rows = (tensor for tensor in tensors.values() if tensor is not None)
    return set(tensors) <= PLAIN and all(
        isinstance(row, Tensor) and row.ndim == 2 and row.shape[0] == 1 for row in rows
    )


def joined(samples: Sequence[Mapping[str, Any]], fill: int) -> tuple[dict[str, Any], Batch]:
    """Samples as one batch, padded on the right, and where the tokens of each lie in it.

    On the right padding changes no positions; what is padded is masked.
    fill: the token to pad with
    """
    if len(samples) == 1:
        (tensors,) = samples
        return dict(tensors), Batch(1, *_sides([tensors]))
    both = _sides(samples)
    tensors = {}
    for names, side in zip((READ, WRITTEN), both, strict=True):
        if side is None:
            continue
        for name in names:
            if name in samples[0]:
                value = fill if name.endswith("input_ids") else 0
                tensors[name] = torch.cat([_padded(sample[name], side.length, value) for sample in samples])
        if names[1] not in tensors:
            lengths = [sample[names[0]].shape[1] for sample in samples]
            tensors[names[1]] = torch.stack(
                [(torch.arange(side.length) < length).long() for length in lengths]
            )
    return tensors, Batch(len(samples), *both)


def _padded(row: Tensor, length: int, value: int) -> Tensor:
    return pad(row, (0, length - row.shape[1]), value=value)


def _sides(samples: Sequence[Mapping[str, Any]]) -> tuple[Side | None, Side | None]:
    """The tokens that are read, and those that a decoder reads besides."""
    return (
        _side(samples, sides.READ, "attention_mask"),
        _side(samples, sides.WRITTEN, "decoder_attention_mask"),
    )


def _side(samples: Sequence[Mapping[str, Any]], names: tuple[str, ...], mask: str) -> Side | None:
    """The tokens of one side of a model; None if it was given none there."""
    known = [(tensor, sample) for sample in samples if (tensor := sides.held(sample, names)) is not None]
    if len(known) < len(samples):
        return None
    tokens = tuple(own_tokens(tensor, sample.get(mask)) for tensor, sample in known)
    return Side(max(tensor.shape[1] for tensor, _ in known), tokens)


def own_tokens(ids: Tensor, mask: Any) -> range:
    """The places of a row that are no padding: from the first to the last that is not masked.

    ids: ``[1, tokens]``, or with more axes where a token is several numbers
    """
    length = ids.shape[1]
    if not isinstance(mask, Tensor) or mask.shape != ids.shape[:2]:
        return range(length)
    if bool(mask.all()):
        return range(length)
    real = mask[0].nonzero()[:, 0].tolist()
    return range(real[0], real[-1] + 1) if real else range(length)

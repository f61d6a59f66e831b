"""A digest of weights that are in memory."""

import hashlib

import torch
from torch import nn

FEW = 256
"""Numbers of each tensor that are looked at: a model of many gigabytes has its digest in a second."""


def fingerprint_of(model: nn.Module) -> str:
    """A hexadecimal digest of the names, shapes, formats and some evenly spread numbers of all weights.

    Two models that differ in their training differ in nearly every number; one number changed by hand may
    go unnoticed.
    """
    digest = hashlib.sha256()
    for name, weight in model.state_dict().items():
        if not isinstance(weight, torch.Tensor):
            continue
        digest.update(f"{name} {list(weight.shape)} {weight.dtype}".encode())
        if weight.numel() and not weight.is_meta:
            digest.update(_some(weight))
    return digest.hexdigest()


def _some(weight: torch.Tensor) -> bytes:
    flat = weight.detach().reshape(-1)
    some = flat[:: max(1, len(flat) // FEW)][:FEW].cpu().contiguous()
    return some.view(torch.uint8).numpy().tobytes()

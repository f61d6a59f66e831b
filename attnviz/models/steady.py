"""A model made ready to be watched, and left afterwards as it was."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from torch import nn

from attnviz.models.quiet import unlogged
from attnviz.models.switched import Parts, parts_of, watchable


@contextmanager
def steady(model: nn.Module, *, eager: bool = False, parts: Parts | None = None) -> Iterator[None]:
    """Inside the block the model computes without dropout, gradients and caches, from a state it can repeat.

    eager: with plain matrix products; else as it is, unless its own way says nothing of masks (flash, flex)
    In a few models sdpa and eager truly compute different things: a mask that is missing is a causal one to
    sdpa only (Moshi's depth decoder, BLT, Phi-4's images), a boolean one is added as numbers by eager
    (Grounding DINO), ALiBi is added twice by eager (Falcon). Mostly sdpa is what was meant. The model is
    not switched to the other for that: shown is what it computes where its user runs it, and that run's
    weights times values are its output.
    parts: the model's, if they are known
    Training flags, configurations and random numbers are restored, after an exception too.
    Raises ModelError if its attention is computed by something whose numbers may be others.
    """
    known = parts or parts_of(model)
    with (
        unlogged(),
        torch.inference_mode(),
        watchable(known, eager=eager),
        _same_random_numbers() if known.draws else nullcontext(),
    ):
        yield


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    """Those of Python and numpy, which some models draw from; torch's own are kept by ``watchable``."""
    python, numbers = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)

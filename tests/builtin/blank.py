"""Small translators of ours that have learnt nothing, and tasks that are over in a moment."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer

from attnviz.builtin import store
from attnviz.builtin.schedule import Schedule
from attnviz.builtin.translation.model import RecurrentConfig, TransformerConfig, Translator
from attnviz.builtin.translation.task import TranslatorTask

POSITIONS = 40
SIZES = {
    "translator": TransformerConfig(
        vocabulary=700, d_model=24, heads=3, d_ff=12, encoder_layers=1, decoder_layers=2, positions=POSITIONS
    ),
    "bahdanau": RecurrentConfig(vocabulary=700, d_model=10, hidden=12, positions=POSITIONS),
    "luong": RecurrentConfig(vocabulary=700, d_model=10, hidden=12, positions=POSITIONS),
}


def task(kind: str, steps: int = 2) -> TranslatorTask:
    """A training of a few steps."""
    return TranslatorTask(kind, SIZES[kind], Schedule(steps, round=2, batch=4, rate=3e-3), lexicon=200)


@cache
def pieces() -> Tokenizer:
    """A tokenizer of a few hundred sentences."""
    return task("translator").tokenizer()


def blank(kind: str, **changes: int) -> Translator:
    """A model with weights drawn at random, sharpened: its attention is far from flat."""
    torch.manual_seed(3)
    model = replace(task(kind), model=replace(SIZES[kind], **changes)).new_model().eval()
    for name, weight in model.named_parameters():
        if "key" in name or "turn" in name or "score" in name:
            weight.data.mul_(4)
    return model.requires_grad_(False)


def save_blank(kind: str, directory: Path) -> Path:
    """The same in a directory, as a training would leave it."""
    store.save(directory, blank(kind), pieces(), {"best": "cross.0.0"})
    return directory

"""Samples read together, and samples with padding, are each what they are alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import AutoModel

from attnviz.captures import Capture
from attnviz.inputs import Sample
from attnviz.models.base import Source
from attnviz.models.live import LiveSource
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe, observe_batch

Directories = Callable[[str], Path]
Sources = Callable[[str], Source]

TEXTS = ("The cat sat on the mat because it was tired.", "A dog slept.", "Nobody owned the old wooden table.")
TOGETHER = ["bert", "gpt2", "llama", "mistral", "gpt_oss", "t5", "bart"]
ALONE = ["bloom", "xlnet", "funnel", "longformer"]


def check_same(one: Capture, other: Capture) -> None:
    assert one.maps.names == other.maps.names
    for left, right in zip(one.maps, other.maps, strict=True):
        np.testing.assert_allclose(left.weights, right.weights, atol=1e-5)
        shape = left.weights.shape
        np.testing.assert_array_equal(
            np.broadcast_to(left.visible, shape), np.broadcast_to(right.visible, shape)
        )


def model_of(source: Source) -> Any:
    assert isinstance(source, LiveSource)
    return source._model


@pytest.mark.parametrize("family", [*TOGETHER, *ALONE])
def test_a_sample_of_a_batch_is_what_it_is_alone(family: str, source_of: Sources) -> None:
    source = source_of(family)
    batch = [source.encode(Sample(text)) for text in TEXTS]
    calls: list[int] = []
    handle = model_of(source).register_forward_hook(lambda *_: calls.append(1))
    together = observe_batch(source, batch, [[KeepMaps()] for _ in batch])
    handle.remove()
    assert len(calls) == (1 if family in TOGETHER else len(TEXTS))
    for encoded, seen in zip(batch, together, strict=True):
        check_same(seen, observe(source, encoded, [KeepMaps()]))


def test_targets_of_a_batch_may_differ_in_length(source_of: Sources) -> None:
    source = source_of("t5")
    pairs = [("The cat sat.", "A dog that nobody owned slept."), ("A dog slept under it.", "The cat")]
    batch = [source.encode(Sample(*pair)) for pair in pairs]
    together = observe_batch(source, batch, [[KeepMaps()] for _ in batch])
    for encoded, seen in zip(batch, together, strict=True):
        check_same(seen, observe(source, encoded, [KeepMaps()]))


def padded(tensors: dict[str, Tensor], side: str, *, positions: bool) -> dict[str, Tensor]:
    """What a sample is called with, with three places of padding."""
    room = (3, 0) if side == "left" else (0, 3)
    wide = {name: pad(tensor, room) for name, tensor in tensors.items()}
    if positions:
        wide["position_ids"] = (wide["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    return wide


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5", "bloom"])
def test_padding_is_cut_off(family: str, side: str, directory_of: Directories, source_of: Sources) -> None:
    """Positions by number are counted from the first token on, where they are given."""
    tensors = dict(source_of(family).encode(Sample(TEXTS[0])).tensors)
    source = LiveSource(AutoModel.from_pretrained(directory_of(family)))
    alone = observe(source, source.prepared(tensors), [KeepMaps()])
    target = {name: tensors.pop(name) for name in ("decoder_input_ids",) if name in tensors}
    wide = padded(tensors, side, positions=family in ("bert", "gpt2"))
    check_same(observe(source, source.prepared({**wide, **target}), [KeepMaps()]), alone)


def test_labels_leave_padding_out(directory_of: Directories) -> None:
    source = LiveSource(AutoModel.from_pretrained(directory_of("llama")))
    tensors = {
        "input_ids": torch.tensor([[0, 0, 5, 6, 7]]),
        "attention_mask": torch.tensor([[0, 0, 1, 1, 1]]),
    }
    encoded = source.prepared(tensors, labels=["a", "b", "[/c]"])
    assert encoded.axes[""][0].labels == ("a", "b", "[/c]")
    assert encoded.axes[""][0].ids == (5, 6, 7)

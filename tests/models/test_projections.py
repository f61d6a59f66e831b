"""Queries and keys as models hand them out: what is made of them again are the model's own weights."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attnviz.captures import Head
from attnviz.errors import ModelError
from attnviz.inputs import Sample
from attnviz.models import families
from attnviz.models.base import Source
from attnviz.models.live import LiveSource
from attnviz.observe.variants import varied_weights
from attnviz.observe.vectors import projections
from attnviz.projections import Projections
from attnviz.variation import Variant
from tests.models import zoo
from tests.models.test_generation import writer

Sources = Callable[[str], Source]

HEADS = {
    "minilm": Head("", 3, 5),
    "gpt2": Head("", 1, 3),
    "llama": Head("", 2, 3),  # rotary; two heads share keys
    "mistral": Head("", 1, 1),  # a window
    "gemma2": Head("", 0, 2),  # a window and a soft cap
    "gpt_oss": Head("", 1, 2),  # a sink
    "modernbert": Head("", 1, 0),  # a window to both sides
    "t5": Head("encoder", 1, 3),  # a bias by position
    "bart": Head("cross", 1, 2),
}


def looked_at(source: Source, head: Head, **sample: Any) -> Projections:
    return projections(source, source.encode(Sample(zoo.TEXT, **sample)), head)


def off(made: Projections) -> float:
    """How far the scaled score is from the weights that were captured, at most."""
    weights, visible = varied_weights(made, Variant("scaled"))
    assert np.array_equal(visible, made.visible)
    return float(np.abs(weights - made.weights).max())


@pytest.mark.parametrize("family", HEADS)
def test_the_scaled_score_gives_the_weights_that_were_captured(family: str, source_of: Sources) -> None:
    pair = {"pair": "The dog slept."} if family in ("t5", "bart") else {}
    made = looked_at(source_of(family), HEADS[family], **pair)
    assert made.weights.max(-1).mean() > 1.5 / len(made.axes[1])  # far from flat: a mistake would show
    assert off(made) < 1e-5


def test_of_own_models_too() -> None:
    made = looked_at(families.load("builtin:encoder"), Head("", 2, 1))
    assert off(made) < 1e-6


WITHOUT: Mapping[str, Callable[[Projections], Projections]] = {
    "gemma2": lambda made: replace(made, cap=None),
    "gpt_oss": lambda made: replace(made, sink=None),
    "t5": lambda made: replace(made, bias=None),
    "llama": lambda made: replace(made, scale=1.0),
}


@pytest.mark.parametrize("family", WITHOUT)
def test_what_a_model_adds_of_its_own_is_told(family: str, source_of: Sources) -> None:
    made = looked_at(source_of(family), HEADS[family])
    assert off(WITHOUT[family](made)) > 1e-2


@pytest.mark.parametrize("family", ["gpt2", "mistral"])
def test_of_a_text_that_is_being_written_the_rows_of_all_steps_are_there(family: str) -> None:
    source = LiveSource(writer(family), tokenizer=zoo.byte_bpe())
    assert off(looked_at(source, HEADS[family], generate=7)) < 1e-5


@pytest.mark.parametrize("family", ["bloom", "deberta", "xlnet"])
def test_a_model_that_computes_them_elsewhere_says_so(family: str, source_of: Sources) -> None:
    with pytest.raises(ModelError, match=r"gives no q and k of head 1\.2: .* not computed through"):
        looked_at(source_of(family), Head("", 1, 2))

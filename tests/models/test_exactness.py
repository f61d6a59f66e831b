"""The contract of every Hugging Face Source: the weights are the model's own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import pytest
import torch
from transformers import AutoModel

from attnviz.captures import Capture
from attnviz.inputs import Sample
from attnviz.models import calls, families, tiling
from attnviz.models import textbook as textbook_module
from attnviz.models.base import Encoded, Source
from attnviz.models.calls import AttentionCall
from attnviz.models.live import LiveSource
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from tests.models import zoo

FAMILIES = [*zoo.CONFIGS, "minilm"]
Directories = Callable[[str], Path]
Sources = Callable[[str], Source]


def eager_attentions(directory: Path, encoded: Encoded) -> list[np.ndarray]:
    """What transformers itself returns: ``[heads, queries, keys]`` a layer."""
    model = AutoModel.from_pretrained(directory, attn_implementation="eager", dtype=torch.float32)
    with torch.inference_mode():
        outputs = model(**encoded.tensors, output_attentions=True)
    return [attention[0].numpy() for attention in outputs.attentions]


def captured(source: Source, text: str = zoo.TEXT) -> tuple[Encoded, Capture]:
    encoded = source.encode(Sample(text))
    return encoded, observe(source, encoded, [KeepMaps()])


def difference(directory: Path, source: Source) -> float:
    """The largest difference between a capture and the model's own eager attention."""
    encoded, seen = captured(source)
    own = eager_attentions(directory, encoded)
    assert len(seen.maps) == len(own)
    return max(
        float(np.abs(maps.weights - weights).max()) for maps, weights in zip(seen.maps, own, strict=True)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_equal_the_models_own(family: str, directory_of: Directories, source_of: Sources) -> None:
    assert difference(directory_of(family), source_of(family)) < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_by_the_models_own_function_are_the_same(
    family: str, directory_of: Directories, source_of: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiling, "is_textbook", lambda _: False)
    assert difference(directory_of(family), source_of(family)) < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_the_formula_is_used_where_it_holds(
    family: str, source_of: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every one of these families computes the textbook's weights, and that is found out."""
    verdicts: list[bool] = []
    judged = tiling.is_textbook
    monkeypatch.setattr(tiling, "is_textbook", lambda call: verdicts.append(judged(call)) or verdicts[-1])
    captured(source_of(family))
    assert verdicts
    assert all(verdicts)


@pytest.mark.parametrize("family", ["gemma2", "gpt_oss", "modernbert"])
def test_another_formula_is_noticed(family: str, source_of: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the model's own function is taken."""
    own = textbook_module.weights

    def wrong(*arguments: object) -> tuple[torch.Tensor, torch.Tensor]:
        weights, scores = own(*arguments)  # type: ignore[arg-type]
        return weights.mul_(0.999), scores

    monkeypatch.setattr(textbook_module, "weights", wrong)
    monkeypatch.setattr(tiling, "_verdicts", WeakKeyDictionary())
    _, seen = captured(source_of(family))
    for maps in seen.maps:
        assert maps.weights.sum(-1).max() > 0.9995


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_is_far_from_flat(family: str, source_of: Sources) -> None:
    """Else mistakes would hide in the flatness."""
    _, seen = captured(source_of(family))
    largest = [maps.weights.max(-1) for maps in seen.maps]
    assert np.mean(largest) > 2.5 / len(seen.maps[0].keys)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_may_not_be_seen_has_no_weight(family: str, source_of: Sources) -> None:
    _, seen = captured(source_of(family))
    for maps in seen.maps:
        visible = np.broadcast_to(maps.visible, maps.weights.shape)
        assert np.all(maps.weights[~visible] == 0)
        assert np.mean(maps.weights[visible] > 0) > 0.9


@pytest.mark.parametrize("family", zoo.WINDOWED)
def test_a_window_is_told_and_kept(family: str, source_of: Sources) -> None:
    _, seen = captured(source_of(family))
    for maps, layer in zip(seen.maps, seen.model.layers, strict=True):
        most = int(maps.visible.sum(-1).max())
        assert most == (layer.window or len(maps.keys))
    assert 5 in {layer.window for layer in seen.model.layers}


def test_a_window_to_both_sides_is_told_and_kept(source_of: Sources) -> None:
    _, seen = captured(source_of("modernbert"))
    assert [layer.window for layer in seen.model.layers] == [None, 7, None]  # 3 to either side
    assert int(seen.maps[1].visible.sum(-1).max()) == 7


def test_sinks_take_weight_from_the_rows(source_of: Sources) -> None:
    _, seen = captured(source_of("gpt_oss"))
    sums = seen.maps[0].weights.sum(-1)
    assert sums.min() < 0.9
    assert np.all((sums > 0) & (sums < 1 + 1e-6))


# Each of these takes something from the model's own scores; the contract has to notice.


def without_mask(call: AttentionCall) -> AttentionCall:
    return replace(call, mask=None, causal=False)


def without_window(call: AttentionCall) -> AttentionCall:
    return replace(call, mask=None, causal=True)


def without_soft_cap(call: AttentionCall) -> AttentionCall:
    return replace(call, options={**call.options, "softcap": None})


def without_scale(call: AttentionCall) -> AttentionCall:
    return replace(call, options={**call.options, "scaling": 1.0})


MUTATIONS = [
    *((without_mask, family) for family in zoo.CAUSAL),
    *((without_window, family) for family in zoo.WINDOWED),
    *((without_soft_cap, family) for family in zoo.CAPPED),
    *((without_scale, family) for family in zoo.CONFIGS),
]


@pytest.mark.parametrize(("mutate", "family"), MUTATIONS)
def test_a_capture_that_drops_something_is_noticed(
    mutate: Callable[[AttentionCall], AttentionCall],
    family: str,
    directory_of: Directories,
    source_of: Sources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "in_single_precision", mutate)
    assert difference(directory_of(family), source_of(family)) > 1e-3


# One pass serves many wishes


@pytest.mark.parametrize("family", ["bert", "llama", "gpt_oss"])
def test_a_head_alone_is_the_same_as_among_all(family: str, source_of: Sources) -> None:
    source = source_of(family)
    encoded, whole = captured(source)
    alone = observe(source, encoded, [KeepMaps({"1": [3]}), KeepMaps({"2": [0, 2]})])
    assert [maps.name for maps in alone.maps] == ["1", "2"]
    for name in ("1.3", "2.0", "2.2"):
        np.testing.assert_allclose(alone.map(name), whole.map(name), atol=1e-5)


@pytest.mark.parametrize(
    "cells", [1, 6, 12], ids=["one row, one head", "three rows, two heads", "three rows"]
)
@pytest.mark.parametrize("family", ["bert", "mistral", "gemma2", "gpt_oss"])
def test_the_tiles_size_changes_nothing(
    cells: int, family: str, source_of: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(family)
    encoded, whole = captured(source)
    monkeypatch.setitem(tiling.CELLS, "cpu", cells * len(whole.maps[0].keys))
    monkeypatch.setattr(tiling, "ROWS", 6)
    small = observe(source, encoded, [KeepMaps()])
    for one, other in zip(whole.maps, small.maps, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-5)
        np.testing.assert_array_equal(
            np.broadcast_to(one.visible, one.weights.shape), np.broadcast_to(other.visible, one.weights.shape)
        )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("family", ["bert", "llama"])
def test_half_precision_is_softmaxed_in_single(
    dtype: str, family: str, directory_of: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against float64 arithmetic on the queries and keys that the model had; eager rounds on the way."""
    had: list[AttentionCall] = []
    widened = calls.in_single_precision
    monkeypatch.setattr(calls, "in_single_precision", lambda call: had.append(call) or widened(call))
    _, seen = captured(families.load(str(directory_of(family)), device="cpu", dtype=dtype))
    assert seen.model.dtype == dtype
    for call, maps in zip(had, seen.maps, strict=True):
        assert call.query.dtype == getattr(torch, dtype)
        own = textbook(call, np.broadcast_to(maps.visible, maps.weights.shape))
        assert np.abs(maps.weights - own).max() < 1e-5


def textbook(call: AttentionCall, visible: np.ndarray) -> np.ndarray:
    key = call.key.repeat_interleave(call.heads // call.key.shape[1], 1)
    scores = (call.query.double() @ key.double().transpose(-1, -2))[0] * call.options["scaling"]
    return scores.masked_fill(~torch.tensor(visible), -torch.inf).softmax(-1).numpy()


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "falcon"])
def test_double_precision_is_captured_too(family: str, directory_of: Directories) -> None:
    model = AutoModel.from_pretrained(directory_of(family), dtype=torch.float64)
    source = LiveSource(model)
    encoded = source.prepared(
        {"input_ids": torch.arange(9)[None] + 20, "attention_mask": torch.ones(1, 9, dtype=torch.long)}
    )
    seen = observe(source, encoded, [KeepMaps()])
    eager = AutoModel.from_pretrained(directory_of(family), dtype=torch.float64, attn_implementation="eager")
    with torch.inference_mode():
        own = eager(**encoded.tensors, output_attentions=True).attentions
    for maps, weights in zip(seen.maps, own, strict=True):
        np.testing.assert_allclose(maps.weights, weights[0].float().numpy(), atol=1e-5)


@pytest.mark.parametrize("hiding", [-1e4, torch.finfo(torch.float32).min, -torch.inf])
def test_a_mask_hides_whatever_number_it_is_made_of(hiding: float, directory_of: Directories) -> None:
    source = LiveSource(AutoModel.from_pretrained(directory_of("gpt2")))
    mask = torch.full((1, 1, 9, 9), hiding).triu(1)
    encoded = source.prepared({"input_ids": torch.arange(9)[None] + 20, "attention_mask": mask})
    seen = observe(source, encoded, [KeepMaps()])
    np.testing.assert_array_equal(seen.maps[0].visible[0], np.tri(9, dtype=bool))

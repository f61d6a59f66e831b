"""A model that is already there is watched, and left as it was."""

import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

from attnviz.errors import InputError, ModelError
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample
from attnviz.models.base import Source
from attnviz.models.live import LiveSource
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from attnviz.observe.tiles import Tile
from tests.models import zoo

Directories = Callable[[str], Path]
Sources = Callable[[str], Source]

IDS = {"input_ids": torch.arange(5, 16)[None]}
ROUTES = ["bert", "bloom", "longformer"]  # interface, softmax, hook


def model_of(directory: Path) -> Any:
    return AutoModel.from_pretrained(directory)


@pytest.mark.parametrize("family", [*ROUTES, "t5"])
def test_a_model_that_is_there_is_the_same_as_one_loaded_by_name(
    family: str, directory_of: Directories, source_of: Sources
) -> None:
    named = source_of(family)
    live = LiveSource(
        model_of(directory_of(family)), tokenizer=AutoTokenizer.from_pretrained(directory_of(family))
    )
    seen, other = (observe(source, source.encode(Sample(zoo.TEXT)), [KeepMaps()]) for source in (named, live))
    assert seen.axes == other.axes
    assert seen.model.layers == other.model.layers
    for one, two in zip(seen.maps, other.maps, strict=True):
        np.testing.assert_array_equal(one.weights, two.weights)


def test_tokens_are_called_as_the_tokenizer_does_or_as_they_are_told(directory_of: Directories) -> None:
    model = model_of(directory_of("bert"))
    tokenizer = AutoTokenizer.from_pretrained(directory_of("bert"))
    ids = {"input_ids": torch.tensor([tokenizer("the cat").input_ids])}
    known = LiveSource(model, tokenizer=tokenizer).prepared(ids).axes[""][0]
    assert known.labels[0] == "[CLS]"
    assert known.special[0]
    bare = LiveSource(model)
    assert bare.prepared(ids).axes[""][0].labels == tuple(str(int(i)) for i in ids["input_ids"][0])
    with pytest.raises(InputError, match=r"2 labels for \d+ tokens"):
        bare.prepared(ids, labels=["a", "b"])


def test_what_cannot_be_read_says_why(directory_of: Directories) -> None:
    source = LiveSource(model_of(directory_of("bert")), name="mine")
    with pytest.raises(InputError, match="mine has no tokenizer here: give its prepared tensors"):
        source.encode(Sample("The cat"))
    with pytest.raises(InputError, match=r"input_ids has shape \[2, 3\]: give a batch of one"):
        source.prepared({"input_ids": torch.ones(2, 3, dtype=torch.long)})


def state(model: nn.Module) -> Mapping[str, object]:
    """Everything of a model that a run might change."""
    return {
        "training": [module.training for module in model.modules()],
        "hooks": [(len(module._forward_hooks), len(module._forward_pre_hooks)) for module in model.modules()],
        "implementation": model.config._attn_implementation,
        "cache": getattr(model.config, "use_cache", None),
        "numbers": torch.get_rng_state().tolist(),
        "python": random.getstate(),
        "weights": [weight.data_ptr() for weight in model.parameters()],
    }


@pytest.mark.parametrize("family", ROUTES)
def test_a_run_leaves_no_trace(family: str, directory_of: Directories) -> None:
    model = model_of(directory_of(family)).train()
    next(model.children()).eval()
    before = state(model)
    source = LiveSource(model)
    observe(source, source.prepared(IDS), [KeepMaps()])
    assert state(model) == before


class Raises:
    """Wants everything, and cannot bear it."""

    def wanted(self, layer: LayerFacts) -> range | None:
        return range(layer.heads)

    def see(self, tile: Tile) -> None:
        del tile
        raise ZeroDivisionError


@pytest.mark.parametrize("family", ROUTES)
def test_an_exception_leaves_no_trace(family: str, directory_of: Directories) -> None:
    model = model_of(directory_of(family)).train()
    before = state(model)
    source = LiveSource(model)
    encoded = source.prepared(IDS)
    with pytest.raises(ZeroDivisionError):
        source.run([encoded], [Raises()])
    assert state(model) == before


@pytest.mark.parametrize("family", ROUTES)
def test_dropout_is_off(family: str, directory_of: Directories) -> None:
    model = model_of(directory_of(family))
    source = LiveSource(model)
    calm = observe(source, source.prepared(IDS), [KeepMaps()])
    model.train()
    training = observe(source, source.prepared(IDS), [KeepMaps()])
    for one, other in zip(calm.maps, training.maps, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("family", ["bloom", "longformer", "led"])
def test_threads_do_not_meet(family: str, directory_of: Directories) -> None:
    """One is captured, one is not, one raises; each again and again at the same time."""
    models = [model_of(directory_of(family)).eval() for _ in range(3)]
    sources = [LiveSource(model) for model in models]
    tensors = dict(IDS)
    if family == "led":
        tensors["decoder_input_ids"] = torch.arange(4)[None]
    encoded = [source.prepared(tensors) for source in sources]
    expected = observe(sources[0], encoded[0], [KeepMaps()])
    with torch.inference_mode():
        plain = models[1](**tensors).last_hidden_state
    failures: list[object] = []
    barrier = threading.Barrier(3)

    def captured() -> None:
        seen = observe(sources[0], encoded[0], [KeepMaps()])
        if any((a.weights != b.weights).any() for a, b in zip(seen.maps, expected.maps, strict=True)):
            failures.append("another capture")

    def not_captured() -> None:
        with torch.inference_mode():
            if not torch.equal(models[1](**tensors).last_hidden_state, plain):
                failures.append("another output")

    def raising() -> None:
        with pytest.raises(ZeroDivisionError):
            sources[2].run([encoded[2]], [Raises()])

    def again(work: Callable[[], None]) -> None:
        barrier.wait()
        try:
            for _ in range(6):
                work()
        except BaseException as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=again, args=(work,)) for work in (captured, not_captured, raising)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("family", ROUTES)
def test_the_same_model_in_another_thread_is_not_listened_to(family: str, directory_of: Directories) -> None:
    """It runs in the middle of a capture, and nothing of it comes by."""
    model = model_of(directory_of(family)).eval()
    source = LiveSource(model)
    encoded = source.prepared(IDS)
    alone = observe(source, encoded, [KeepMaps()])

    class Disturbed(KeepMaps):
        def see(self, tile: Tile) -> None:
            thread = threading.Thread(target=lambda: model(input_ids=torch.arange(3)[None]))
            thread.start()
            thread.join()
            super().see(tile)

    seen = observe(source, encoded, [Disturbed()])
    for one, other in zip(alone.maps, seen.maps, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("family", ["bert", "bloom"])
def test_weights_that_overflow_are_told_with_their_head(family: str, directory_of: Directories) -> None:
    model = model_of(directory_of(family))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "query" in name and ".1." in name:
                weight.mul_(torch.inf)
    source = LiveSource(model)
    encoded = source.prepared(IDS)
    with pytest.raises(ModelError, match=r"layer 1, head 0 has weights that are no numbers .*bfloat16"):
        observe(source, encoded, [KeepMaps()])


def test_a_model_without_weights_to_give_says_so() -> None:
    config = AutoConfig.for_model("fnet", vocab_size=50, hidden_size=16, num_hidden_layers=1)
    with pytest.raises(ModelError, match="FNetModel cannot be captured: it has no attention"):
        _ = LiveSource(AutoModel.from_config(config)).facts


def test_the_fingerprint_is_that_of_the_weights(directory_of: Directories) -> None:
    one, same = (LiveSource(model_of(directory_of("bert"))).facts.fingerprint for _ in range(2))
    model = model_of(directory_of("bert"))
    with torch.no_grad():
        model.embeddings.LayerNorm.bias.add_(1)
    assert one == same != LiveSource(model).facts.fingerprint


def test_tokens_that_are_given_as_vectors_are_numbered_and_their_padding_is_cut_off(
    directory_of: Directories,
) -> None:
    model = model_of(directory_of("bert"))
    source = LiveSource(model)
    with torch.no_grad():
        vectors = model.get_input_embeddings()(IDS["input_ids"])
    mask = torch.tensor([[1] * 9 + [0] * 2])
    encoded = source.prepared({"inputs_embeds": vectors, "attention_mask": mask}, labels=None)
    seen = observe(source, encoded, [KeepMaps()])
    same = observe(source, source.prepared({**IDS, "attention_mask": mask}), [KeepMaps()])
    assert encoded.axes[""][0].labels == tuple(map(str, range(9)))
    np.testing.assert_allclose(seen.map("2.1"), same.map("2.1"), atol=1e-5)


def test_a_cache_that_was_filled_before_is_refused_and_left_alone() -> None:
    config = AutoConfig.for_model("gpt2", vocab_size=50, n_embd=16, n_layer=1, n_head=2, n_positions=16)
    model = AutoModel.from_config(config).eval()
    with torch.inference_mode():
        cache = model(torch.arange(5)[None], use_cache=True).past_key_values
    with pytest.raises(InputError, match=r"was given past_key_values, .* give the whole text"):
        LiveSource(model).prepared({"input_ids": torch.tensor([[7]]), "past_key_values": cache})
    assert cache.get_seq_length() == 5


def test_a_model_that_was_trained_meanwhile_has_another_fingerprint(directory_of: Directories) -> None:
    model = model_of(directory_of("bert"))
    source = LiveSource(model)

    def fingerprint() -> str:
        return observe(source, source.prepared(IDS), []).model.fingerprint

    before = fingerprint()
    assert fingerprint() == before
    encoded = source.prepared(IDS)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    after = observe(source, encoded, []).model.fingerprint
    assert after != before
    next(model.parameters()).data.sub_(1)  # which no counter of torch tells
    assert fingerprint() not in (after, "")

"""The tap acts in its own thread, on its own model, and leaves nothing behind."""

import copy
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AttentionInterface, AutoModel

from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample
from attnviz.models import tiling
from attnviz.models.base import Source
from attnviz.models.census import Census, Key, Met
from attnviz.models.run import Batch, Run, Side, listening
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from attnviz.observe.tiles import Tile
from tests.models import zoo

Directories = Callable[[str], Path]
Sources = Callable[[str], Source]

LOOK_UP = AttentionInterface.get_interface
IDS = torch.arange(7)[None]


class Wants:
    """Wants the heads given of every layer, and counts the tiles."""

    def __init__(self, heads: range | None, then: Callable[[], None] = lambda: None) -> None:
        self.heads = heads
        self.then = then
        self.tiles: list[Tile] = []

    def wanted(self, layer: LayerFacts) -> range | None:
        del layer
        return self.heads

    def see(self, tile: Tile) -> None:
        self.tiles.append(tile)
        self.then()


def loaded(directory: Path) -> nn.Module:
    model: nn.Module = AutoModel.from_pretrained(directory)
    return model.eval()


def census(model: nn.Module, count: int = 3, heads: int = zoo.HEADS) -> Census:
    """So many layers of so many heads, whatever the model has."""
    lists = "h" if hasattr(model, "h") else "layers"
    part = "attn" if lists == "h" else "self_attn"
    length = IDS.shape[1]
    keys = [Key(f"{lists}.{layer}.{part}", "interface", 0) for layer in range(count)]
    met = tuple(Met(key, heads, None, length, length) for key in keys)
    return Census(met, tuple(LayerFacts("", layer, heads) for layer in range(count)))


def tapped(model: nn.Module, watch: Wants, layers: Census | None = None) -> AbstractContextManager[None]:
    """Listen to a model that reads IDS."""
    side = Side(IDS.shape[1], (range(IDS.shape[1]),))
    found = layers or census(model)
    return listening(Run(model, found, Batch(1, side), [watch]), found, model)


@pytest.fixture
def llama(directory_of: Directories) -> nn.Module:
    return loaded(directory_of("llama"))


def output(model: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(IDS).last_hidden_state
    return result


def output_with(model: nn.Module, watch: Wants) -> torch.Tensor:
    with tapped(model, watch):
        return output(model)


def test_the_models_output_stays_the_same_to_the_bit(llama: nn.Module) -> None:
    plain = output(llama)
    with tapped(llama, Wants(range(3))):
        watched = output(llama)
    assert torch.equal(plain, watched)


def test_where_all_heads_are_wanted_the_output_comes_from_the_same_pass(
    llama: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = output(llama)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the model's own attention ran beside it")

    monkeypatch.setattr("transformers.integrations.sdpa_attention.sdpa_attention_forward", refuse)
    monkeypatch.setitem(AttentionInterface._global_mapping, "sdpa", refuse)
    with tapped(llama, Wants(range(4))):
        watched = output(llama)
    torch.testing.assert_close(watched, plain, atol=1e-5, rtol=0)


def test_what_nobody_wants_is_not_computed(llama: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("weights were computed")

    monkeypatch.setattr("attnviz.models.routes.base.tiles", refuse)
    monkeypatch.setattr("attnviz.models.routes.base.tiles_and_output", refuse)
    with tapped(llama, Wants(None)):
        output(llama)


def test_only_the_key_heads_needed_are_computed_with(
    llama: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, int]] = []
    own = torch.baddbmm

    def watched(scores: torch.Tensor, query: torch.Tensor, key: torch.Tensor, **rest: object) -> torch.Tensor:
        shapes.append((query.shape[0], key.shape[0]))
        return own(scores, query, key, **rest)  # type: ignore[call-overload]

    output_with(llama, Wants(range(3, 4)))  # what has to be found out is known
    monkeypatch.setattr(torch, "baddbmm", watched)
    watch = Wants(range(3, 4))
    with tapped(llama, watch):
        output(llama)
    assert shapes == [(1, 1)] * 3
    assert all(tile.weights.shape == (1, 7, 7) for tile in watch.tiles)


def test_the_look_up_is_restored(llama: nn.Module) -> None:
    with tapped(llama, Wants(range(4))):
        assert AttentionInterface.get_interface is not LOOK_UP
        output(llama)
    assert AttentionInterface.get_interface is LOOK_UP


def test_the_look_up_is_restored_after_an_exception(llama: nn.Module) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), tapped(llama, Wants(range(4), fail)):
        output(llama)
    assert AttentionInterface.get_interface is LOOK_UP
    assert output(llama).isfinite().all()


def test_another_model_in_the_same_thread_is_left_alone(llama: nn.Module, directory_of: Directories) -> None:
    other = loaded(directory_of("gpt2"))
    watch = Wants(range(4))
    with tapped(llama, watch):
        plain = output(other)
        assert watch.tiles == []
        output(llama)
    assert torch.equal(plain, output(other))
    assert len(watch.tiles) == 3


def test_a_watch_may_run_the_model_of_another_run(llama: nn.Module, directory_of: Directories) -> None:
    inner, other = Wants(range(4)), loaded(directory_of("gpt2"))

    def look_into_the_other() -> None:
        with tapped(other, inner):
            output(other)

    outer = Wants(range(4), look_into_the_other)
    with tapped(llama, outer):
        output(llama)
    assert (len(outer.tiles), len(inner.tiles)) == (3, 9)


def test_threads_do_not_meet(directory_of: Directories, source_of: Sources) -> None:
    """One is captured, one is not, one raises; each again and again at the same time."""
    plain_model, failing_model = loaded(directory_of("llama")), loaded(directory_of("llama"))
    source = source_of("bert")
    expected_output = output(plain_model)
    encoded = source.encode(Sample(zoo.TEXT))
    expected = observe(source, encoded, [KeepMaps()])
    failures: list[str] = []
    barrier = threading.Barrier(3)

    def captured() -> None:
        seen = observe(source, encoded, [KeepMaps()])
        if any((a.weights != b.weights).any() for a, b in zip(seen.maps, expected.maps, strict=True)):
            failures.append("another capture")

    def plain() -> None:
        if not torch.equal(output(plain_model), expected_output):
            failures.append("another output")

    def raising() -> None:
        with pytest.raises(KeyError), tapped(failing_model, Wants(range(4), lambda: {}["no"])):
            output(failing_model)

    def again(work: Callable[[], None]) -> None:
        barrier.wait()
        try:
            for _ in range(15):
                work()
        except BaseException as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=again, args=(work,)) for work in (captured, plain, raising)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert AttentionInterface.get_interface is LOOK_UP


def test_a_layer_that_does_not_come_by_is_an_error(llama: nn.Module) -> None:
    message = r"3 of 4 attentions of this LlamaModel came by \(layers\.3\.self_attn did not\)"
    with pytest.raises(ModelError, match=message), tapped(llama, Wants(None), census(llama, 4)):
        output(llama)


def test_other_heads_than_configured_are_an_error(llama: nn.Module) -> None:
    message = (
        r"layers\.0\.self_attn of this LlamaModel came by with 4 heads for the first time, where 5 heads were"
    )
    with pytest.raises(ModelError, match=message), tapped(llama, Wants(None), census(llama, heads=5)):
        output(llama)


def test_rows_that_do_not_sum_to_one_are_an_error(llama: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tiling.own_weights
    monkeypatch.setattr(tiling, "is_textbook", lambda _: False)
    monkeypatch.setattr(tiling, "own_weights", lambda *call: own(*call) * 0.9)
    message = r"the weights of layer 0, head 1 do not sum to 1 but to 0.9 \(token 0\)"
    with pytest.raises(ModelError, match=message), tapped(llama, Wants(range(1, 3))):
        output(llama)


@pytest.mark.parametrize("heads", [range(4), range(1)], ids=["all at once", "one"])
def test_weights_that_are_no_numbers_are_an_error(llama: nn.Module, heads: range) -> None:
    broken: Any = copy.deepcopy(llama)
    broken.layers[0].self_attn.q_proj.weight.data.fill_(torch.nan)
    message = r"layer 0, head 0 has weights that are no numbers \(token 0\): its scores are infinite"
    with pytest.raises(ModelError, match=message), tapped(broken, Wants(heads)):
        output(broken)

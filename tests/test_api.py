"""The verbs of ``import attnviz``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

import attnviz
from attnviz.errors import InputError, SelectionError, UsageError
from attnviz.inputs import Sample
from attnviz.models.base import Encoded
from attnviz.observe import memory
from attnviz.observe.progress import Progress
from attnviz.observe.tiles import Watch
from attnviz.recipes import Choice
from tests.fakes import FakeSource

SENTENCE = "The cat sat on the mat"


def test_a_capture_without_a_choice_keeps_every_map() -> None:
    source = FakeSource(layers=2, heads=3)
    seen = attnviz.capture(SENTENCE, model=source)
    assert {maps.name: maps.heads for maps in seen.maps} == {"0": (0, 1, 2), "1": (0, 1, 2)}
    np.testing.assert_array_equal(seen.map("1.2"), source.weights(1, 8)[2])


def test_a_capture_keeps_only_what_was_chosen() -> None:
    seen = attnviz.capture(SENTENCE, model=FakeSource(), choice=Choice(heads="1.2"))
    assert {maps.name: maps.heads for maps in seen.maps} == {"1": (2,)}
    with pytest.raises(SelectionError, match=r"no map of head 0\.0 was kept"):
        seen.map("0.0")


def test_a_long_text_is_kept_pooled_unless_maps_are_chosen() -> None:
    source = FakeSource(positions=700)
    assert len(attnviz.capture("cat " * 600, model=source).pooled["1"].keys) <= 256
    chosen = attnviz.capture("cat " * 600, model=source, choice=Choice(heads="1.2"))
    assert len(chosen.maps["1"].keys) == 602


def test_maps_that_do_not_fit_into_memory_are_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1_000_000)
    with pytest.raises(InputError, match=r"maps of 6 heads over 402 tokens take 5 MB, and 1 MB are free"):
        attnviz.capture("cat " * 400, model=FakeSource(positions=700))


def test_a_choice_that_cannot_be_understood_fails_before_a_model_is_loaded() -> None:
    with pytest.raises(UsageError, match='"abc" is no layer'):
        attnviz.capture(SENTENCE, model="no such model", choice=Choice(layers="abc"))


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (" \n", "text is empty: give at least one word"),
        (Sample("One cat", "", name="pair"), "the second segment of pair is empty"),
    ],
)
def test_an_empty_text_fails_before_a_model_is_loaded(sample: str | Sample, message: str) -> None:
    with pytest.raises(InputError, match=message):
        attnviz.capture(sample, model="no such model")


def test_a_capture_reports_how_far_it_is() -> None:
    reports: list[Progress] = []
    attnviz.capture(SENTENCE, model=FakeSource(), report=reports.append)
    assert (reports[0].done, reports[-1].done) == (0, 2)


def test_the_model_that_ships_needs_no_other_library() -> None:
    seen = attnviz.capture(SENTENCE)
    np.testing.assert_allclose(seen.maps["0"].weights.sum(-1), 1, atol=1e-5)
    assert seen.model.name == "builtin:encoder"
    assert len(seen.model.fingerprint) == 64


def test_verbs_are_found_on_first_use() -> None:
    assert callable(attnviz.load_model)
    with pytest.raises(AttributeError, match="no attribute 'draw'"):
        attnviz.draw  # noqa: B018


# Which maps are kept


def kept(**wishes: object) -> dict[str, tuple[int, ...]]:
    seen = attnviz.capture(SENTENCE, model=FakeSource(layers=3, heads=5), statistics=False, **wishes)
    return {maps.name: maps.heads for maps in seen.maps}


@pytest.mark.parametrize(
    ("keep", "heads"),
    [
        ("all", {"0": (0, 1, 2, 3, 4), "1": (0, 1, 2, 3, 4), "2": (0, 1, 2, 3, 4)}),
        ("2.3,0.1", {"0": (1,), "2": (3,)}),
        ("1", {"1": (0, 1, 2, 3, 4)}),
        ("-1,0.4,2.0", {"0": (4,), "2": (0, 1, 2, 3, 4)}),
        (None, {}),
    ],
)
def test_whole_maps_are_kept_of_the_heads_and_layers_that_are_named(
    keep: str | None, heads: dict[str, tuple[int, ...]]
) -> None:
    assert kept(keep=keep) == heads


def test_all_maps_of_a_long_text_are_kept_whole_if_that_is_said() -> None:
    seen = attnviz.capture("cat " * 600, model=FakeSource(positions=700), keep="all", statistics=False)
    assert [len(maps.keys) for maps in seen.maps] == [602, 602]
    assert not seen.pooled


def test_maps_are_kept_pooled_besides() -> None:
    seen = attnviz.capture("cat " * 30, model=FakeSource(), keep="1.2", pooled=11, statistics=False)
    assert [maps.heads for maps in seen.maps] == [(2,)]
    assert [(maps.heads, len(maps.queries)) for maps in seen.pooled] == [((0, 1, 2), 11)] * 2


@pytest.mark.parametrize(
    ("wishes", "error", "message"),
    [
        ({"keep": "3.x"}, UsageError, '"3.x" is no head and no layer: write heads such as 3.5,7.1'),
        ({"keep": "9.0"}, SelectionError, "no layer 9: there are layers 0 to 2"),
        ({"keep": "1.9"}, SelectionError, r"no head 9 in layer 1: there are heads 0 to 4"),
        ({"pooled": 0}, UsageError, "pooled=0 is no size"),
        ({"labels": ["a"]}, UsageError, "those of a text are known"),
        ({"tokenizer": object()}, UsageError, "tokenizer goes with a model that is there already"),
    ],
)
def test_a_wish_that_cannot_come_true_says_what_would(
    wishes: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        kept(**wishes)


# Several samples


def test_a_list_of_samples_is_captured_one_at_a_time() -> None:
    source = Counting(FakeSource())
    seen = attnviz.capture([SENTENCE, Sample("Dogs bark", name="dogs")], model=source, statistics=False)
    assert (len(seen), source.runs) == (2, 0)
    assert seen[1].sample == Sample("Dogs bark", name="dogs")
    assert seen[1].map("0.0").shape == (4, 4)
    assert source.runs == 1
    assert [each.sample.name for each in seen] == ["text-1", "dogs"]
    assert [each.sample.name for each in seen[1:]] == ["dogs"]


@pytest.mark.parametrize("empty", [" ", Sample("\n", name="text-2"), Sample("cat", pair="", name="text-2")])
def test_an_empty_text_in_a_list_is_refused_before_a_model_is_loaded(empty: str | Sample) -> None:
    with pytest.raises(InputError, match="text-2 is empty: give at least one word"):
        attnviz.capture([SENTENCE, empty], model="no such model")


def test_no_samples_are_refused() -> None:
    with pytest.raises(InputError, match="no samples: give one at least"):
        attnviz.capture([])


def test_prepared_tensors_need_a_model_that_is_there() -> None:
    with pytest.raises(InputError, match="prepared tensors go to a model that is there already, not to fake"):
        attnviz.capture({"input_ids": torch.tensor([[1, 2]])}, model=FakeSource())


class Counting:
    """A Source that counts its runs."""

    def __init__(self, source: FakeSource) -> None:
        self.source, self.runs = source, 0
        self.facts, self.versions, self.encode = source.facts, source.versions, source.encode

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        self.runs += 1
        self.source.run(batch, watches)


@pytest.mark.parametrize(
    ("sample", "wishes", "message"),
    [
        (SENTENCE, {"keep": ["1.2"]}, r"keep=\['1.2'\] is no text: write heads and layers in one"),
        (SENTENCE, {"pooled": 7.5}, "pooled=7.5 is no size"),
        (Sample(SENTENCE, generate=-1), {}, "generate=-1 of text: give how many tokens to write"),
        (None, {}, "a NoneType is no sample: give a text"),
        ([None], {}, "text-1 is of type NoneType, which is none"),
    ],
)
def test_wishes_that_make_no_sense_are_refused_before_a_model_is_loaded(
    sample: Any, wishes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        attnviz.capture(sample, model="no such model", **wishes)


def test_heads_that_a_model_does_not_have_are_told_when_a_list_is_asked_for() -> None:
    with pytest.raises(SelectionError, match=r"cross\.9"):
        attnviz.capture(["the cat", "a dog"], model=FakeSource(), keep="cross.9")

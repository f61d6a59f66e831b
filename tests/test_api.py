"""The verbs of ``import attnviz``."""

import numpy as np
import pytest

import attnviz
from attnviz.errors import InputError, SelectionError, UsageError
from attnviz.inputs import Sample
from attnviz.observe import memory
from attnviz.observe.progress import Progress
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

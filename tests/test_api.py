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
from tests.render.headviews import big

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


TEXTS = ["One cat sat.", "Two old dogs ran away.", "The cat saw the old dogs.", "Nobody ran."]


def test_maps_of_words_are_kept_where_they_are_asked_for() -> None:
    seen = attnviz.capture(SENTENCE, model=FakeSource(), keep="words", statistics=False)
    assert not seen.maps
    assert [maps.heads for maps in seen.words] == [(0, 1, 2)] * 2
    assert seen.words["0"].queries.unit == "word"


def test_models_are_compared_on_texts_or_by_what_was_captured_of_them() -> None:
    one, other = FakeSource(), FakeSource(causal=True)
    found = attnviz.compare([one, other], TEXTS, seed=5)
    kept = [attnviz.capture(TEXTS, model=model, keep="words") for model in (one, other)]
    again = attnviz.compare(kept, seed=5)
    np.testing.assert_array_equal(found.similarity.values, again.similarity.values)
    assert [sample.text for sample in found.samples] == TEXTS
    assert len(found.matches) == 6


def test_a_model_is_matched_with_itself_whatever_the_measure() -> None:
    found = attnviz.compare([FakeSource(), FakeSource()], TEXTS, measure="cka", match="nearest")
    assert (found.measure, found.matching) == ("cka", "nearest")
    assert all(found.similarity[head.name, head.name] > 0.999 for head in found.first)


def test_a_comparison_is_viewed_and_saved(tmp_path: Any) -> None:
    found = attnviz.compare([FakeSource(), FakeSource()], TEXTS)
    attnviz.save(attnviz.comparison_view(found), tmp_path / "matches.csv")
    seen = [attnviz.capture(TEXTS[0], model=FakeSource(), keep="all")] * 2
    attnviz.save(attnviz.comparison_view(found, "maps", seen=seen), tmp_path / "maps.png")
    assert (tmp_path / "maps.png").read_bytes().startswith(b"\x89PNG")


def test_a_comparison_itself_is_saved_as_what_such_files_usually_hold(tmp_path: Any) -> None:
    found = attnviz.compare([FakeSource(), FakeSource()], TEXTS)
    attnviz.save(found, tmp_path / "all.png")
    attnviz.save(found, tmp_path / "all.csv")
    assert b'"view": "heads"' in (tmp_path / "all.png").read_bytes()
    assert "verdict" in (tmp_path / "all.csv").read_text()


def test_what_is_no_view_is_not_saved(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match="cannot save a Capture: give a view, which heatmap, heads"):
        attnviz.save(attnviz.capture(TEXTS[0], model=FakeSource()), tmp_path / "seen.png")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("models", "texts", "options", "message"),
    [
        ([FakeSource()], TEXTS, {}, "compare takes two models, not 1"),
        ([FakeSource()] * 3, TEXTS, {}, "compare takes two models, not 3"),
        ("builtin:encoder", TEXTS, {}, "compare takes two models, not 1"),
        ([FakeSource()] * 2, None, {}, "no texts: compare models on some"),
        ([FakeSource()] * 2, TEXTS, {"measure": "cosine"}, "measure='cosine' is none of js, cka"),
        ([FakeSource()] * 2, TEXTS, {"match": "best"}, "match='best' is none of one-to-one, nearest"),
    ],
)
def test_a_comparison_that_cannot_be_understood_is_refused(
    models: Any, texts: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        attnviz.compare(models, texts, **options)


def test_a_notebook_shows_a_capture_as_a_picture_or_in_words() -> None:
    seen = attnviz.capture("One <b>cat</b>", model=FakeSource())
    html, png = seen._repr_html_(), seen._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    bare = attnviz.capture(Sample("One cat", name="<i>"), model=FakeSource(), keep=None, statistics=False)
    assert bare._repr_png_() is None
    assert "&lt;i&gt;" in bare._repr_html_()


def test_a_notebook_shows_pages_and_grids_as_pictures() -> None:
    seen = attnviz.capture(SENTENCE, model=FakeSource())
    for view in (attnviz.heatmap(seen), attnviz.head_grid(seen, "previous"), attnviz.heads(seen)):
        assert (view._repr_png_() or b"").startswith(b"\x89PNG")
    assert big(32, 32)._repr_png_() is None


def test_heads_that_a_model_does_not_have_are_told_when_a_list_is_asked_for() -> None:
    with pytest.raises(SelectionError, match=r"cross\.9"):
        attnviz.capture(["the cat", "a dog"], model=FakeSource(), keep="cross.9")

"""What differs between two captures, worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from attnviz.analysis.compare import compare
from attnviz.analysis.difference import Difference, difference, row_distance
from attnviz.analysis.spread import Spread, spread
from attnviz.captures import Capture
from attnviz.errors import InputError, SelectionError
from attnviz.recipes import Choice
from attnviz.stored.textless import without_text
from tests.analysis.pairs import axis_of, capture_of

HE, SHE = "he was tired", "she was tired"


def spread_all(found: Difference) -> Spread:
    return spread(found.layers, {layer.name: layer.first.heads for layer in found.layers})


def labels(found: Difference) -> tuple[str, ...]:
    return spread_all(found).difference[0].keys.labels


def changes(found: Difference) -> dict[str, float]:
    return {change.head.name: change.change for change in found.changes}


def test_the_distance_of_rows_is_scipys() -> None:
    first, second = np.random.default_rng(0).random((2, 7, 5))
    second[2, :3] = 0
    wanted = [jensenshannon(*rows, base=2) for rows in zip(first, second, strict=True)]
    assert np.allclose(row_distance(first, second), wanted, atol=1e-12)
    assert row_distance(np.eye(2)[:1], np.eye(2)[1:]).tolist() == [1.0]
    assert np.isnan(row_distance(np.zeros((1, 2)), np.ones((1, 2)))).all()


def test_a_text_and_itself_do_not_differ() -> None:
    seen = capture_of(HE)
    found = difference(seen, seen)
    assert set(changes(found).values()) == {0.0}
    assert all(not maps.weights.any() and maps.computed.all() for maps in spread_all(found).difference)
    assert found.alone == (0.0, 0.0)
    assert found.one_text
    assert found.one_model


def test_a_difference_worked_by_hand() -> None:
    """One map of "a b" and one of "a x b", whose x stands in no row and no column of the first."""
    first = np.array([[4, 0, 3, 1], [1, 4, 1, 2], [0, 2, 6, 0], [2, 2, 2, 2]], np.float32) / 8
    second = np.array(
        [[4, 0, 0, 2, 2], [1, 3, 1, 2, 1], [8, 0, 0, 0, 0], [0, 2, 2, 4, 0], [0, 0, 8, 0, 0]], np.float32
    ) / 8  # fmt: skip
    found = difference(capture_of("a b", first[None, None]), capture_of("a x b", second[None, None]))
    one, two, both = (layers[0] for layers in spread_all(found))
    assert both.keys.labels == both.queries.labels == ("[CLS]", "a", "∅→x", "b", "[SEP]")
    assert (one.keys.labels, one.keys.positions) == (("[CLS]", "a", "", "b", "[SEP]"), (0, 1, -1, 2, 3))
    assert both.computed[0].tolist() == [[place != 2 and row != 2 for place in range(5)] for row in range(5)]
    assert (both.weights[0] * 8).tolist() == [
        [0, 0, 0, -1, 1],
        [0, -1, 0, 1, -1],
        [0, 0, 0, 0, 0],
        [0, 0, 0, -2, 0],
        [-2, -2, 0, -2, -2],
    ]
    assert (two.weights[0] * 8).tolist() == (second * 8).tolist()
    assert found.alone == (0.0, 11 / 32)  # of the second's four common rows
    [change] = found.changes
    rows = [jensenshannon(first[row], np.delete(second, 2, 1)[other], base=2)
            for row, other in ((0, 0), (1, 1), (2, 3))]  # fmt: skip
    assert change.rows == 3  # the last of the second has all its weight on x
    assert change.change == pytest.approx(np.mean(rows))
    assert change.most is not None
    assert change.most.first - change.most.second == 0.25


def test_what_was_replaced_is_compared_and_says_both() -> None:
    found = difference(capture_of(HE), capture_of(SHE, seed=1))
    assert labels(found) == ("[CLS]", "he→she", "was", "tired", "[SEP]")
    assert found.alone == (0.0, 0.0)


def test_special_tokens_are_not_replaced_by_words() -> None:
    found = difference(capture_of("was tired"), capture_of("was", seed=1))
    assert labels(found) == ("[CLS]", "was", "tired→∅", "[SEP]")


def test_the_head_that_was_disturbed_is_named_first() -> None:
    seen = capture_of(HE)
    layer = seen.maps[1]
    disturbed = layer.weights.copy()
    disturbed[2] = disturbed[2][:, ::-1]
    other = replace(seen, maps=(seen.maps[0], replace(layer, weights=disturbed)))
    found = difference(seen, replace(other, model=replace(seen.model, fingerprint="00two")))
    assert found.changes[0].head.name == "1.2"
    assert found.changes[0].change > 0.1
    assert {change.change for change in found.changes[1:]} == {0.0}


def test_a_row_that_sees_a_single_key_does_not_count() -> None:
    found = difference(capture_of(HE, causal=True), capture_of(SHE, causal=True, seed=1))
    assert {change.rows for change in found.changes} == {4}


def test_what_cannot_be_seen_in_either_is_not_to_be_seen() -> None:
    found = difference(capture_of("a b", causal=True), capture_of("a x b", causal=True))
    seen = spread_all(found).difference[0].visible[0]
    assert seen.tolist() == np.tri(5, dtype=bool).tolist()


def test_keys_that_only_one_may_see_do_not_count() -> None:
    """The causal one's rows against the other's, of which only what lies before is left and rescaled."""
    first, second = capture_of(HE), capture_of(HE, causal=True, model="two", seed=1)
    found = difference(first, second)
    rows = [
        jensenshannon(
            first.maps[0].weights[0, row, : row + 1], second.maps[0].weights[0, row, : row + 1], base=2
        )
        for row in range(1, 5)
    ]
    assert changes(found)["0.0"] == pytest.approx(np.mean(rows), abs=1e-6)


def test_what_one_of_two_models_may_not_see_is_no_difference_and_said() -> None:
    """The first head has all its weight on a key after each query, where the other cannot have any."""
    first = capture_of(HE, np.eye(5, dtype=np.float32)[None, None, [1, 2, 3, 4, 4]])
    second = capture_of(HE, shape=(1, 1), causal=True, model="two", seed=1)
    for found, name in ((difference(first, second), "two"), (difference(second, first), "two")):
        [restriction] = [note for note in found.notes if note.startswith("restricted to the keys that both")]
        assert f"{name} sees only what is before" in restriction
        assert found.restricted
        both = spread_all(found).difference[0]
        assert both.visible.all()
        assert both.computed[0].tolist() == np.tri(5, dtype=bool).tolist()
        most = found.changes[0].most
        assert most is not None
        assert most.key <= most.query
    same = difference(capture_of(HE, causal=True), capture_of(HE, causal=True, model="two", seed=1))
    assert not same.notes
    assert not same.restricted


def test_two_models_that_cut_a_text_differently_are_compared_by_words() -> None:
    first, second = capture_of(HE), capture_of(HE, pieces="h e was ti red", model="two", seed=1)
    found = difference(first, second)
    assert labels(found) == ("[CLS]", "he", "was", "tired", "[SEP]")
    assert found.notes[0] == "the models cut the text into other tokens: compared by words"
    whole = second.maps[0].weights[0]
    tired = spread_all(found).second[0].weights[0][2, 3]
    assert tired == pytest.approx(whole[3, 4] + whole[3, 5])


@pytest.mark.parametrize("causal", [False, True])
def test_two_models_of_one_text_have_changed_as_much_as_compare_finds(*, causal: bool) -> None:
    """One has a token over three words, and the other reads nothing of the last of a second three."""
    text = "日本語 the cat 東京都 sat"
    first = capture_of(text)
    second = capture_of(
        text, pieces="日 本 語 th e cat 東 京 sat", shape=(2, 3), model="two", causal=causal, seed=1
    )
    for one, other in ((first, second), (second, first)):
        found = difference(one, other)
        assert [label[:2] for label in labels(found)] == ["[C", "日本", "th", "ca", "東京", "sa", "[S"]
        compared = compare([one, one], [other, other]).changes
        assert changes(found) == pytest.approx({each.head.name: each.change.value for each in compared})


def test_two_models_that_cut_a_text_alike_are_compared_by_tokens() -> None:
    found = difference(
        capture_of(HE, pieces="he was ti red"), capture_of(HE, pieces="he was ti red", model="two", seed=1)
    )
    assert labels(found) == ("[CLS]", "he", "was", "ti", "red", "[SEP]")
    assert not found.notes


def test_a_word_of_one_text_is_beside_itself_alone() -> None:
    """One model makes nothing of the second "the", which only its place tells from the first."""
    text, kept = "the the mat", [0, 1, 3, 4]
    second = capture_of(text, model="two", seed=1)
    axis = axis_of(text)
    names = ("labels", "positions", "spans", "words", "special")
    axis = replace(axis, **{name: tuple(getattr(axis, name)[place] for place in kept) for name in names})
    maps = tuple(
        replace(layer, weights=layer.weights[:, kept][:, :, kept],
                visible=layer.visible[:, kept][:, :, kept], queries=axis, keys=axis)
        for layer in second.maps
    )  # fmt: skip
    found = difference(capture_of(text), replace(second, maps=maps), Choice(words=True))
    assert labels(found) == ("[CLS]", "the", "the→∅", "mat", "[SEP]")


def test_a_choice_means_what_it_means_everywhere() -> None:
    found = difference(capture_of(HE), capture_of(SHE, seed=1), Choice(heads="1.2", special="hide"))
    assert [change.head.name for change in found.changes] == ["1.2"]
    assert labels(found) == ("he→she", "was", "tired")
    assert [note.partition(":")[0] for note in found.notes] == ["first", "second"]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (capture_of("a b"), capture_of("x y z"), "text and text have no token in common"),
        (capture_of(HE), capture_of(SHE, model="two"), "one and two read different texts"),
        (without_text(capture_of(HE)), capture_of(SHE), "the text of text was not kept"),
    ],
)
def test_what_cannot_be_compared(first: Capture, second: Capture, message: str) -> None:
    with pytest.raises(InputError, match=message):
        difference(first, second)


def test_a_text_that_was_not_kept_can_be_compared_with_itself() -> None:
    seen = without_text(capture_of(HE))
    assert set(changes(difference(seen, seen)).values()) == {0.0}


def test_models_with_other_heads_need_a_head_that_both_have() -> None:
    first, second = capture_of(HE), capture_of(HE, shape=(3, 2), model="two", seed=1)
    with pytest.raises(SelectionError, match=r"-H 3\.5, or find what matches what with attnviz compare"):
        difference(first, second)
    assert len(difference(first, second, Choice(heads="1.1")).changes) == 1


def test_pooled_maps_cannot_be_laid_side_by_side() -> None:
    seen = capture_of(HE)
    axis = replace(axis_of(HE), unit="group")
    pooled = replace(
        seen, maps=(), pooled=tuple(replace(maps, queries=axis, keys=axis) for maps in seen.maps)
    )
    with pytest.raises(SelectionError, match="pooled maps alone were kept"):
        difference(pooled, seen)

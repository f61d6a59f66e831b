"""Tokens and special tokens left out, words put together, maps averaged."""

from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.average import heatmaps
from attnviz.analysis.reduce import check, reduced, share_of
from attnviz.analysis.select import selected
from attnviz.captures import Axis, Grid, LayerMaps
from attnviz.errors import SelectionError, UsageError
from attnviz.recipes import Choice
from tests.analysis.maps import LABELS, layer_maps, sentence_axis, small_capture


def test_showing_everything_changes_nothing() -> None:
    maps = small_capture().maps
    assert reduced(maps, Choice()).maps == maps


def test_hidden_tokens_leave_both_axes_and_their_weight_is_told() -> None:
    [before] = maps = (layer_maps(3),)
    outcome = reduced(maps, Choice(special="hide"))
    [after] = outcome.maps
    assert after.queries.labels == after.keys.labels == LABELS[1:-1]
    np.testing.assert_array_equal(after.weights, before.weights[:, 1:-1, 1:-1])
    hidden = before.weights[:, 1:-1, [0, -1]].sum(-1).mean()
    assert outcome.hidden["special"] == pytest.approx(hidden, abs=1e-5)
    assert outcome.notes == (
        f"{hidden:.0%} of the weight lies on [CLS], [SEP], not shown".replace("%", " %"),
    )


def test_last_digits_of_weights_do_not_reach_the_share_that_is_hidden() -> None:
    before = layer_maps(3)
    other = replace(before, weights=before.weights + np.float32(1e-7))
    one, two = (reduced((maps,), Choice(special="hide")).hidden for maps in (before, other))
    assert one == two


def test_weight_on_other_tokens_is_told_and_that_there_is_none() -> None:
    maps = (layer_maps(3),)
    [cut] = reduced(maps, Choice(tokens="0:2")).notes
    assert cut.endswith(" % of their weight lies on others, not shown")
    whole = reduced(maps, Choice(tokens="0:40"))
    assert whole.notes == ("tokens 0:40: none of their weight lies on others",)
    assert whole.hidden == {"tokens": 0}


def test_an_axis_of_some_tokens_has_the_flags_of_these() -> None:
    [layer] = (layer_maps(3),)
    flags = tuple(place == 1 for place in range(len(layer.keys)))
    keys = replace(layer.keys, masks=flags, grid=Grid(1, 1, 2))
    [after] = reduced((replace(layer, keys=keys),), Choice(tokens="1:")).maps
    assert after.keys.masks == flags[1:]
    assert after.keys.grid is None


def test_renormalised_rows_sum_to_one() -> None:
    outcome = reduced((layer_maps(3),), Choice(special="renorm"))
    np.testing.assert_allclose(outcome.maps[0].weights.sum(-1), 1, atol=1e-6)
    assert "rows rescaled to sum to 1" in outcome.notes[0]


def test_the_first_token_alone_can_be_hidden() -> None:
    [after] = reduced((layer_maps(3, causal=True),), Choice(special="hide:first")).maps
    assert after.keys.labels == LABELS[1:]


def test_reducing_leaves_the_capture_alone() -> None:
    maps = (layer_maps(3),)
    before = maps[0].weights.copy()
    reduced(maps, Choice(special="renorm", words=True, tokens="1:6"))
    np.testing.assert_array_equal(maps[0].weights, before)


@pytest.mark.parametrize(
    ("tokens", "labels"), [("0:3", LABELS[:3]), ("5:", LABELS[5:]), (":-2", LABELS[:-2])]
)
def test_tokens_are_a_range_of_both_axes(tokens: str, labels: tuple[str, ...]) -> None:
    [after] = reduced((layer_maps(3),), Choice(tokens=tokens)).maps
    assert after.queries.labels == after.keys.labels == labels


def test_a_range_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(SelectionError, match="--tokens 40: leaves none of the 9 tokens"):
        reduced((layer_maps(3),), Choice(tokens="40:"))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(special="maybe"), "--special 'maybe' is none of"),
        (Choice(tokens="3"), "--tokens '3' is no range"),
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(choice: Choice, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check(choice)


def test_words_sum_over_keys_and_average_over_queries() -> None:
    [before] = maps = (layer_maps(3),)
    [after] = reduced(maps, Choice(words=True)).maps
    assert after.keys.labels == ("[CLS]", "The", "cat", "sat", "unbelievably", "still", "[SEP]")
    assert after.keys.unit == "word"
    np.testing.assert_allclose(after.weights[:, 2, 4], before.weights[:, 2, 4:7].sum(-1), atol=1e-6)
    np.testing.assert_allclose(after.weights[:, 4, 1], before.weights[:, 4:7, 1].mean(-1), atol=1e-6)
    np.testing.assert_allclose(after.weights.sum(-1), 1, atol=1e-6)


def test_a_word_may_be_seen_if_one_of_its_tokens_may() -> None:
    [after] = reduced((layer_maps(3, causal=True),), Choice(words=True)).maps
    np.testing.assert_array_equal(after.visible[0], np.tril(np.ones((7, 7), bool)))


def test_special_tokens_are_hidden_before_words_are_put_together() -> None:
    [after] = reduced((layer_maps(3),), Choice(words=True, special="hide")).maps
    assert after.keys.labels == ("The", "cat", "sat", "unbelievably", "still")


@pytest.mark.parametrize(
    ("mean", "names", "title"),
    [
        (None, ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"], "layer 0, head 0"),
        ("heads", ["0.mean", "1.mean"], "layer 0, mean over heads 0-2"),
        ("layers", ["mean.0", "mean.1", "mean.2"], "head 0, mean over layers 0-1"),
        ("all", ["mean"], "mean over layers 0-1 and heads 0-2"),
    ],
)
def test_a_mean_says_what_it_is_over(mean: str, names: list[str], title: str) -> None:
    views = heatmaps(small_capture(2, 3).maps, mean)  # type: ignore[arg-type]
    assert [view.name for view in views] == names
    assert views[0].title == title


def test_a_mean_over_single_heads_names_just_those() -> None:
    chosen = selected(small_capture(4, 3), Choice(heads="0.1,3.2"))
    [view] = heatmaps(chosen.maps, "all")
    assert view.title == "mean over heads 0.1, 3.2"


def test_the_first_token_that_is_not_there_is_called_that() -> None:
    outcome = reduced((layer_maps(3),), Choice(tokens="3:6", special="hide:first"))
    assert outcome.notes[1] == "the first token is not among these"


def test_after_a_cut_a_share_is_of_what_is_left() -> None:
    outcome = reduced((layer_maps(3),), Choice(tokens="0:4", special="hide"))
    assert "of the weight left lies on [CLS]" in outcome.notes[1]


@pytest.mark.parametrize("choice", [Choice(tokens="0:4"), Choice(special="hide"), Choice(words=True)])
def test_pooled_maps_cannot_be_taken_apart(choice: Choice) -> None:
    maps = replace(layer_maps(3), queries=replace(sentence_axis(), unit="group"))
    with pytest.raises(SelectionError, match="pooled while the model ran"):
        reduced((maps,), choice)


def test_a_mean_is_the_mean() -> None:
    capture = small_capture(2, 3)
    [view] = heatmaps(capture.maps, "all")
    expected = np.mean([capture.map(f"{layer}.{head}") for layer in range(2) for head in range(3)], axis=0)
    np.testing.assert_allclose(view.weights, expected, atol=1e-6)


def test_a_mean_over_different_tokens_is_refused() -> None:
    axis = Axis(("a", "b"), (0, 1), (None, None), (-1, -1), (True, True))
    ones = np.ones((1, 1, 1), bool)
    other = LayerMaps("", 7, (0,), np.full((1, 2, 2), 0.5, np.float32), ones, ones, axis, axis)
    with pytest.raises(SelectionError, match="no mean over layers 3, 7"):
        heatmaps([layer_maps(3), other], "all")


def test_a_share_of_nothing_has_no_sign() -> None:
    """What was subtracted leaves a little on either side of 0, by how many threads added it up."""
    assert str(share_of(-1e-17, 3.0)) == str(share_of(1e-17, 3.0)) == "0.0"

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.render.mosaic import mosaic, thumbnail_note, thumbnail_size
from attnviz.render.pooling import Room, fitted, pooled, thumbnail
from tests.render.drawings import atlas, causal, heatmap, many, page, spread

HALVES = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.0, 0.4, 0.6]])


def test_a_case_worked_by_hand():
    """Two queries to a cell: the mean. Two keys to a cell: the sum."""
    small = pooled(heatmap(HALVES, ("a", "b", "c")), 2)
    assert small.weights == pytest.approx(np.array([[0.5, 0.5], [0.4, 0.6]]))
    assert small.query_labels == small.key_labels == ("a…b", "c")
    assert small.query_positions == (0, 2)
    assert small.unit == "group"


def test_a_map_that_fits_is_left_as_it_is():
    view = spread(many(5))
    assert pooled(view, 5) is view


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_rows_keep_their_sums(queries, keys, size):
    view = spread(many(queries), many(keys))
    assert pooled(view, size).weights.sum(1) == pytest.approx(1, abs=1e-5)
    assert max(pooled(view, size).weights.shape) <= size


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_rows_of_thumbnails_keep_their_sums_where_nothing_is_repeated(queries, keys, size):
    small = thumbnail(spread(many(queries), many(keys)), size, size)
    assert small.shape == (size, size)
    if keys >= size:
        assert small.sum(1) == pytest.approx(1, abs=1e-5)


def test_a_member_on_the_border_of_two_cells_is_shared_out():
    small = thumbnail(heatmap([[0.5, 0.3, 0.2]], ("a",), ("x", "y", "z")), 1, 2)
    assert small == pytest.approx(np.array([[0.65, 0.35]]))


def test_a_small_map_is_repeated_not_thinned_out():
    small = thumbnail(heatmap([[0.75, 0.25]], ("a",), ("x", "y")), 2, 4)
    assert small.tolist() == [[0.75, 0.75, 0.25, 0.25]] * 2


def test_cells_in_which_nothing_is_seen_stay_empty():
    small = pooled(causal(many(4)), 2)
    assert small.visible.tolist() == [[True, False], [True, True]]
    assert np.isnan(thumbnail(causal(many(4)), 2, 2)).tolist() == [[False, True], [False, False]]


def test_queries_that_see_nothing_do_not_thin_out_the_mean():
    seen = np.array([[False, False], [True, True]])
    small = pooled(heatmap([[0, 0], [0.25, 0.75]], ("a", "b"), visible=seen), 1)
    assert small.weights.tolist() == [[1.0]]


def test_pairs_never_computed_stay_apart_from_pairs_that_may_not_be_seen():
    computed = np.ones((4, 4), np.bool_)
    computed[2:, :2] = False
    view = heatmap(np.full((4, 4), 0.25), many(4), computed=computed)
    assert pooled(view, 2).missing.tolist() == [[False, False], [True, False]]


def test_a_page_says_what_was_pooled():
    view = fitted(page(spread(many(200)), spread(many(5)), notes=("before",)), Room(64, 32))
    assert [heatmap.weights.shape for heatmap in view.heatmaps] == [(29, 29), (5, 5)]
    assert view.notes == ("before", "pooled: 7 tokens to a cell (mean over queries, sum over keys)")
    assert fitted(view, Room(64, 32)) is view


def test_a_page_says_it_of_both_sides_if_they_differ():
    view = fitted(page(spread(many(11), many(97))), Room(50, 25))
    assert view.notes == ("pooled: 1 x 4 tokens to a cell (mean over queries, sum over keys)",)


def test_a_sheet_has_every_map_in_its_place_and_nothing_between():
    view = atlas(2, 3, 5)
    sheet = mosaic(view, range(1, 3), 5, (2, 1))
    assert sheet.shape == (2 * 5 + 2, 2 * 5 + 1)
    assert sheet[7:, 6:] == pytest.approx(view.maps[5][2].weights)
    assert np.isnan(sheet[5:7]).all()
    assert np.isnan(sheet[:, 5]).all()


@pytest.mark.parametrize(
    ("tokens", "most", "size", "note"),
    [
        (13, 5, 5, "2.6 tokens to a cell"),
        (5, 12, 10, ""),
        (12, 12, 12, ""),
        (400, 5, 5, "80 tokens to a cell"),
    ],
)
def test_small_maps_say_how_much_is_in_a_cell(tokens, most, size, note):
    view = atlas(1, 1, tokens)
    assert thumbnail_size(view, most) == size
    assert thumbnail_note(view, size) == note
    words = replace(view, maps=tuple((*at, replace(small, unit="word")) for *at, small in view.maps))
    assert thumbnail_note(words, size) == note.replace("tokens", "words")


@pytest.mark.parametrize(
    ("tokens", "size", "note"),
    [
        (4, 8, ""),  # two rows of cells are one query
        (5, 10, ""),
        (12, 12, "1 token across and 2 down to a cell"),
        (24, 12, "2 tokens across and 4 down to a cell"),
    ],
)
def test_small_maps_whose_rows_are_painted_in_pairs_say_so(tokens, size, note):
    view = atlas(1, 1, tokens)
    assert thumbnail_size(view, 12, merged=2) == size
    assert thumbnail_note(view, size, merged=2) == note

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.control import Control

from attnviz.render.header import Header, header
from attnviz.render.labels import cut, graphemes, placed, width
from tests.render.drawings import WORDS


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("because", 7, "because"),
        ("because", 6, "becau…"),
        ("猫猫猫", 5, "猫猫…"),
        ("猫猫猫", 4, "猫…"),
        ("a", 0, ""),
    ],
)
def test_what_is_too_long_is_cut(text, room, shown):
    assert cut(text, room) == shown


@given(st.text(max_size=20), st.integers(0, 12))
def test_what_is_cut_never_takes_more_room(text, room):
    assert width(cut(text, room)) <= room


def test_an_accent_stays_with_its_letter_and_a_family_together():
    assert graphemes("e\u0301t") == ["e\u0301", "t"]
    assert graphemes("a👨‍👩‍👧b") == ["a", "👨‍👩‍👧", "b"]


def test_plain_words_are_placed_by_blanks_alone():
    assert "".join(part.text for part in placed([(2, "the"), (6, "cat")])) == "  the cat"


def test_behind_a_word_that_terminals_measure_differently_the_column_is_stated():
    parts = list(placed([(1, "👨‍👩‍👧"), (5, "x")]))
    assert Control.move_to_column(3).segment in parts
    assert [part.text for part in parts if not part.control] == [" ", "👨‍👩‍👧", "  ", "x"]


def test_a_word_from_right_to_left_does_not_turn_the_line():
    assert "\N{LEFT-TO-RIGHT MARK}" in [part.text for part in placed([(0, "שלום")])]


@pytest.mark.parametrize(
    ("labels", "space", "found"),
    [
        (("The", "cat"), 70, Header(5, 1)),
        (("The", "because"), 70, Header(8, 1)),
        (("The", "universities"), 70, Header(7, 2)),
        (WORDS, 60, Header(5, 2)),
        (WORDS, 48, Header(4, 2)),
        (("universities",) * 12, 60, Header(5, 3)),
        (("universities",) * 12, 48, Header(4, 0)),
        (WORDS * 2, 50, Header(2, 0)),
        (WORDS * 4, 50, Header(1, 0)),
    ],
)
def test_keys_stand_side_by_side_or_spread_or_upright_by_what_fits(labels, space, found):
    assert header(labels, space) == found


def test_spread_labels_stand_over_their_columns_in_turn():
    lines = list(Header(5, 2).lines(("The", "because", "it"), 10, 40))
    assert lines == [[(11, "The"), (21, "it")], [(14, "because")]]


def test_upright_labels_end_just_above_their_columns():
    lines = list(Header(2, 0).lines(("on", "mat"), 10, 40))
    assert lines == [[(12, "m")], [(10, "o"), (12, "a")], [(10, "n"), (12, "t")]]


def test_a_wide_letter_has_no_place_over_a_narrow_column():
    assert list(Header(1, 0).lines(("猫",), 0, 40)) == [[(0, "·")]]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=30), st.integers(30, 120))
@example(["universities"] * 12, 60)  # the last of a line has no room at its right
def test_no_label_touches_the_next_nor_leaves_the_line(labels, space):
    found = header(tuple(labels), space)
    assert found.cell * len(labels) <= space
    for line in found.lines(tuple(labels), 10, 10 + space):
        ends = [start + width(label) for start, label in line]
        room = 1 if found.steps else 0  # upright ones may fill their column
        assert all(end + room <= start for end, (start, _) in zip(ends, line[1:], strict=False))
        assert max(ends, default=0) <= 10 + space

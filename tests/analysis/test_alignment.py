"""Which word each word of a translation was written from, and how far off that is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.alignment import Link, alignment_error, links_of, pharaoh

LINKS = st.frozensets(st.builds(Link, st.integers(0, 4), st.integers(0, 6)))


def test_the_error_rate_is_the_one_worked_by_hand() -> None:
    """Of four links found two are sure and one is possible, of three sure ones: 1 - (2 + 3) / (4 + 3)."""
    found = {Link(0, 0), Link(1, 1), Link(2, 3), Link(3, 2)}
    sure = {Link(0, 0), Link(1, 1), Link(4, 4)}
    assert alignment_error(found, sure, {Link(2, 3), Link(2, 4)}) == pytest.approx(2 / 7)


def test_links_of_one_sentence_say_nothing_about_another() -> None:
    assert alignment_error({(0, Link(1, 1))}, {(1, Link(1, 1))}) == 1


@given(LINKS, LINKS, LINKS)
def test_only_all_that_is_sure_and_nothing_that_may_not_be_is_without_error(
    found: frozenset[Link], sure: frozenset[Link], possible: frozenset[Link]
) -> None:
    error = alignment_error(found, sure, possible)
    assert math.isnan(error) if not found and not sure else 0 <= error <= 1
    assert (error == 0) == (bool(found | sure) and sure <= found <= sure | possible)


def test_links_are_written_as_pharaoh_does() -> None:
    assert pharaoh([Link(2, 3), Link(0, 0), Link(1, 1), Link(1, 0)]) == "0-0 1-0 1-1 2-3"


def test_each_target_word_is_linked_to_its_strongest_source_word_and_to_no_zeros() -> None:
    weights = np.array([[0.1, 0.6, 0.3], [0, 0, 0], [0.5, 0.5, 0]], np.float32)
    assert links_of(weights) == (Link(0, 2), Link(1, 0))


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.3, "0-2 1-0 1-2 2-0"), (0.51, "0-2 1-0"), (0.0, "0-0 0-2 1-0 1-2 2-0"), (1.0, "0-2 1-0")],
)
def test_a_threshold_links_whatever_reaches_it_too(threshold: float, expected: str) -> None:
    weights = np.array([[0.1, 0.6, 0.3], [0, 0, 0], [0.5, 0.5, 0]], np.float32)
    assert pharaoh(links_of(weights, threshold)) == expected

"""Which row a query means: by number, by token, by word."""

from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.queries import alone, row_of
from attnviz.captures import Axis
from attnviz.errors import SelectionError
from attnviz.inputs import Span
from tests.analysis.maps import layer_maps


def axis(last: str = "dog") -> Axis:
    """ "The dog saw the dogs", the last word in two tokens."""
    text = f"The dog saw the {last}s"
    spans = [(0, 3), (4, 7), (8, 11), (12, 15), (16, len(text) - 1), (len(text) - 1, len(text))]
    return Axis(
        labels=("The", "dog", "saw", "the", last, "+s"),
        positions=tuple(range(6)),
        spans=tuple(Span(0, *span) for span in spans),
        words=(0, 1, 2, 3, 4, 4),
        special=(False,) * 6,
        texts=(text,),
    )


@pytest.mark.parametrize(
    ("word", "row", "told"),
    [
        ("saw", 2, ""),
        ("the", 3, ""),
        ("THE", 0, "THE stands at 0, 3: the first"),
        ("dog", 1, "dog stands at 1, 4: the first; a number chooses another"),
        ("dogs", 4, "dogs: the first of its tokens, dog"),
        ("4", 4, ""),
        ("saw the dogs", 2, "saw the dogs: the first of its tokens, saw"),
        ("+s", 5, ""),
    ],
)
def test_a_word_is_found_by_its_text(word: str, row: int, told: str) -> None:
    found, said = row_of(axis(), word)
    assert found == row
    assert said.startswith(told) if told else not said


def test_a_number_is_that_token_and_a_text_that_reads_so_is_told() -> None:
    assert row_of(axis("2"), "2") == (2, "2 is token 2, saw: that text stands at 4")
    assert row_of(axis("2"), "4") == (4, "")
    assert row_of(axis("1066"), "1066") == (4, "")  # of a number that no token has the text is meant


@pytest.mark.parametrize("word", ["bird", "og saw", "saw th", "", "9" * 5000, "³", "\x1b[31m"])
def test_a_word_that_is_not_there_is_told_what_is(word: str) -> None:
    with pytest.raises(
        SelectionError, match="' is none of the tokens: there are The, dog, saw, the"
    ) as raised:
        row_of(axis(), word)
    assert "\x1b" not in str(raised.value)


def test_the_row_is_cut_out_of_every_map_by_its_number_in_the_text() -> None:
    every = layer_maps(0, causal=True), layer_maps(1)
    later = tuple(
        replace(maps, queries=replace(maps.queries, positions=tuple(range(5, 14)))) for maps in every
    )
    cut, told = alone(later, "cat")
    assert told == ("query: “cat”, token 7",)
    for maps, one in zip(later, cut, strict=True):
        assert one.queries.labels == ("cat",)
        np.testing.assert_array_equal(one.weights, maps.weights[:, 2:3])
    assert cut[0].visible[0].tolist() == [[True] * 3 + [False] * 6]

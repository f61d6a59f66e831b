"""Maps side by side: in a terminal, and what is said of each."""

import numpy as np
import pytest

from attnviz.recipes import Style
from attnviz.render.figure import figure
from attnviz.render.labels import width
from attnviz.render.views import Heatmap, Page
from tests.render.test_terminal import lines, plain, written

FOOT = ("entropy 1.52 bits", "1.52 bits")


def multiples(count: int, words: tuple[str, ...], **options: object) -> Page:
    """Maps of the same words: in the first each looks at itself, in the second at the next, ..."""
    seen = np.ones((len(words), len(words)), bool)
    maps = tuple(
        Heatmap(
            name=f"0.0/{place}",
            title=f"variant {place}",
            weights=np.roll(np.eye(len(words), dtype=np.float32), place, axis=1),
            visible=seen,
            computed=seen,
            query_labels=words,
            key_labels=words,
            foot=FOOT,
        )
        for place in range(count)
    )
    return Page("title", maps, beside=True, **options)  # type: ignore[arg-type]


def test_maps_stand_side_by_side_and_the_first_carries_the_labels() -> None:
    shown = plain(multiples(2, ("The", "cat")), 60).splitlines()
    assert shown[:7] == [
        "title",
        "",
        "    variant 0                    variant 1",
        "     The  cat                     The  cat",
        "The █1.0 ·                       ·    █1.0",
        "cat ·    █1.0                    █1.0 ·",
        "    entropy 1.52 bits            entropy 1.52 bits",
    ]


@pytest.mark.parametrize(("columns", "across"), [(40, 1), (60, 2), (80, 2), (120, 4)])
def test_as_many_as_have_room_in_rows_as_even_as_can_be(columns: int, across: int) -> None:
    shown = plain(multiples(4, ("The", "cat", "sat")), columns).splitlines()
    assert [line.count("variant") for line in shown if "variant" in line] == [across] * (4 // across)
    assert max(map(width, shown)) <= columns


def test_many_tokens_are_small_maps_and_it_is_said_how_small() -> None:
    shown = plain(multiples(2, tuple(f"word{place}" for place in range(60))), 80).splitlines()
    assert shown[2].split() == ["variant", "0", "variant", "1"]
    assert any("to a cell" in line for line in shown)
    assert len(shown) < 40
    assert max(map(width, shown)) <= 80


def test_words_of_other_widths_keep_the_maps_in_their_columns() -> None:
    words = ("日本", "e\u0301te\u0301", "שלום", "👨‍👩‍👧")
    for text in (plain(multiples(3, words), 100), written(multiples(3, words), 100, force_terminal=True)):
        rows = lines(text)
        assert sum("variant 0" in row and "variant 2" in row for row in rows) == 1


@pytest.mark.parametrize(("inches", "foot"), [(7.0, FOOT[0]), (3.3, FOOT[1]), (2.2, "")])
def test_a_figure_says_beside_each_title_what_has_room(inches: float, foot: str) -> None:
    drawn, _ = figure(multiples(3, ("The", "cat")), Style(width=inches))
    texts = [text.get_text() for text in drawn.texts]
    assert texts.count(foot) == 3 if foot else not set(FOOT) & set(texts)
    assert sum(text.startswith(("variant ", "0.0/")) for text in texts) == 3  # none is without a name

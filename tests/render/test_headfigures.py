import math

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.gridfigure import grid_figure
from attnviz.render.tablefigure import MOST_ROWS, table_figure
from tests.render.drawings import HARMFUL, WIDE
from tests.render.headviews import ROWS, big, grid, row, table


def drawn(result: tuple[Figure, tuple[str, ...]]) -> Figure:
    FigureCanvasAgg(result[0]).draw()  # type: ignore[no-untyped-call]
    return result[0]


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def boxes(figure: Figure) -> list:
    return [text.get_window_extent() for text in texts(figure)]


def inside(figure: Figure) -> bool:
    width, height = figure.get_size_inches() * figure.dpi
    return all(
        box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width + 1 and box.y1 <= height + 1 for box in boxes(figure)
    )


def test_a_table_has_a_line_for_every_head_and_its_notes_below():
    figure = drawn(table_figure(table(notes=("2 heads",)), Style()))
    assert words(figure)[:3] == ["a model  “a text”", "head", "3.5"]
    assert {"3.11*", "0.74 it → cat", "-", "12.4", "2 heads"} <= set(words(figure))
    assert len(figure.findobj(Line2D)) == 3


def test_shares_are_tinted_by_how_large_they_are_and_nothing_else_is():
    figure = drawn(table_figure(table(), Style()))
    tints = [patch.get_facecolor()[:3] for patch in figure.findobj(Rectangle) if patch.get_zorder() == 0]
    shares = [entry.value for head in ROWS for name, entry in head.statistics.items() if name != "distance"]
    there = [share for share in shares if not math.isnan(share)]
    assert len(tints) == len(there) == len(shares) - 1
    assert len({round(sum(tint), 6) for tint in tints}) == len(set(there))
    assert sum(max(tints, key=sum)) == pytest.approx(3)  # white: a share of 0


@pytest.mark.parametrize("token", [*HARMFUL, *WIDE])
def test_a_token_is_data_in_a_figure_too(token):
    figure = drawn(table_figure(table(row(query=token, key="b", previous=0.9)), Style()))
    assert inside(figure)


@pytest.mark.parametrize(("layers", "heads"), [(6, 12), (12, 12)])
def test_nothing_of_a_table_reaches_beyond_the_figure_or_touches(layers, heads):
    figure = drawn(table_figure(big(layers, heads), Style()))
    assert inside(figure)
    everything = boxes(figure)
    assert not any(
        one.overlaps(other)
        for number, one in enumerate(everything[:60])
        for other in everything[number + 1 : 60]
    )


def test_columns_without_room_are_left_out_and_told_unless_they_were_asked_for():
    narrow = drawn(table_figure(table(), Style(width=3.3)))
    assert any(word.startswith("not shown: previous") for word in words(narrow))
    assert narrow.get_size_inches()[0] == pytest.approx(3.3)
    with pytest.raises(UsageError, match=r"takes [34]\.\d inches, not 3: choose fewer with --columns"):
        table_figure(table(asked=True), Style(width=3.0))


def test_a_table_for_a_poster_may_be_as_wide_as_a_poster():
    paper = words(drawn(table_figure(big(2, 3), Style())))
    poster = words(drawn(table_figure(big(2, 3), Style(medium="poster", font_size=24))))
    assert [word for word in paper if word not in poster] == []


def test_too_many_heads_for_a_picture_are_for_a_grid():
    assert len(big(16, 16).rows) == MOST_ROWS
    with pytest.raises(
        UsageError, match=r"1,024 heads are too many .*--top, or show all of them with --grid"
    ):
        table_figure(big(32, 32), Style())


@pytest.mark.parametrize("sizes", [(("", 6, 12),), (("", 32, 32),), (("encoder", 2, 3), ("cross", 4, 5))])
def test_nothing_of_a_grid_reaches_beyond_the_figure(sizes):
    figure = drawn(grid_figure(grid(*sizes, notes=("a note",)), Style()))
    assert inside(figure)
    assert {"layer", "head", "previous", "a note"} <= set(words(figure))
    assert {name for name, _, _ in sizes if name} <= set(words(figure))


def test_cells_carry_their_numbers_where_these_have_room():
    few, many = (drawn(grid_figure(grid(("", *size)), Style())) for size in ((2, 3), (32, 32)))
    assert ".17" in words(few)
    assert not any(word.startswith(".") for word in words(many))


def test_a_grid_is_as_wide_as_asked_for_or_says_that_it_cannot_be():
    figure = drawn(grid_figure(grid(("", 6, 12)), Style(width=3.3)))
    assert figure.get_size_inches()[0] == pytest.approx(3.3)
    with pytest.raises(UsageError, match="has no room for its cells"):
        grid_figure(grid(("", 6, 12)), Style(width=0.5))

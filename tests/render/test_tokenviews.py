"""Lines between tokens, and texts in the colours of one query: figures, terminal and LaTeX."""

import io
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from rich.console import Console

from attnviz.errors import UsageError
from attnviz.recipes import Recipe, Style
from attnviz.render.asdrawn import lines_as_drawn
from attnviz.render.colours import colours
from attnviz.render.files import formats_of
from attnviz.render.linesfigure import lines_figure, strokes
from attnviz.render.prose import alternative_text, caption
from attnviz.render.stripfigure import strip_figure
from attnviz.render.tokenterminal import PrintedLines, PrintedStrip
from attnviz.render.views import HeadLines, Heatmap, Page, TokenStrip
from tests.render.drawings import HARMFUL, WORDS, causal, heatmap, many, page, spread

ROWWISE = ("weights", "visible", "computed", "query_labels", "query_positions")
RECIPE = Recipe("heatmap", model={"name": "a model"}, sample={"text": "a text"})


def strip(query: str = "cat", *labels: str) -> TokenStrip:
    return TokenStrip(page(row(spread(labels or WORDS), query), recipe=RECIPE, notes=("a note",)))


def row(heatmap: Heatmap, query: str) -> Heatmap:
    """The map with that row alone."""
    place = heatmap.query_labels.index(query)
    parts = {name: getattr(heatmap, name)[place : place + 1] for name in ROWWISE}
    return replace(heatmap, **parts)


def words(drawn: Figure) -> list[str]:
    return [text.get_text() for text in drawn.texts]


def printed(view: object, columns: int = 60) -> str:
    console = Console(width=columns, file=io.StringIO(), color_system=None)
    console.print(view, crop=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_strip_has_every_token_on_the_colour_of_its_weight_and_a_line_around_the_query():
    view = strip("cat")
    drawn, _ = strip_figure(view, Style())
    boxes = [artist for artist in drawn.artists if isinstance(artist, Rectangle)]
    weights = view.page.heatmaps[0].weights[0]
    expected = colours("viridis")[np.minimum(weights * 256, 255).astype(int)] / 255
    found = [box.get_facecolor()[:3] for box in boxes]
    assert np.allclose(found, expected)
    thick = [box.get_linewidth() > 1 for box in boxes]
    assert thick == [label == "cat" for label in WORDS]


@pytest.mark.parametrize("width", [2.0, 3.25, None])
@pytest.mark.parametrize("tokens", [5, 60, 500])
def test_tokens_of_a_strip_stay_on_the_figure_and_apart(tokens, width):
    drawn, _ = strip_figure(strip(many(tokens)[0], *many(tokens)), Style(width=width))
    boxes = [patch.get_bbox() for patch in drawn.artists if isinstance(patch, Rectangle)]
    assert len(boxes) == tokens
    assert all(0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1 for box in boxes)
    assert all(one.x1 <= two.x0 or one.y0 >= two.y1 for one, two in pairwise(boxes))
    FigureCanvasAgg(drawn).draw()  # type: ignore[no-untyped-call]
    assert all(text.get_window_extent().x1 <= drawn.bbox.width + 1 for text in drawn.texts)


def test_what_a_query_may_not_see_has_no_colour():
    view = TokenStrip(page(row(causal(WORDS), "sat")))
    drawn, _ = strip_figure(view, Style())
    clear = [patch.get_facecolor()[3] == 0 for patch in drawn.artists if isinstance(patch, Rectangle)]
    assert clear == [False] * 3 + [True] * (len(WORDS) - 3)


def test_a_strip_without_room_for_a_token_is_refused():
    with pytest.raises(UsageError, match="no room for a token"):
        strip_figure(strip("x" * 18, "x" * 18), Style(width=1.2))


def test_a_strip_is_of_one_query():
    with pytest.raises(ValueError, match="one query"):
        TokenStrip(page(spread(WORDS)))


def test_lines_are_as_dark_as_the_weights_of_their_pairs():
    view = HeadLines(page(heatmap([[0.9, 0.1], [0.01, 0.5]], ("a", "b"), ("c", "d"))))
    drawn, _ = lines_figure(view, Style())
    (lines,) = [artist for artist in drawn.artists if isinstance(artist, LineCollection)]
    assert np.allclose(lines.get_colors()[:, :3] * 255, strokes()[[25, 128, 230]])  # the faintest is left out
    assert {"a", "b", "c", "d", "query", "key"} <= set(words(drawn))


@pytest.mark.parametrize("width", [3.25, None])
@pytest.mark.parametrize(("maps", "tokens"), [(1, 5), (3, 12), (1, 200)])
def test_words_of_lines_stay_on_the_figure(maps, tokens, width):
    shown = page(*(spread(many(tokens), name=f"0.{head}") for head in range(maps)))
    drawn, _ = lines_figure(lines_as_drawn(HeadLines(shown)), Style(width=width))
    FigureCanvasAgg(drawn).draw()  # type: ignore[no-untyped-call]
    for text in drawn.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= drawn.bbox.width + 1
        assert 0 <= box.y0 < box.y1 <= drawn.bbox.height + 1


def test_a_width_without_room_for_lines_is_refused():
    with pytest.raises(UsageError, match="no room for lines between its tokens"):
        lines_figure(HeadLines(page(spread(WORDS))), Style(width=1.5))


def test_long_texts_are_pooled_for_lines_and_the_caption_says_so():
    drawn = lines_as_drawn(HeadLines(page(spread(many(200)), recipe=RECIPE)))
    assert len(drawn.page.heatmaps[0].query_labels) == 50
    assert "Pooled: 4 tokens to a cell" in caption(drawn.recipe)


@pytest.mark.parametrize("table", [strokes(), colours("viridis")], ids=["lines", "viridis"])
def test_colours_printed_grey_keep_the_order_of_the_weights(table):
    luminance = (np.array(table) / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(luminance)
    assert (steps >= -1e-3).all() or (steps <= 1e-3).all()
    assert abs(luminance[-1] - luminance[0]) > 0.5


def test_latex_prints_every_token_as_it_is_on_its_colour():
    text = formats_of(TokenStrip)[".tex"].write(strip(HARMFUL[0], *HARMFUL), Style())[0].decode()
    assert text.startswith("% attnviz: {")
    assert text.count("\\fcolorbox[RGB]") == len(HARMFUL)
    body = text[text.index("\\raggedright") :]
    assert set(re.findall(r"\\[a-zA-Z]+", body)) == {
        "\\raggedright", "\\fcolorbox", "\\textcolor", "\\strut", "\\par", "\\footnotesize",
        "\\textbackslash", "\\textless", "\\textgreater",
    }  # fmt: skip
    assert "\\$\\textbackslash{}foo\\$" in body


def test_the_terminal_shows_the_strongest_keys_of_each_query():
    view = HeadLines(page(heatmap([[0.9, 0.1], [0.01, 0.5]], ("a", "bb"), ("c", "d"))))
    assert " a → c 0.90  d 0.10\nbb → d 0.50\n" in printed(PrintedLines(view))


@pytest.mark.parametrize("columns", [20, 60, 80])
def test_a_strip_on_a_terminal_keeps_to_its_width(columns):
    told = printed(PrintedStrip(strip()), columns)
    assert all(len(line) <= columns for line in told.splitlines())
    assert all(label in told for label in WORDS)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".json", ".csv", ".npz"])
def test_lines_and_strips_become_files_that_are_the_same_every_time(suffix):
    for view in (strip(), HeadLines(page(spread(WORDS), recipe=RECIPE))):
        write = formats_of(type(view))[suffix].write
        assert write(view, Style())[0] == write(view, Style())[0]


def test_alternative_texts_name_the_strongest_cells():
    view = page(heatmap([[0.9, 0.1], [0.01, 0.5]], ("a", "b"), ("c", "d")), title="a title")
    told = alternative_text(view)
    assert told == (
        "a title. Layer 0, head 0, 2 queries by 2 keys; strongest: “a” to “c” 0.90, “b” to “d” 0.50, "
        "“a” to “d” 0.10."
    )
    svg = formats_of(Page)[".svg"].write(view, Style())[0]
    root = ElementTree.fromstring(svg)
    assert root[1].tag.endswith("desc")
    assert root[1].text == told
    pdf = formats_of(Page)[".pdf"].write(replace(view, title="plain"), Style())[0]
    assert b"/Subject" in pdf

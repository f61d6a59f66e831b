import io
import json
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from attnviz.errors import UsageError
from attnviz.recipes import Recipe, Style
from attnviz.render import fonts
from attnviz.render.colours import colours
from attnviz.render.figure import figure, painted
from attnviz.render.pen import figure_bytes
from attnviz.render.views import Page, Scale
from tests.render.drawings import HARMFUL, WIDE, WORDS, atlas, causal, heatmap, many, page, spread

RECIPE = Recipe("heatmap", model={"name": "a model"}, sample={"text": "caf\u00e9 (\\)"})


def drawn(view: Page, style: Style | None = None) -> Figure:
    result, _ = figure(view, style or Style())
    FigureCanvasAgg(result).draw()  # type: ignore[no-untyped-call]
    return result


def texts(result: Figure) -> list[Text]:
    return [text for text in result.findobj(Text) if text.get_text() and text.get_visible()]


def words(result: Figure) -> list[str]:
    return [text.get_text() for text in texts(result)]


def keys(result: Figure, axes: int = 0) -> list[str]:
    return [label.get_text() for label in result.axes[axes].get_xticklabels()]


def queries(result: Figure, axes: int = 0) -> list[str]:
    return [label.get_text() for label in result.axes[axes].get_yticklabels()]


def gap(labels: list[Text]) -> float:
    """The least room between two neighbours, in dots; negative if they overlap."""
    angle = math.radians(labels[0].get_rotation())
    level = []
    for label in labels:
        label.set_rotation(0)
        level.append(label.get_window_extent())
        label.set_rotation(math.degrees(angle))
    if angle == 0:
        return min(right.x0 - left.x1 for left, right in pairwise(level))
    apart = min(right.x1 - left.x1 for left, right in pairwise(level))
    return apart * math.sin(angle) - max(box.height for box in level)


@pytest.mark.parametrize("width", [None, 3.3, 7.0])
@pytest.mark.parametrize("tokens", [2, 5, 12, 40, 60, 200])
def test_labels_never_touch_nor_leave_the_figure(tokens, width):
    result = drawn(page(spread(many(tokens)), notes=("A note. " * 20,)), Style(width=width))
    axes = result.axes[0]
    assert gap(axes.get_xticklabels()) >= 0
    rows = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(rows))
    for text in texts(result):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= result.bbox.width + 1
        assert box.y1 <= result.bbox.height + 1


@pytest.mark.parametrize("tokens", [5, 12, 60])
def test_every_token_has_its_label_where_the_width_is_free(tokens):
    result = drawn(page(spread(many(tokens))))
    assert keys(result) == queries(result) == list(many(tokens))


def test_of_200_tokens_some_have_labels_and_marks():
    result = drawn(page(spread(many(200))))
    assert 20 <= len(keys(result)) < 200
    assert result.axes[0].xaxis.get_ticklines()[0].get_markersize() > 0


def test_more_than_256_tokens_are_pooled_and_the_figure_says_so():
    result = drawn(page(spread(many(300))))
    assert "pooled: 3 tokens to a cell (mean over queries, sum over keys)" in words(result)


def test_a_figure_is_as_wide_as_was_asked():
    for view in (page(spread(WORDS)), page(spread(WORDS), atlas=atlas(2, 3, 5))):
        assert drawn(view, Style(width=3.3)).get_figwidth() == 3.3


def test_on_a_poster_everything_is_as_much_larger_as_the_letters():
    paper, poster = (
        drawn(page(spread(many(12))), Style(medium=medium, font_size=points))
        for medium, points in (("paper", 8), ("poster", 24))
    )
    np.testing.assert_allclose(poster.get_size_inches(), 3 * paper.get_size_inches(), rtol=0.02)
    for small, large in zip(paper.axes, poster.axes, strict=True):
        np.testing.assert_allclose(large.get_position().bounds, small.get_position().bounds, atol=0.01)


def test_a_width_without_room_for_cells_is_refused():
    with pytest.raises(UsageError, match=r"a figure 0\.5 inches wide has no room"):
        figure(page(spread(WORDS)), Style(width=0.5))


def test_titles_and_notes_are_wrapped_into_the_figure():
    result = drawn(page(spread(WORDS), title="many words " * 30, notes=("x" * 300,)))
    assert " ".join(words(result)).count("many") == 30
    assert "".join(words(result)).count("x") >= 300


def test_a_cell_has_the_colour_of_its_weight_whatever_else_is_on_the_map():
    """The range is fixed: half a weight is the middle colour also where it is the largest."""
    paint = painted(heatmap([[0, 0.5]], ("a",), ("x", "y")), Scale(), colours("viridis"))
    assert paint[0].tolist() == [[68, 1, 84, 255], [*colours("viridis")[128].tolist(), 255]]
    assert painted(heatmap([[0.5]], ("a",)), Scale(vmax=0.5), colours("viridis"))[0, 0, 0] == 253


def test_cells_not_to_be_seen_are_clear_and_those_never_computed_grey():
    view = causal(("a", "b"))
    computed = np.array([[True, True], [False, True]])
    view = heatmap(view.weights, ("a", "b"), visible=view.visible, computed=computed)
    paint = painted(view, Scale(), colours("viridis"))
    assert paint[0, 1, 3] == 0
    assert paint[1, 0].tolist() == [228, 228, 228, 255]
    assert "grey: never computed" in words(drawn(page(view)))


def test_cells_are_drawn_in_their_order_and_sharp():
    image = drawn(page(spread(WORDS[:5]))).axes[0].images[0]
    cells = painted(spread(WORDS[:5]), Scale(), colours("viridis"))
    dots = image.get_array().shape[0] // 5
    assert dots > 100
    assert np.array_equal(image.get_array()[dots // 2 :: dots, dots // 2 :: dots], cells)
    assert image.get_interpolation() == "none"


def test_the_colour_bar_has_the_numbers_of_the_scale():
    result = drawn(page(spread(WORDS), scale=Scale("log", 1.0)))
    assert queries(result, -1) == ["0.0001", "0.001", "0.01", "0.1", "1"]
    assert "attention weight" in words(result)


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (1, 150), (150, 1), (3, 40)])
def test_maps_need_not_be_square(queries, keys):
    result = drawn(page(spread(many(queries), many(keys))))
    heights = [axes.get_position().height * result.get_figheight() for axes in result.axes]
    assert heights[-1] >= 0.8 - 1e-6
    assert all(text.get_window_extent().y0 >= 0 for text in texts(result))


def test_settings_of_the_user_change_nothing():
    view = page(spread(WORDS), recipe=RECIPE)
    usual = figure_bytes(figure(view, Style())[0], ".png", view)
    theirs = {"savefig.bbox": "tight", "xtick.top": True, "text.color": "red", "figure.autolayout": True}
    with matplotlib.rc_context(theirs):  # type: ignore[arg-type]
        assert figure_bytes(figure(view, Style())[0], ".png", view) == usual


def test_several_maps_share_their_labels_and_one_bar():
    views = [spread(WORDS, name=f"0.{head}") for head in range(4)]
    result = drawn(page(*views))
    assert len(result.axes) == 5
    assert [bool(queries(result, panel)) for panel in range(4)] == [True, False, True, False]
    assert [bool(keys(result, panel)) for panel in range(4)] == [False, False, True, True]
    assert [f"layer 0, head {head}" in words(result) for head in range(4)] == [True] * 4
    assert words(result).count("query") == words(result).count("key") == 1


def test_maps_with_labels_of_their_own_keep_them():
    result = drawn(page(spread(WORDS), spread(WORDS[:5], WORDS[:7])))
    assert (len(queries(result, 1)), len(keys(result, 1))) == (5, 7)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 13])
def test_maps_never_overlap(count):
    result = drawn(page(*(spread(WORDS, name=f"0.{head}") for head in range(count))))
    boxes = [axes.get_position() for axes in result.axes]
    for number, box in enumerate(boxes):
        assert all(
            box.x1 <= other.x0 or other.x1 <= box.x0 or box.y1 <= other.y0 or other.y1 <= box.y0
            for other in boxes[:number]
        )


def test_titles_without_room_become_names():
    result = drawn(page(*(spread(WORDS[:2], name=f"0.{head}") for head in range(64))), Style(width=4))
    assert "0.5" in words(result)
    assert "layer 0, head 5" not in words(result)


def test_an_overview_numbers_every_layer_and_head():
    result = drawn(page(spread(WORDS), atlas=atlas(3, 5, 7)))
    assert queries(result) == ["0", "1", "2"]
    assert keys(result) == ["0", "1", "2", "3", "4"]
    assert "3 layers × 5 heads" in words(result)


def test_an_overview_of_long_texts_says_how_small_its_maps_are():
    assert "small maps: 2 tokens to a cell" in words(drawn(page(atlas=atlas(1, 2, 64))))


def test_labels_are_never_formulas(caplog):
    result = drawn(page(spread(HARMFUL), title=r"$\foo$", notes=(r"$x^{$",)))
    assert {r"$\foo$", r"$x^{$", *HARMFUL[:6]} <= set(words(result))
    assert f"{'x' * 19}…" in words(result)
    assert not caplog.records


def test_characters_that_no_font_has_are_code_points_and_named_once(monkeypatch):
    monkeypatch.setattr(fonts, "_other_families", lambda: ())
    result, notes = figure(page(spread(("猫", "é", "👨‍👩‍👧", "❤️"))), Style())
    assert keys(result) == ["U+732B", "é", "U+1F468U+1F469U+1F4…", "❤"]
    assert notes == ("no font here can draw U+732B, U+1F467, U+1F468, U+1F469: shown as code points",)


def test_fonts_that_are_there_are_used(monkeypatch):
    monkeypatch.setattr(fonts, "_other_families", lambda: ("cmr10", "STIXGeneral"))
    letter = min(fonts._glyphs("STIXGeneral") - fonts._glyphs("DejaVu Sans") - fonts._glyphs("cmr10"))
    result, notes = figure(page(spread((letter, "a"))), Style())
    assert keys(result) == [letter, "a"]
    assert result.axes[0].get_xticklabels()[0].get_fontfamily() == ["DejaVu Sans", "STIXGeneral"]
    assert notes == ()


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
@pytest.mark.parametrize("labels", [WORDS, (*HARMFUL, *WIDE)], ids=["words", "harmful"])
def test_the_same_page_gives_the_same_bytes(suffix, labels):
    view = page(spread(labels), atlas=atlas(2, 3, 5), recipe=RECIPE)
    first, second = (figure_bytes(figure(view, Style())[0], suffix, view) for _ in range(2))
    assert first == second


def test_a_png_has_its_size_and_its_recipe():
    view = page(spread(WORDS), recipe=RECIPE)
    result = figure(view, Style(width=4.0, dpi=150))[0]
    picture = Image.open(io.BytesIO(figure_bytes(result, ".png", view)))
    assert picture.width == 600
    assert json.loads(picture.info["attnviz:recipe"]) == RECIPE.entries()
    assert to_rgba("white") == tuple(part / 255 for part in picture.getpixel((0, 0)))


def test_a_pdf_has_truetype_fonts_its_recipe_and_no_date():
    view = page(spread(WORDS), recipe=RECIPE)
    data = figure_bytes(figure(view, Style())[0], ".pdf", view)
    assert b"/CIDFontType2" in data
    assert b"/Type3" not in data
    assert b"/CreationDate" not in data
    keywords = re.search(rb"/Keywords \((.*)\)", data)
    assert keywords
    assert json.loads(re.sub(rb"\\([()\\])", rb"\1", keywords[1])) == RECIPE.entries()


def test_an_svg_has_its_text_as_text_its_recipe_and_no_date():
    view = page(spread(HARMFUL), recipe=RECIPE)
    root = ElementTree.fromstring(figure_bytes(figure(view, Style())[0], ".svg", view))
    name = "{http://www.w3.org/2000/svg}text"
    assert {"</script>", "[/INST]", r"$\foo$", "שלום"} <= {text.text for text in root.iter(name)}
    dublin = "{http://purl.org/dc/elements/1.1/}"
    description = root.find(f".//{dublin}description")
    assert description is not None
    assert json.loads(description.text or "") == RECIPE.entries()
    assert root.find(f".//{dublin}date") is None

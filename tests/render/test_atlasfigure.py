"""An atlas as a picture of its own: the same one as vectors and as dots, with every cell in it."""

import io
import json
import re
import zlib
from dataclasses import replace
from itertools import product

import matplotlib.path
import numpy as np
import pytest
from PIL import Image

from attnviz.errors import UsageError
from attnviz.recipes import Recipe, Style
from attnviz.render.atlasfigure import atlas_drawing, parts
from attnviz.render.colours import _oklab
from attnviz.render.drawing import COLOURS, Drawing, bar_levels, heatmap_levels, palette, vector_figure
from attnviz.render.files import FORMATS
from attnviz.render.pdf import STEPS
from attnviz.render.pen import figure_bytes
from attnviz.render.raster import raster
from attnviz.render.views import Atlas, Page
from attnviz.render.within import recipe_in
from tests.render.drawings import atlas, causal, heatmap, many, page, spread

RECIPE = Recipe("heatmap", model={"name": "a model"}, sample={"text": "caf\u00e9 (\\)"})
STYLE = Style(width=7.0, dpi=100)
FINE = replace(STYLE, dpi=200)  # as many dots as cells, and more


def overview(layers: int = 3, heads: int = 5, tokens: int = 7, **others: object) -> Page:
    return page(atlas=atlas(layers, heads, tokens), recipe=RECIPE, **others)


def drawing(view: Page, style: Style = STYLE) -> Drawing:
    assert view.atlas
    return atlas_drawing(view, view.atlas, style)


def words(drawn: Drawing) -> list[str]:
    return [word.text for word in drawn.words]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def written(view: Page, suffix: str, style: Style = STYLE) -> bytes:
    return FORMATS[suffix].write(view, style)[0]


def contents_of(pdf: bytes) -> list[bytes]:
    """What is drawn on each page with cells."""
    starts = [
        match.end() for match in re.finditer(rb"stream\n", pdf) if pdf[match.start() - 3 :][:3] != b"end"
    ]
    streams = [zlib.decompressobj().decompress(pdf[start:]) for start in starts]
    return [stream for stream in streams if b"\nEI Q\n" in stream]


def images_of(pdf: bytes) -> list[np.ndarray]:
    """The colours of each image in a PDF as it is seen: ``[queries, keys, 3]``; white where it is cut off."""
    table = re.search(rb"/Levels \[/Indexed /DeviceRGB \d+ <(\w+)>", pdf)
    colours = np.frombuffer(bytes.fromhex(table[1].decode()), np.uint8).reshape(-1, 3)
    image = (
        rb"q [-\d.]+ 0 0 [-\d.]+ 0 [\d.]+ cm (?:0 0 \d+ \d+ re f ([\d ml]+) W n )?0 \d+ -\d+ 0 \d+ 0 cm "
        rb"BI /W (\d+) /H (\d+) /BPC 8 /CS /Levels ID "
    )
    return [
        _cut(colours[_turned(content[match.end() :], *map(int, match.groups()[1:]))], match[1])
        for content in contents_of(pdf)
        for match in re.finditer(image, content)
    ]


def _turned(data: bytes, columns: int, rows: int) -> np.ndarray:
    """The numbers of an image that lies on its side."""
    assert data[rows * columns :].startswith(b"\nEI Q\n")
    assert b"E" not in data[: rows * columns]  # which readers could take for the end
    return np.frombuffer(data, np.uint8, rows * columns).reshape(rows, columns).T


def _cut(image: np.ndarray, path: bytes | None) -> np.ndarray:
    """White wherever the middle of a cell lies outside of the path, if there is one."""
    if path is None:
        return image
    corners = np.array(re.findall(rb"(\d+) (\d+) [ml]", path), int)
    middles = np.moveaxis(np.indices(image.shape[:2])[::-1] + 0.5, 0, -1)
    inside = matplotlib.path.Path(corners).contains_points(middles.reshape(-1, 2))
    return np.where(inside.reshape(*image.shape[:2], 1), image, np.uint8(255))


@pytest.mark.parametrize("tokens", [2, 7, 40])
def test_vectors_and_dots_show_the_same_picture(tokens):
    drawn = drawing(overview(tokens=tokens, title="a title", notes=("a note " * 30,)))
    dots, table = raster(drawn, STYLE.dpi)
    vectors = opened(figure_bytes(vector_figure(drawn, STYLE.dpi), ".png", overview())).convert("RGB")
    apart = np.abs(table[dots].astype(int) - np.asarray(vectors, int)).max(2)
    assert apart.shape == dots.shape
    assert (apart > 8).mean() < 1e-4


def test_every_cell_of_every_map_is_in_the_dots():
    view = overview(2, 3, 7)
    drawn = drawing(view)
    dots, _ = raster(drawn, STYLE.dpi)
    for (_, _, shown), cells in zip(view.atlas.maps, drawn.cells[:-1], strict=True):
        middles = (np.arange(7) + 0.5) / 7
        rows = np.floor((cells.box.top + middles * cells.box.height) * STYLE.dpi).astype(int)
        columns = np.floor((cells.box.left + middles * cells.box.width) * STYLE.dpi).astype(int)
        assert np.array_equal(dots[np.ix_(rows, columns)], heatmap_levels(shown, view.scale))


def seen(what: str, tokens: int) -> np.ndarray:
    """Which keys a query may see: ``[queries, keys]``."""
    query, key = np.indices((tokens, tokens))
    return {
        "all": key >= 0,
        "the past": key <= query,
        "some of the past": (key <= query) & (query < key + 9),
        "all keys but one": key != 3,
        "nothing": key < 0,
        "pieces": (query + key) % 7 < 3,
    }[what]


@pytest.mark.parametrize("tokens", [9, 96])
@pytest.mark.parametrize(
    "what", ["all", "the past", "some of the past", "all keys but one", "nothing", "pieces"]
)
def test_every_cell_of_every_map_is_in_the_pdf(what, tokens):
    view = overview(2, 3, tokens)
    visible = seen(what, tokens)
    maps = [(row, head, replace(shown, visible=visible)) for row, head, shown in view.atlas.maps]
    *found, _ = images_of(written(replace(view, atlas=Atlas(view.atlas.layers, tuple(maps))), ".pdf", FINE))
    colours = palette("viridis").astype(int)
    for image, (_, _, shown) in zip(found, maps, strict=True):
        dots = len(image) // tokens
        apart = image[::dots, ::dots] - colours[heatmap_levels(shown, view.scale)]
        assert apart.shape == (tokens, tokens, 3)
        assert np.abs(apart).max() <= 4
        assert (apart[~visible] == 0).all()


@pytest.mark.parametrize("cmap", ["viridis", "cividis", "coolwarm"])
def test_a_colour_of_a_pdf_is_within_what_the_eye_just_notices(cmap):
    bar = images_of(written(overview(cmap=cmap), ".pdf"))[-1][:, 0]
    exact = palette(cmap)[bar_levels()][:, 0]
    steps = bar.reshape(len(exact), -1, 3)[:, 0]
    assert len(np.unique(bar, axis=0)) == STEPS
    assert np.linalg.norm(_oklab(steps) - _oklab(exact), axis=1).max() < 0.0135


def test_a_pdf_holds_its_words_and_its_recipe_and_says_that_its_colours_are_fewer(tmp_path):
    file, told = tmp_path / "atlas.pdf", f"colours in {STEPS} steps"
    file.write_bytes(written(overview(), ".pdf"))
    assert recipe_in(file) == replace(RECIPE, reduction={"notes": [told]})
    shown = drawing(overview(notes=(told,)))
    assert contents_of(file.read_bytes())[0].count(b"\nBT\n") == len(shown.words)
    assert told in words(shown)


def test_a_pdf_of_many_small_maps_is_smaller_than_a_byte_to_a_cell():
    assert len(written(overview(6, 6, 32), ".pdf")) < 6 * 6 * 32 * 32 / 3


def test_a_pdf_of_the_hardest_causal_maps_is_under_a_third_of_what_the_usual_loop_writes():
    """Each query looks at one key alone. The loop: that of ``benchmarks.export``, with matplotlib 3.11."""
    tokens, loop = 64, 101_509
    generator = np.random.default_rng(0)
    hardest = []
    for row, head in product(range(12), range(12)):
        looked_at = generator.integers(0, np.arange(tokens) + 1)
        shown = causal(many(tokens), name=f"{row}.{head}")
        hardest.append((row, head, replace(shown, weights=np.eye(tokens)[looked_at])))
    view = page(atlas=Atlas(tuple(map(str, range(12))), tuple(hardest)), recipe=RECIPE)
    assert len(written(view, ".pdf", Style(width=12))) < loop / 3


def test_a_png_has_its_size_its_recipe_and_its_dots_an_inch():
    picture = opened(written(overview(), ".png"))
    picture.load()
    assert (picture.width, picture.mode) == (700, "P")
    assert picture.info["dpi"] == pytest.approx((100, 100), abs=0.1)
    assert picture.info["Title"] == "a model  “a text”"
    assert json.loads(picture.info["attnviz:recipe"]) == RECIPE.entries()


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_same_atlas_gives_the_same_bytes(suffix):
    assert written(overview(), suffix) == written(overview(), suffix)


def test_each_map_has_its_name_and_tokens_their_numbers():
    found = words(drawing(overview(3, 5, 7)))
    assert {f"{layer}.{head}" for layer in range(3) for head in range(5)} <= set(found)
    assert {"query", "key", "0", "2", "4", "6", "attention weight"} <= set(found)


def test_where_names_have_no_room_layers_and_heads_are_numbered():
    found = words(drawing(overview(3, 40, 7)))
    assert "0.0" not in found
    assert {"layer", "head", "0", "2"} <= set(found)


def test_words_stay_on_the_picture_and_apart_from_each_other():
    style = Style(width=7)
    drawn = drawing(overview(6, 12, 30, title="many words " * 30, notes=("x" * 300,)), style)
    boxes = [text.get_window_extent() for text in vector_figure(drawn, style.dpi).texts]
    for number, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= 1401
        assert 0 <= box.y0 < box.y1 <= drawn.height * 200 + 1
        assert not any(
            box.overlaps(other) and box.shrunk(0.8, 0.6).overlaps(other) for other in boxes[:number]
        )


def test_more_tokens_than_dots_are_put_together_in_whole_groups_and_the_caption_says_so():
    drawn = drawing(overview(1, 5, 300))
    assert "pooled: 3 tokens to a cell (mean over queries, sum over keys)" in words(drawn)
    assert {cells.levels.shape for cells in drawn.cells[:-1]} == {(100, 100)}


def test_what_looks_at_one_token_alone_is_as_bright_where_there_is_hardly_a_dot_too_few():
    looking = heatmap(np.eye(130), many(130))
    drawn = drawing(page(atlas=Atlas(("0",), tuple((0, head, looking) for head in range(5)))))
    assert any(text.startswith("pooled: 2 tokens") for text in words(drawn))
    assert (drawn.cells[0].levels.diagonal() == COLOURS - 1).all()


@pytest.mark.parametrize("pages", [False, True])
def test_a_pdf_has_the_cells_that_print_shows_whatever_the_dots_of_a_png(pages):
    view = overview(1, 12, 64)
    assert "pooled: 2 tokens to a cell (mean over queries, sum over keys)" in words(drawing(view))
    exact = written(view, ".pdf", replace(STYLE, pages=pages))
    assert [image.shape for image in images_of(exact)[:-1]] == [(64, 64, 3)] * 12
    assert images_of(written(overview(1, 5, 300), ".pdf"))[0].shape == (150, 150, 3)


def test_an_axis_without_numbers_leaves_no_room_for_them():
    drawn = drawing(overview(2, 12, 64), Style(width=5.5, font_size=9))
    (name,) = [word for word in drawn.words if word.text == "key"]
    assert "20" not in words(drawn)
    assert 0 < name.top - max(frame.bottom for frame in drawn.frames) < name.size / 72 * 1.5


def test_heads_that_are_not_there_leave_their_place_empty():
    maps = [(0, 0, spread(many(5))), (1, 2, spread(many(5), name="1.2"))]
    drawn = drawing(page(atlas=Atlas(("0", "1"), tuple(maps))))
    assert len(drawn.frames) == 3
    assert drawn.frames[1].left > drawn.frames[0].right + drawn.frames[0].width


def test_what_may_not_be_seen_is_white_and_what_was_not_computed_grey():
    seen = causal(many(4))
    missing = heatmap(np.eye(4), many(4), computed=np.eye(4, dtype=bool), name="0.1")
    drawn = drawing(page(atlas=Atlas(("0",), ((0, 0, seen), (0, 1, missing)))))
    table = palette("viridis")
    assert table[drawn.cells[0].levels[0, 3]].tolist() == [255, 255, 255]
    assert table[drawn.cells[1].levels[0, 3]].tolist() == [228, 228, 228]


def test_a_width_without_room_for_maps_is_refused():
    with pytest.raises(UsageError, match=r"a figure 2 inches wide has no room for 60 maps beside each other"):
        drawing(overview(1, 60, 3), Style(width=2))


def test_a_pdf_of_an_atlas_has_its_text_as_truetype():
    data = written(overview(), ".pdf")
    assert b"/CIDFontType2" in data
    assert b"/Type3" not in data


def test_an_atlas_over_pages_has_every_map_once():
    view = overview(12, 4, 9)
    one, many_pages = (written(view, ".pdf", replace(STYLE, pages=pages)) for pages in (False, True))
    assert one.count(b"/Type /Page /") == 1 < many_pages.count(b"/Type /Page /")
    assert len(images_of(many_pages)) == 12 * 4 + len(contents_of(many_pages))
    shown = [heatmap.name for part in parts(view, view.atlas, STYLE) for _, _, heatmap in part.atlas.maps]
    assert shown == [heatmap.name for _, _, heatmap in view.atlas.maps]


@pytest.mark.parametrize("width", [3.3, 5.5, 6.9])
def test_no_number_of_a_page_has_an_exponent(width):
    """Readers of PDF know none (ISO 32000-1, 7.3.3): "1e-14" would be two words."""
    [content] = contents_of(written(overview(2, 8, 12), ".pdf", Style(width=width)))
    operators = re.sub(rb"ID .*?\nEI", b"", content, flags=re.DOTALL)
    assert not re.search(rb"[0-9.]e[-+]?[0-9]", operators)

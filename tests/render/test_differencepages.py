"""Pages of differences: what is on them, and how they look."""

import csv
import io
import json
import re

import numpy as np
import pytest

import attnviz
from attnviz.captures import Capture
from attnviz.errors import UsageError
from attnviz.recipes import Choice, Recipe, Style
from attnviz.render.colours import colours
from attnviz.render.differencepages import difference_page
from attnviz.render.figure import figure
from attnviz.render.numbers import csv_bytes, json_bytes, npz_bytes
from attnviz.render.pen import figure_bytes
from attnviz.render.views import Heatmap, Page, Scale
from tests.analysis.pairs import capture_of
from tests.render.drawings import heatmap, page
from tests.render.test_figure import drawn, keys, words
from tests.render.test_terminal import ansi, lines, plain

FIRST, SECOND = (
    capture_of("he was tired", name="text-1"),
    capture_of("she was so tired", seed=1, name="text-2"),
)
FLAT = np.full((1, 1, 4, 4), 0.25, np.float32)
TIPPED = np.array([[[[0.25] * 4, [0.13, 0.37, 0.25, 0.25], [0.25] * 4, [0.25] * 4]]], np.float32)


def made(first: Capture = FIRST, second: Capture = SECOND, top: int | None = None, **given: object) -> Page:
    style = Style(**{name: given.pop(name) for name in ("cmap", "vmax", "scale") if name in given})  # type: ignore[arg-type]
    return difference_page(first, second, Choice(**given), style, top)  # type: ignore[arg-type]


def test_without_a_choice_there_is_a_table_and_the_map_of_its_first_head() -> None:
    view = made()
    assert view.table is not None
    names = [row[0] for row in view.table.rows]
    changes = [row[4] for row in view.table.rows]
    assert len(names) == 6
    assert changes == sorted(changes, reverse=True)
    assert [each.name for each in view.heatmaps] == names[:1]
    assert made(top=2).table.rows == view.table.rows[:2]  # type: ignore[union-attr]


def test_the_table_says_where_a_weight_changed_most() -> None:
    view = made(capture_of("a b", FLAT), capture_of("a b", TIPPED, model="two"))
    [row] = view.table.rows  # type: ignore[union-attr]
    cells = dict(zip([column.name for column in view.table.columns], row, strict=True))  # type: ignore[union-attr]
    assert (cells["query"], cells["key"]) in (("a", "[CLS]"), ("a", "a"))
    assert cells["first"] == 0.25
    assert cells["difference"] == pytest.approx(cells["second"] - 0.25)
    assert abs(cells["difference"]) == pytest.approx(0.12)  # type: ignore[arg-type]


def test_with_a_choice_there_are_these_maps_alone() -> None:
    view = made(layers="1")
    assert view.table is None
    assert [each.name for each in view.heatmaps] == ["1.0", "1.1", "1.2"]
    ranked = [row[0] for row in made().table.rows if str(row[0]).startswith("1.")]  # type: ignore[union-attr]
    assert [each.name for each in made(layers="1", top=2).heatmaps] == ranked[:2]


def test_a_mean_of_differences_is_the_difference_of_the_means() -> None:
    [mean], maps = made(layers="1", mean="heads").heatmaps, made(layers="1").heatmaps
    assert np.allclose(mean.weights, np.mean([each.weights for each in maps], axis=0), atol=1e-7)
    assert mean.sides is not None
    assert np.allclose(
        (mean.sides[1].weights - mean.sides[0].weights)[mean.painted], mean.weights[mean.painted]
    )


def test_the_scale_is_as_wide_as_the_largest_difference_rounded_up() -> None:
    tipped = capture_of("a b", TIPPED, model="two")
    assert made(capture_of("a b", FLAT), tipped).scale == Scale("diverging", 0.12)
    assert made(capture_of("a b", FLAT), tipped, vmax=0.5).scale.vmax == 0.5
    assert made(FIRST, FIRST).scale.vmax == 1
    tipped = capture_of("a b", FLAT + (TIPPED - FLAT) * 1.04, model="two")
    assert made(capture_of("a b", FLAT), tipped).scale.vmax == 0.16


def test_the_bar_is_numbered_with_signs() -> None:
    assert Scale("diverging", 0.3).ticks() == [
        (0, "-0.3"), (0.25, "-0.15"), (0.5, "0"), (0.75, "+0.15"), (1, "+0.3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scale": "log"}, "--scale log is of weights"),
        ({"vmax": 2.0}, "--vmax 2 is no weight"),
        ({"top": 0}, "--top 0 shows nothing"),
        ({"top": 1, "mean": "all"}, "leave out --top or --mean"),
    ],
)
def test_what_says_nothing_of_differences_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(**given)  # type: ignore[arg-type]


def test_the_notes_say_what_is_in_one_alone_and_with_how_much_weight() -> None:
    view = made()
    [note] = [note for note in view.notes if "alone" in note]
    assert re.fullmatch(
        r"in the second text alone: so; [\d.]+ % of its weight lies there, not compared", note
    )
    assert view.missing == "in one text alone"
    weights = np.array([maps.weights for maps in SECOND.maps])[:, :, [0, 1, 2, 4, 5]]
    assert f" {weights[..., 3].sum() / weights.sum():.0%}".replace("%", " %") in note


def test_the_same_text_is_said_to_be_the_same() -> None:
    assert made(FIRST, FIRST).notes == ("one text and one model: every difference is 0",)
    other = capture_of("he was tired", model="two")
    assert made(FIRST, other).notes == ("nothing differs: every difference is 0",)


def test_the_title_names_what_differs() -> None:
    assert made().title == "one  “he was tired” → “she was so tired”"
    assert made(FIRST, capture_of("he was tired", model="two")).title == "one → two  “he was tired”"


def test_the_recipe_holds_both_samples_and_both_models() -> None:
    made_of = made(FIRST, capture_of("he was tired", model="two"), top=3).recipe
    assert made_of is not None
    assert made_of == Recipe.from_json(made_of.to_json())
    assert made_of.command == "diff"
    assert [model["name"] for model in made_of.model["models"]] == ["one", "two"]
    assert [sample["text"] for sample in made_of.sample["samples"]] == ["he was tired"] * 2
    assert made_of.style.cmap == "coolwarm"
    assert made_of.listing is not None
    assert made_of.listing.top == 3
    same = made().recipe
    assert same is not None
    assert same.model["name"] == "one"


def test_the_colour_map_of_differences_is_matplotlibs_and_ends_in_blue_and_red() -> None:
    from matplotlib import colormaps

    wanted = colormaps["coolwarm"](np.linspace(0, 1, 256), bytes=True)[:, :3]
    assert colours("coolwarm").tolist() == wanted.tolist()


def signed(weights: list[list[float]], missing: tuple[int, int] | None = None) -> Heatmap:
    computed = np.ones((len(weights), len(weights[0])), np.bool_)
    if missing:
        computed[missing] = False
    return heatmap(
        weights, tuple("abcd"[: len(weights)]), tuple("wxyz"[: len(weights[0])]), computed=computed
    )


def test_a_figure_stripes_what_is_in_one_alone_and_says_what_its_colours_are() -> None:
    result = drawn(made(heads="1.0"))
    assert keys(result) == ["[CLS]", "he→she", "was", "∅→so", "tired", "[SEP]"]
    assert "difference of weight (second - first)" in words(result)
    assert any("striped: in one text alone" in text for text in words(result))
    image = np.asarray(result.axes[0].images[0].get_array())
    cell = image.shape[1] // 6
    striped, common = image[:cell, 3 * cell : 4 * cell], image[:cell, :cell]
    assert {tuple(dot) for dot in striped.reshape(-1, 4).tolist()} == {(0, 0, 0, 0), (176, 176, 176, 255)}
    assert len(np.unique(common.reshape(-1, 4), axis=0)) == 1


def test_a_bar_too_short_for_all_its_words_has_fewer() -> None:
    view = page(signed([[0.5, -0.5]]), scale=Scale("diverging"), measured=made().measured)
    assert "second - first" in words(drawn(view))


def test_figures_of_differences_are_the_same_bytes_twice() -> None:
    view = made()
    first, second = (figure_bytes(figure(view, Style())[0], ".svg", view) for _ in range(2))
    assert first == second


def test_without_colours_signs_say_which_way() -> None:
    view = page(
        signed([[0.42, -0.42, 0.004], [-1, 0, 0.2]], (1, 2)),
        scale=Scale("diverging"), missing="in one text alone",
    )  # fmt: skip
    assert plain(view) == (
        "a model  “a text”\n"
        "\n"
        "  layer 0, head 0\n"
        "    w     x     y\n"
        "a +.42  -.42  ·\n"
        "b -1.0  ·     ╱╱╱╱╱╱\n"
        "\n"
        "  =======------·······++++++#######  attention weight\n"
        "  -1     -0.5     0     +0.5     +1\n"
        "  ╱╱ in one text alone\n"
    )


def test_narrow_cells_have_marks_in_place_of_numbers() -> None:
    row = [0.9, 0.3, 0.0, -0.3, -0.9] * 8
    view = heatmap([row], ("a",), tuple("vwxyz" * 8))
    text = plain(page(view, scale=Scale("diverging")), 60)
    assert "a #+·-=#+·-=#+·-=#+·-=#+·-=#+·-=#+·-=#+·-=\n" in text


@pytest.mark.parametrize("palette", ["truecolor", "256"])
def test_in_colours_the_numbers_have_signs_too(palette: str) -> None:
    text = ansi(page(signed([[0.42, -0.42]]), scale=Scale("diverging"), cmap="coolwarm"), colours=palette)
    assert "+.42 " in lines(text)[4]
    assert "-.42 " in lines(text)[4]


def test_the_terminal_shows_the_table_above_the_map_and_the_title_once() -> None:
    text = plain(made(), 80)
    assert text.count("he was tired") == 1
    assert text.index("difference") < text.index("layer ")
    assert text.splitlines()[2].split() == ["head", "change", "query", "key", "first", "second", "difference"]


def test_numbers_hold_both_maps_and_their_difference() -> None:
    view = made(heads="1.0")
    [entry] = json.loads(json_bytes(view))["maps"]
    assert entry["queries"] == ["[CLS]", "he→she", "was", "∅→so", "tired", "[SEP]"]
    assert entry["first"]["queries"] == ["[CLS]", "he", "was", None, "tired", "[SEP]"]
    assert entry["first"]["query_positions"] == [0, 1, 2, None, 3, 4]
    assert entry["second"]["keys"] == ["[CLS]", "she", "was", "so", "tired", "[SEP]"]
    assert entry["weights"][0][3] is None
    assert entry["first"]["weights"][0][3] is None
    first, second = (entry[side]["weights"][1][4] for side in ("first", "second"))
    assert entry["weights"][1][4] == pytest.approx(second - first, abs=1e-7)
    assert second == pytest.approx(float(SECOND.maps[1].weights[0, 1, 4]))


def test_a_csv_file_of_a_difference_has_both_sides_in_every_line() -> None:
    text = csv_bytes(made(heads="1.0")).decode().split("\n", 1)[1]
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 36
    row = rows[6 + 4]
    assert (row["query_label"], row["first_query_label"], row["second_query_label"]) == (
        "he→she",
        "he",
        "she",
    )
    assert float(row["difference"]) == pytest.approx(
        float(row["second_weight"]) - float(row["first_weight"]), abs=1e-7
    )
    assert (rows[3]["difference"], rows[3]["first_weight"], rows[3]["first_key_position"]) == ("", "", "")


def test_arrays_of_a_difference_hold_both_maps() -> None:
    arrays = np.load(io.BytesIO(npz_bytes(made(heads="1.0"))))
    difference = arrays["1.0/second/weights"] - arrays["1.0/first/weights"]
    assert np.array_equal(difference, arrays["1.0/weights"], equal_nan=True)
    assert np.isnan(difference[3]).all()
    assert arrays["1.0/first/key_positions"].tolist() == [0, 1, 2, -1, 3, 4]


def test_a_document_without_a_choice_lists_the_heads_and_every_change() -> None:
    document = json.loads(json_bytes(made(top=2)))
    assert [head["head"] for head in document["heads"]] == list(document["changes"])[:2]
    assert len(document["changes"]) == 6
    assert len(document["maps"]) == 1


def test_the_verb_makes_the_page() -> None:
    view = attnviz.diff(FIRST, SECOND, top=2)
    assert json_bytes(view) == json_bytes(made(top=2))

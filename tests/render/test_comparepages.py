import json
import math
from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.comparison import Estimate
from attnviz.captures import Capture
from attnviz.errors import SelectionError, UsageError
from attnviz.recipes import Recipe, Style
from attnviz.render.comparepages import Seen, comparison_view
from attnviz.render.figure import figure
from attnviz.render.grid import grid as printed_grid
from attnviz.render.gridfigure import grid_figure
from attnviz.render.markup import tex_table
from attnviz.render.notebook import comparison_html, comparison_png
from attnviz.render.pooling import pooled
from attnviz.render.rows import Table
from attnviz.render.table import table as printed_table
from attnviz.render.tablefiles import json_table
from attnviz.render.terminal import page as printed_page
from attnviz.render.views import HeadGrid, Page
from attnviz.wishes import WORDS
from tests.fakes import FakeSource
from tests.render.comparisons import SAME, SMALL, comparison
from tests.render.test_headfigures import drawn, inside, words
from tests.render.test_table import shown

PLAIN = Style()


def table(found=SMALL) -> Table:
    view = comparison_view(found, "matches", PLAIN)
    assert isinstance(view, Table)
    return view


def page(view: str, found=SMALL, **others) -> Page:
    made = comparison_view(found, view, PLAIN, **others)
    assert isinstance(made, Page)
    return made


def grid(found=SAME) -> HeadGrid:
    view = comparison_view(found, "change", PLAIN)
    assert isinstance(view, HeadGrid)
    return view


def seen(name: str = "text") -> Capture:
    import attnviz
    from attnviz.inputs import Sample

    return attnviz.capture(Sample("The cat sat", name=name), model=FakeSource(layers=2, heads=2), keep=WORDS)


def test_matches_worked_by_hand():
    assert (
        shown(printed_table(table()))
        == """\
A: first  B: second  1 of 4 heads of A has a match in B, over 2 samples

A    B    similarity  null  floor      q  verdict
──────────────────────────────────────────────────
0.0  0.1        0.90  0.50   0.25  0.004  match
1.1  0.2        0.70  0.50   0.25  0.004  chance
0.1  0.0        0.40  0.50   0.25  0.004  position

match: above null with q ≤ 0.05, and by more than 0.01 above floor; position: no
more alike than the head's positions alone would be; chance: not above null, or
with q above 0.05: B is as alike on another text
a note
1 head of A has no partner, as B has 3: --match nearest gives each one
a null"""
    )


def ranked(found=SAME, top: int | None = None) -> Table:
    view = comparison_view(found, "ranked", PLAIN, top=top)
    assert isinstance(view, Table)
    return view


def test_changes_are_ranked_with_their_intervals():
    sure = [
        replace(one, change=replace(one.change, low=one.change.value / 2, high=0.5)) for one in SAME.changes
    ]
    assert (
        shown(printed_table(ranked(replace(SAME, changes=tuple(sure)), top=3)))
        == """\
A: first  B: second  heads that changed most, over 2 samples

head  change    low   high  samples
───────────────────────────────────
0.1    0.250  0.125  0.500        2
1.0    0.002  0.001  0.500        2
0.0    0.000  0.000  0.500        2

3 of 4 heads, the most changed first; --top shows more
change: Jensen-Shannon distance between a head's rows in A and in B, 0 to 1, the
mean over samples; low, high: 95 % interval of the mean over samples
a note"""
    )


def test_changes_without_intervals_have_no_columns_for_them():
    text = shown(printed_table(ranked()))
    assert text.splitlines()[2].split() == ["head", "change", "samples"]
    assert text.splitlines()[7].split() == ["1.1", "-", "2"]
    assert "low" not in text


def test_the_document_of_ranked_changes_is_in_their_order():
    document = json.loads(json_table(ranked(top=2)))
    assert [one["head"] for one in document["changes"]] == ["0.1", "1.0"]
    assert document["recipe"]["listing"]["top"] == 2
    with pytest.raises(SelectionError, match="first and second do not have the same layers and heads"):
        ranked(SMALL)


def test_so_many_rows_are_of_a_table_alone():
    assert len(comparison_view(SMALL, "matches", PLAIN, top=2).rows) == 2  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="--top 2 is of rows of a table"):
        comparison_view(SMALL, "heads", PLAIN, top=2)


def test_where_changes_are_known_chance_is_said_to_be_no_change():
    other = replace(SAME, matches=tuple(replace(match, verdict="chance") for match in SAME.matches))
    assert any("do not mean that a head changed" in note for note in table(other).notes)
    assert not any(
        "do not mean that a head changed" in note for view in (table(), table(SAME)) for note in view.notes
    )


@pytest.mark.parametrize(
    ("view", "tested"),
    [("matches", True), ("heads", True), ("layers", False), ("ranked", False), ("change", False),
     ("maps", False)],
)  # fmt: skip
def test_how_matches_were_tested_is_told_where_they_are_counted(view, tested):
    made = comparison_view(SAME, view, PLAIN, Seen(seen(), seen()))
    assert "a note" in made.notes
    assert ("a null" in made.notes, "4 of 4 heads" in made.title) == (tested, tested)


def test_a_q_too_small_for_its_digits_is_no_0():
    sure = replace(SMALL.matches[0], q=0.0001)
    view = table(replace(SMALL, matches=(sure,)))
    assert "<0.001" in shown(printed_table(view)).splitlines()[4]
    assert "$<0.001$" in tex_table(view)
    assert "$\\leq$" in tex_table(view)
    assert json.loads(json_table(view))["matches"][0]["q"] == 0.0001


def test_intervals_have_columns_where_there_are_any():
    sure = replace(SMALL.matches[0], similarity=Estimate(0.9, 0.8, 0.95, 12))
    lines = shown(printed_table(table(replace(SMALL, matches=(sure,))))).splitlines()
    assert lines[2].split()[2:5] == ["similarity", "low", "high"]
    assert lines[4].split()[2:5] == ["0.90", "0.80", "0.95"]


def test_what_was_not_tested_is_called_no_match():
    untested = comparison([[0.5] * 3] * 4, pairs=[(0, 0)], verdicts=["untested"])
    assert table(untested).title.endswith("4 heads of A beside 3 of B over 2 samples: matches are not tested")


@pytest.mark.parametrize("view", ["matches", "heads"])
def test_heads_that_can_be_compared_with_none_are_not_counted(view):
    some = comparison(
        [[0.5, 0.1], [math.nan] * 2, [0.2, 0.6]], shapes=((1, 3), (1, 2)), pairs=[(0, 0), (2, 1)]
    )
    made = comparison_view(some, view, PLAIN)
    assert "2 of 2 heads of A have a match" in made.title
    assert not any("no partner" in note for note in made.notes)
    document = json.loads(json_table(table(some)))
    assert (document["matched"], document["comparable"]) == (2, 2)


@pytest.mark.parametrize("view", ["matches", "heads"])
def test_heads_that_are_left_without_a_partner_are_counted(view):
    more = comparison([[0.5]] * 4, shapes=((2, 2), (1, 1)), pairs=[(0, 0)])
    note = "3 heads of A have no partner, as B has 1: --match nearest gives each one"
    assert note in comparison_view(more, view, PLAIN).notes


def test_the_document_has_matches_by_name_all_similarities_and_null_for_what_is_missing():
    document = json.loads(json_table(table()))
    assert document["matches"][0] == {
        "first": "0.0", "second": "0.1", "similarity": 0.9, "low": None, "high": None, "samples": 2,
        "null": 0.5, "floor": 0.25, "q": 0.004, "verdict": "match",
    }  # fmt: skip
    assert document["similarity"] == [[0.1, 0.9, 0.2], [0.4, 0.3, 0.1], [0.2, 0.1, None], [0.3, 0.2, 0.7]]
    assert (document["first"], document["second"]) == (["0.0", "0.1", "1.0", "1.1"], ["0.0", "0.1", "0.2"])
    assert (document["models"], document["samples"]) == (["first", "second"], ["text-1", "text-2"])
    assert (document["measure"], document["matched"], document["changes"]) == ("js", 1, [])
    same = json.loads(json_table(table(SAME)))["changes"]
    assert same[1] == {
        "head": "0.1", "stack": "", "layer": 0, "number": 1,
        "change": 0.25, "low": None, "high": None, "samples": 2,
    }  # fmt: skip
    assert same[3]["change"] is None


def test_the_recipe_tells_models_samples_and_how_they_were_compared():
    recipe = Recipe.from_json(table(replace(SMALL, measure="cka", seed=7)).recipe_json)
    assert recipe.command == "compare"
    assert [model["name"] for model in recipe.model["models"]] == ["first", "second"]
    assert recipe.sample["samples"][0]["text"] == "One cat sat."
    assert recipe.comparing is not None
    assert (recipe.comparing.measure, recipe.comparing.seed) == ("cka", 7)


def test_columns_of_heads_stand_in_the_order_of_their_matches():
    sure = tuple(replace(match, verdict="match") for match in SMALL.matches)
    [heatmap] = page("heads", replace(SMALL, matches=sure)).heatmaps
    assert heatmap.key_labels == ("0.1", "0.0", "0.2")
    assert heatmap.query_labels == ("0.0", "0.1", "1.0", "1.1")
    np.testing.assert_allclose(heatmap.weights[0], [0.9, 0.1, 0.2])
    assert not heatmap.painted[2, 2]
    assert heatmap.painted.sum() == 11


def test_columns_of_heads_stand_in_their_own_order_where_few_have_a_match():
    made = page("heads")
    assert made.heatmaps[0].key_labels == ("0.0", "0.1", "0.2")
    assert made.notes[0] == (
        "columns: the heads of B in their own order, as fewer than half of A have a match"
    )


def test_a_layer_is_as_alike_as_its_heads_to_the_most_alike_heads_of_the_other():
    [heatmap] = page("layers").heatmaps
    assert (heatmap.query_labels, heatmap.key_labels) == (("0", "1"), ("0",))
    np.testing.assert_allclose(heatmap.weights[:, 0], [(0.9 + 0.4) / 2, (0.2 + 0.7) / 2])


def test_all_heads_have_dots_on_matches_and_lines_between_layers():
    [heatmap] = page("heads").heatmaps
    matches = {(match.first.name, match.second.name) for match in SMALL.matches if match.verdict == "match"}
    labels = heatmap.query_labels, heatmap.key_labels
    assert {(labels[0][row], labels[1][column]) for row, column in heatmap.marked} == matches != set()
    assert heatmap.divided == ((2,), ())
    made = drawn(figure(page("heads"), PLAIN))
    assert "dot: a match" in " ".join(words(made))
    lines = [line for axes in made.axes for line in axes.lines]
    assert [list(line.get_ydata()) for line in lines] == [[1.5, 1.5]]


def test_layers_have_their_numbers_in_the_cells():
    assert {"0.65", "0.45"} <= set(words(drawn(figure(page("layers"), PLAIN))))
    assert "0.90" not in words(drawn(figure(page("heads"), PLAIN)))


def test_a_figure_of_all_heads_says_what_its_colours_rows_and_columns_are():
    made = drawn(figure(page("heads"), PLAIN))
    assert inside(made)
    assert {"A", "B", "0.0", "1.1", "every head of A beside every head of B"} <= set(words(made))
    assert any(word.startswith("similarity") for word in words(made))


def test_very_many_heads_are_shown_with_the_largest_of_those_put_together():
    values = np.full((144, 144), 0.1)
    values[np.arange(144), np.arange(144)[::-1]] = 0.9
    pairs = [(head, 143 - head) for head in range(144)]
    many = page("heads", comparison(values, pairs=pairs, shapes=((12, 12), (12, 12))))
    made = drawn(figure(many, PLAIN))
    assert inside(made)
    assert "pooled" not in " ".join(words(made))
    assert set(pooled(many.heatmaps[0], 32).weights.ravel().tolist()) == {np.float32(0.1), np.float32(0.9)}
    text = shown(printed_page(many), 80)
    assert "heads to a cell (the largest of them is shown)" in text
    diagonal = [line for line in text.splitlines() if "██" in line or "▓▓" in line]
    assert len(diagonal) >= 20
    assert max(map(len, text.splitlines())) <= 80


def test_changes_are_a_grid_with_the_head_that_changed_most():
    view = grid()
    assert view.stacks[0].values[0].tolist() == [0.0, 0.25]
    assert math.isnan(view.stacks[0].values[1, 1])
    assert view.scale.vmax == pytest.approx(0.3)
    assert view.notes[0] == "most changed: head 0.1, 0.250"
    assert "layer 0 ·.00 █.25" in shown(printed_grid(view))
    assert inside(drawn(grid_figure(view, PLAIN)))


def test_where_nothing_changed_no_head_is_named_as_the_one_that_did():
    same = comparison(np.eye(4), shapes=((2, 2), (2, 2)), changes=[0.0, 0.0004, 0.0, math.nan])
    assert grid(same).notes[0] == "nothing changed: no change reaches 0.001"


def test_small_changes_have_a_third_digit():
    small = comparison(np.eye(4), shapes=((2, 2), (2, 2)), changes=[0.0, 0.021, 0.002, math.nan])
    assert ".021" in shown(printed_grid(grid(small)))


def test_models_with_other_heads_have_no_changes():
    with pytest.raises(SelectionError, match="first and second do not have the same layers and heads"):
        grid(SMALL)


def test_the_maps_of_a_match_stand_side_by_side():
    made = page("maps", SAME, seen=Seen(seen(), seen()))
    assert [heatmap.name for heatmap in made.heatmaps][:2] == ["A.0.0", "B.0.0"]
    assert [heatmap.title for heatmap in made.heatmaps][:2] == ["A 0.0", "B 0.0, similarity 1.00"]
    assert made.measured == "attention weight"
    assert made.title == "A: first  B: second  “The cat sat”"
    boxes = [axes.get_position() for axes in drawn(figure(made, PLAIN)).axes[:4]]
    assert boxes[0].y0 == pytest.approx(boxes[1].y0)
    assert boxes[0].x0 < boxes[1].x0


def test_maps_of_the_best_and_of_the_worst_matches_are_shown():
    values = np.diag(np.linspace(0.1, 0.8, 8))
    many = comparison(values, pairs=[(head, head) for head in range(8)], shapes=((4, 2), (4, 2)))
    from attnviz import capture

    four = capture("The cat sat", model=FakeSource(layers=4, heads=2), keep=WORDS)
    made = page("maps", many, seen=Seen(four, four))
    assert [heatmap.name for heatmap in made.heatmaps][::2] == ["A.3.1", "A.3.0", "A.0.1", "A.0.0"]
    assert made.notes[0].endswith("the 2 most alike, then the 2 least alike")


def test_maps_need_captures_that_hold_them():
    with pytest.raises(UsageError, match="drawn from captures"):
        page("maps", SAME)
    with pytest.raises(
        SelectionError, match=r"no map of head 0\.0 of text was kept: capture it again with --keep"
    ):
        page("maps", SAME, seen=Seen(replace(seen(), words=()), seen()))  # type: ignore[arg-type]


def test_a_view_that_is_not_there_is_refused():
    with pytest.raises(
        UsageError, match="--view 'best' is none of matches, ranked, heads, layers, change, maps"
    ):
        comparison_view(SMALL, "best", PLAIN)


def test_names_of_models_are_data():
    harmful = comparison([[0.5] * 3] * 4, names=("\x1b[31m<b>", "$x$"), pairs=[(0, 0)])
    text = shown(printed_table(table(harmful)))
    assert "\x1b" not in text
    assert "<b>" not in comparison_html(harmful)


def test_a_notebook_shows_a_picture_of_all_heads_and_the_matches():
    html = comparison_html(SMALL)
    assert html == SMALL._repr_html_()
    assert 'src="data:image/png;base64,' in html
    assert ">position</td>" in html
    assert SMALL._repr_png_() == comparison_png(SMALL)
    assert comparison_png(SMALL).startswith(b"\x89PNG")

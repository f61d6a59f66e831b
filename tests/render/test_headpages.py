import math

import pytest

from attnviz.analysis.summary import Summary, summary
from attnviz.captures import Head
from attnviz.facts import LayerFacts
from attnviz.recipes import Choice, Listing, Style
from attnviz.render.headpages import head_grid, head_table
from attnviz.render.rows import HeadTable
from attnviz.render.views import HeadGrid
from tests.analysis.heads import MISSING, facts, seen, several


def table(found: Summary, style: Style = Style(), **listing: object) -> HeadTable:
    return head_table(found, Choice(), Listing(**listing), style)  # type: ignore[arg-type]


def grid(found: Summary, style: Style = Style(), **listing: object) -> HeadGrid:
    return head_grid(found, Choice(), Listing(**listing), style)  # type: ignore[arg-type]


def test_statistics_without_any_value_have_no_column_and_those_spoken_of_have_one():
    found = summary([seen({"previous": [0.1, 0.2, 0.3], "duplicate": [MISSING] * 3})])
    assert table(found).columns == ("head", "pattern", "score", "previous", "evidence")
    spoken = table(found, where="previous.rows>2", sort="duplicate")
    assert spoken.columns == (
        "head", "pattern", "score", "previous", "duplicate", "previous.rows", "evidence",
    )  # fmt: skip


def test_the_notes_say_how_many_heads_there_are_and_what_they_do():
    found = summary([seen({"previous": [0.9, 0.8, 0.1]}, baselines={"previous": [0.1] * 3}, notes=("cut",))])
    assert table(found).notes == ("3 heads: 2 previous, 1 mixed", "cut")
    assert table(found, where="previous>0.5", sort="-previous", top=1).notes[0] == (
        "1 of 3 heads where previous>0.5, by previous, the smallest first: 1 previous"
    )
    assert table(found, where="previous>2").notes[0] == "0 of 3 heads where previous>2"


def test_over_samples_the_numbers_used_and_the_intervals_are_told():
    few = summary(
        [seen({"previous": [0.1] * 3}, name="a", notes=("cut",)), seen({"next": [0.1] * 3}, name="b")]
    )
    assert table(few).title == "small  mean over 2 samples"
    assert table(few).notes[1:] == (
        "no intervals: they take at least 10 samples, and these are 2",
        "samples with a value: previous in 1, next in 1, the others in all 2",
        "a: cut",
    )
    many = table(summary(several(10), seed=5), seed=5)
    assert many.columns[:4] == ("head", "pattern", "score", "score.interval")
    assert many.columns[-1] == "evidence.sample"
    assert many.notes[1].endswith("2,000 times 10 samples drawn again, seed 5")


def test_of_many_notes_on_samples_the_first_are_shown():
    found = summary([seen({"previous": [0.1] * 3}, name=f"t{n}", notes=("cut",)) for n in range(9)])
    assert table(found).notes[-4:] == (
        "t0: cut",
        "t1: cut",
        "t2: cut",
        "and 6 more such notes: see the recipe",
    )


def test_windows_are_told():
    windowed = facts((LayerFacts("", 0, 2, window=5), LayerFacts("", 1, 1)))
    notes = table(summary([seen({"previous": [0.1] * 3}, model=windowed)])).notes
    assert notes[1] == "* sees at most 5 keys: its pattern may be the window's"


def test_a_recipe_has_the_texts_of_all_samples_and_the_listing():
    made = table(summary(several(2)), sort="previous").recipe
    assert made is not None
    assert [sample["text"] for sample in made.sample["samples"]] == ["what text-1 says", "what text-2 says"]
    assert made.listing == Listing(sort="previous")


def test_a_grid_has_every_head_in_its_place_and_none_where_there_is_none():
    stack = grid(summary([seen({"previous": [0.1, 0.2, 0.3]})]), grid="previous").stacks[0]
    assert stack.layers == (0, 1)
    assert stack.values[0].tolist() == [0.1, 0.2]
    assert stack.values[1][0] == 0.3
    assert math.isnan(stack.values[1][1])


def test_heads_that_are_not_shown_are_blank_and_so_are_whole_stacks_left_out():
    heads = (Head("encoder", 0, 0), Head("encoder", 0, 1), Head("cross", 0, 0))
    model = facts((LayerFacts("encoder", 0, 2), LayerFacts("cross", 0, 1)))
    found = summary([seen({"focus": [0.1, 0.2, 0.3]}, heads=heads, model=model)])
    assert [stack.name for stack in grid(found, grid="focus").stacks] == ["encoder", "cross"]
    [stack] = grid(found, grid="focus", where="focus<0.15").stacks
    assert stack.name == "encoder"
    assert math.isnan(stack.values[0][1])


@pytest.mark.parametrize(
    ("highest", "top"), [(0.3, 0.3), (1.0, 1.0), (7.2, 8), (12.1, 16), (310, 400), (9.9, 10)]
)
def test_the_scale_of_a_statistic_in_units_ends_at_a_round_number(highest, top):
    found = summary([seen({"distance": [highest, 0.1, MISSING]})])
    assert grid(found, grid="distance").scale.vmax == pytest.approx(top)
    assert grid(found, grid="distance").measured == "distance, tokens"


def test_the_scale_of_a_share_is_fixed():
    found = summary([seen({"focus": [0.1, 0.2, 0.1]})])
    assert grid(found, grid="focus").scale.vmax == 1
    assert grid(found, Style(vmax=0.5), grid="focus").scale.vmax == 0.5

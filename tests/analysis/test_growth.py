"""How statistics of heads grow over a training."""

import math

import pytest

from attnviz.analysis.growth import Growth, Moment, turned
from attnviz.captures import Head
from attnviz.errors import InputError
from attnviz.facts import ModelFacts
from attnviz.metrics import METRICS
from attnviz.recipes import Listing, Style
from attnviz.render.growthpages import bars, growth_chart
from attnviz.render.rows import HeadRow, Statistic

STEPS = (0, 10, 100, 1000)
NAN = math.nan


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        ([0.1, 0.1, 0.7, 0.9], 100),
        ([0.1, 0.9, 0.2, 0.9], 1000),  # it fell back in between
        ([0.9, 0.6, 0.4, 0.1], 100),  # downwards
        ([0.1, 0.9, 0.9, 0.9], 10),
        ([NAN, 0.1, NAN, 0.9], 1000),
        ([0.5, 0.9, 0.1, 0.5], None),
        ([NAN, NAN, NAN, 0.5], None),
    ],
)
def test_a_course_turns_where_it_stays_beyond_half_of_its_way(
    course: list[float], expected: int | None
) -> None:
    assert turned(STEPS, course) == expected


def test_a_head_that_hardly_changed_turned_nowhere() -> None:
    rows = growth_chart(GROWN, Listing(columns="induction,previous"), Style()).tables[0].rows
    assert [row[4] for row in rows] == [100, None]  # from 0.15 to 0.2


def test_bars_fill_from_nothing_to_all() -> None:
    assert bars([0, 0.125, 0.5, 1, 2, NAN], 1.0) == " ▁▄██·"


def row(head: int, induction: float, previous: float = 0.1, pattern: str = "mixed") -> HeadRow:
    found = {name: Statistic() for name in METRICS} | {"previous": Statistic(previous, 0.05, 9, 1)}
    return HeadRow(
        Head("", 0, head), pattern, 0.5, "", found | {"induction": Statistic(induction, 0.02, 9, 1)}
    )


def growth(*moments: tuple[HeadRow, ...]) -> Growth:
    facts = ModelFacts("mine", "builtin", (), "f4ce")
    return Growth(facts, tuple(map(Moment, STEPS, moments)), "1 text", {}, {})


GROWN = growth(
    (row(0, 0.0), row(1, 0.15)),
    (row(0, 0.1), row(1, 0.2)),
    (row(0, 0.8), row(1, 0.2)),
    (row(0, 0.9, pattern="induction"), row(1, 0.2)),
)


def test_the_statistic_that_heads_came_to_be_called_after_is_drawn() -> None:
    chart = growth_chart(GROWN, Listing(), Style())
    [plot] = chart.plots
    assert plot.title == "induction"
    assert plot.scales == ("symlog", "linear")
    assert plot.curves[0].name == "0.0"
    assert plot.curves[0].y == (0.0, 0.1, 0.8, 0.9)
    [table] = chart.tables
    assert table.rows[0] == ("0.0", " ▁▆▇", 0.0, 0.9, 100, 0.02, "induction")
    assert "step 0: 2 mixed" in chart.notes
    assert "step 1,000: 1 induction, 1 mixed" in chart.notes
    assert len(chart.numbers.rows) == len(STEPS) * 2


def test_heads_are_chosen_as_they_are_at_the_last_step() -> None:
    chart = growth_chart(GROWN, Listing(where="induction<0.5", columns="previous,induction", top=1), Style())
    assert [plot.title for plot in chart.plots] == ["previous", "induction"]
    assert [curve.faint for curve in chart.plots[0].curves] == [False, True]  # the other one stays, grey
    assert [table.rows[0][0] for table in chart.tables] == ["0.1", "0.1"]


def test_of_several_statistics_the_foremost_heads_of_each_have_colours() -> None:
    rows = tuple(row(head, *found) for head, found in enumerate([(0.1, 0.6), (0.9, 0.1), (0.2, 0.7)]))
    chart = growth_chart(growth(rows), Listing(columns="previous,induction", top=2), Style())
    coloured = [{curve.name for curve in plot.curves if not curve.faint} for plot in chart.plots]
    assert coloured == [{"0.1", "0.2"}] * 2
    assert [table.rows[0][0] for table in chart.tables] == ["0.2", "0.1"]


def test_models_with_other_heads_are_of_no_one_training() -> None:
    with pytest.raises(InputError, match="of no one training"):
        growth((row(0, 0.1),), (row(0, 0.1), row(1, 0.1)))

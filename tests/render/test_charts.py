"""Curves as figures: every artist is where the record says."""

import math

import pytest

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.chartfigure import chart_figure
from attnviz.render.plots import Chart, Curve, Plot
from attnviz.render.prose import alternative_text
from attnviz.render.rows import Table

STEEP = Curve("steep", (1, 10, 100), (1, 100, 10_000), (0.5, 90, 9000), (2, 110, 11_000))
FLAT = Curve("flat", (1, 10, 100), (5, 5, math.nan))
MANY = Curve("one of many", (1, 100), (1, 1), faint=True)


def chart(*plots: Plot) -> Chart:
    return Chart("a chart of $x$", plots, (), Table("", "rows", (), ()), ("a note",))


def test_curves_marks_ranges_and_axes_are_as_the_record_says() -> None:
    logs = Plot("time", (STEEP, FLAT, MANY), "tokens", "ms", ("log", "log"), (1, 10, 100))
    drawn, notes = chart_figure(chart(logs), Style())
    [axes] = drawn.axes
    assert notes == ()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "10", "100"]
    assert [next(iter(line.get_ydata())) for line in axes.get_lines()] == [1, 1, 5]  # faint ones lie behind
    assert len(axes.collections) == 1  # a range
    assert axes.get_ylim()[0] < 0.5
    assert axes.get_ylim()[1] > 11_000
    words = [text.get_text() for text in drawn.texts]
    assert {"a chart of $x$", "time", "tokens", "ms", "steep", "flat", "a note"} <= set(words)
    assert "one of many" not in words


def test_a_curve_has_one_look_in_all_plots() -> None:
    first, second = Plot("a", (STEEP, FLAT), "x", "y"), Plot("b", (FLAT,), "x", "y", span=(0, 10))
    drawn, _ = chart_figure(chart(first, second), Style())
    one, other = drawn.axes
    assert one.get_lines()[1].get_color() == other.get_lines()[0].get_color()
    assert one.get_lines()[0].get_marker() != one.get_lines()[1].get_marker()
    assert other.get_ylim() == (0, 10)


def test_a_width_without_room_is_refused() -> None:
    plots = (Plot("a", (FLAT,), "x", "y"),) * 3
    with pytest.raises(UsageError, match="a figure 3 inches wide has no room for 3 plots"):
        chart_figure(chart(*plots), Style(width=3))


def test_the_alternative_text_says_where_curves_begin_and_end() -> None:
    told = alternative_text(chart(Plot("time", (STEEP, FLAT), "tokens", "ms")))
    assert told == (
        "a chart of $x$. Time, ms by tokens: steep from 1 at 1 to 1e+04 at 100; flat from 5 at 1 to 5 at 10."
    )


def test_ranges_have_as_many_entries_as_the_curve() -> None:
    with pytest.raises(ValueError, match="a curve of 2 x has 1 low"):
        Curve("", (1, 2), (1, 2), (1,), (2, 3))

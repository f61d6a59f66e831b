"""What few heads do worse than many, and how different heads are."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from attnviz.analysis.shares import Share
from attnviz.analysis.sweep import Sweep, Trained, counted, distance, lacks
from attnviz.builtin.outcome import Figure
from attnviz.recipes import Style
from attnviz.render.sweeppages import sweep_chart

PATTERNS: Mapping[str, int] = {"previous": 3, "mixed": 1}


def trained(heads: int, hits: int, errors: int) -> Trained:
    figures = (
        Figure("verb-subject", Share(hits, 100), head="1.0"),
        Figure("errors", Share(errors, 100), at_most=True),
    )
    return Trained(heads, hits / 100, figures, PATTERNS, apart=0.5)


def swept(*models: Trained) -> Sweep:
    task = {"schedule": {"steps": 60, "seed": 3}}
    return Sweep("encoder", task, models, texts=20)


def test_only_what_is_surely_worse_is_lacking() -> None:
    """Wilson's intervals: 40 of 100 reaches 0.50, and 50 of 100 begins at 0.40, 60 of 100 at 0.502."""
    assert lacks(swept(trained(1, 40, 10), trained(4, 50, 10))) == ()
    [lack] = lacks(swept(trained(1, 40, 10), trained(4, 61, 10), trained(8, 50, 10)))
    assert (lack.what, lack.best, lack.found.value) == ("verb-subject", 4, 0.61)


def test_where_less_is_better_the_fewest_lack_by_having_more() -> None:
    [lack] = lacks(swept(trained(1, 50, 60), trained(4, 50, 20)))
    assert (lack.what, lack.best) == ("errors", 4)


def test_the_distance_is_that_of_different_heads() -> None:
    similarity = np.array([[1, 0.5, 0.25], [0.5, 1, 0.75], [0.25, 0.75, 1]])
    assert distance(similarity) == pytest.approx(0.5)
    assert math.isnan(distance(np.ones((1, 1))))


def test_words_are_counted_in_their_order() -> None:
    assert counted(["mixed", "first", "mixed"], ("previous", "first", "mixed")) == {"first": 1, "mixed": 2}


def test_points_at_nothing_and_at_all_lie_inside_the_frame() -> None:
    for plot in sweep_chart(swept(trained(1, 0, 10), trained(4, 100, 10)), Style()).plots:
        assert plot.span is not None
        low, high = plot.span
        assert low < 0
        assert high > 1


def test_a_chart_says_what_a_single_head_does_worse() -> None:
    chart = sweep_chart(swept(trained(1, 40, 10), trained(4, 61, 10)), Style())
    assert chart.title == "encoder with 1, 4 heads a layer, 60 steps each, seed 3"
    assert chart.notes[0].startswith(
        "one head is surely worse than the best at verb-subject (0.40, 4 heads 0.61)"
    )
    asked, heads = chart.tables
    assert asked.rows[1] == ("verb-subject", 0.4, 0.61, "surely worse")
    assert asked.rows[2] == ("errors", 0.1, 0.1, "")
    assert heads.rows[0] == (1, 0.5, "3 previous, 1 mixed")
    curve = chart.plots[0].curves[1]
    assert (curve.name, curve.x, curve.y) == ("verb-subject", (1, 4), (0.4, 0.61))

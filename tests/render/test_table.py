import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from attnviz.metrics import METRICS
from attnviz.render.grid import grid as printed_grid
from attnviz.render.sheets import sheet
from attnviz.render.table import explanation, fitted
from attnviz.render.table import table as printed_table
from tests.render.drawings import HARMFUL, WIDE
from tests.render.headviews import ROWS, big, grid, row, table


def shown(renderable: Any, width: int = 80, **options: Any) -> str:
    console = Console(file=io.StringIO(), width=width, **options)
    console.print(renderable, crop=False)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]


def fitting(view: Any, columns: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shown, dropped = fitted(sheet(view), columns)
    return tuple(each.name for each in shown), dropped


def test_a_table_worked_by_hand():
    assert (
        shown(printed_table(table(notes=("2 heads",))))
        == """\
a model  “a text”

head   pattern   score  focus  dist  prev  first  sep  strongest pair
─────────────────────────────────────────────────────────────────────
3.5    previous   0.93   0.80   1.2  0.93   0.00    -  0.74 it → cat
3.11*  mixed         -   0.15  12.4  0.04   0.50    -  0.74 it → cat

2 heads"""
    )


@pytest.mark.parametrize("columns", [20, 31, 40, 60, 80, 160])
def test_no_line_is_longer_than_the_terminal_and_what_is_left_out_is_told(columns):
    view = table(*ROWS, row("10.10", query="x" * 40, key="猫" * 30, previous=0.5, focus=0.1))
    text = shown(printed_table(view), columns)
    assert max(map(cell_len, text.splitlines())) <= columns
    kept, dropped = fitting(view, columns)
    assert set(kept) | set(dropped) == set(view.columns)
    assert kept[0] == "head"
    assert ("not shown:" in text) == bool(dropped)
    assert " ".join(text.split()).endswith("; --columns shows them") == bool(dropped)


def test_what_tells_least_goes_first_and_what_the_rows_were_chosen_by_goes_last():
    view = table()
    assert fitting(view, 69)[1] == ()
    assert fitting(view, 68)[1] == ("previous",)
    assert fitting(view, 60)[1] == ("previous", "separator")
    assert fitting(view, 24)[0] == ("head", "pattern", "score")
    sorted_by = table(kept=("previous",))
    assert "previous" in fitting(sorted_by, 40)[0]
    assert "evidence" not in fitting(sorted_by, 40)[0]


def test_columns_that_were_asked_for_are_all_shown():
    view = table(columns=("head", *METRICS, "evidence"), asked=True)
    assert fitting(view, 30) == (view.columns, ())
    assert "sink" in shown(printed_table(view), 30)


def test_intervals_baselines_rows_and_offsets_have_columns():
    columns = (
        "head",
        "previous",
        "previous.baseline",
        "previous.rows",
        "previous.interval",
        "positional.offset",
    )
    assert "3.5    0.93       0.23          7          -  -1" in shown(printed_table(table(columns=columns)))


@pytest.mark.parametrize("token", [*HARMFUL, *WIDE])
def test_a_token_is_data_and_moves_no_other_column(token):
    text = shown(printed_table(table(row(query=token, key="b", previous=0.9), ROWS[1])))
    lines = text.splitlines()
    assert "\x1b" not in text
    assert lines[4].index("0.74") == lines[5].index("0.74")
    assert cell_len(lines[4]) <= 80


def test_the_number_that_a_head_is_called_after_is_bold():
    text = shown(printed_table(table()), force_terminal=True, color_system="truecolor")
    line = next(line for line in text.splitlines() if line.startswith("3.5"))
    assert line.count("\x1b[1m0.93") == 1


def test_a_table_without_rows_says_so():
    text = shown(
        printed_table(table(notes=("0 of 2 heads where layer>9",)).__class__("t", (), ("head", "focus")))
    )
    assert "head  focus" in text


def test_every_statistic_is_explained_with_its_formula_rows_and_source():
    text = " ".join(shown(explanation(), 200).split())
    for metric in METRICS.values():
        assert f"{metric.name} = {metric.of_row} " in text
        assert metric.rows in text
        assert metric.source in text
    assert "at least 0.4 and at least 3 times" in text


def test_a_grid_worked_by_hand():
    assert (
        shown(printed_grid(grid(notes=("a note",))))
        == """\
a model  “a text”

   head   0    1    2
layer 0 ·.00 ·.17 ░.33
layer 1 ▒.50 ▓.67

        ·······░░░░░░▒▒▒▒▒▒▒▓▓▓▓▓▓███████  previous
        0      0.25    0.5    0.75      1
a note"""
    )


@pytest.mark.parametrize("columns", [12, 40, 80, 200])
def test_a_grid_has_a_line_a_layer_for_as_many_heads_as_fit(columns):
    text = shown(printed_grid(grid(("", 3, 64))), columns)
    assert max(map(cell_len, text.splitlines())) <= columns
    bands = text.count("head")
    assert text.count("layer 2") == bands
    assert (bands == 1) == (columns >= 136)


def test_stacks_are_apart_and_named():
    text = shown(printed_grid(grid(("encoder", 2, 3), ("cross", 1, 3))))
    assert text.index("encoder") < text.index("cross")
    assert text.count("layer 0") == 2


def test_a_statistic_in_units_has_its_numbers_in_the_cells():
    from attnviz.render.views import Scale

    view = grid(("", 2, 3), metric="distance", scale=Scale(vmax=4))
    assert "0.7" in shown(printed_grid(view))


def test_a_large_table_is_printed_whole():
    assert shown(printed_table(big(32, 32))).count("\n") > 1024

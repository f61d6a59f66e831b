import csv
import io
import json
import math
from dataclasses import replace

import pytest
from matplotlib.patches import Rectangle
from rich.cells import cell_len

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.files import TABLE_FORMATS, formats_of, save
from attnviz.render.markup import markdown_table, tex_table
from attnviz.render.notebook import table_html
from attnviz.render.rows import Cell, Column, Table
from attnviz.render.table import table as printed_table
from attnviz.render.tablefigure import table_figure
from attnviz.render.tablefiles import csv_table, json_table
from tests.render.drawings import HARMFUL, WIDE
from tests.render.headviews import RECIPE
from tests.render.test_headfigures import drawn, inside, words
from tests.render.test_table import shown

COLUMNS = (
    Column("first", "A", "text"),
    Column("share", "share", tinted=True),
    Column("share.low", "low", rank=2),
    Column("q", "q", digits=3, rank=1),
    Column("count", "n", "whole", rank=3),
    Column("word", "word", "token", rank=4),
    Column("sample", "sample", "token", shown=False),
)
ROWS: tuple[tuple[Cell, ...], ...] = (
    ("3.5", 0.9312345678, 0.5, 0.0004, 1200, "猫", "text-1"),
    ("3.11", math.nan, None, -0.25, 7, "it is", "text-2"),
)


def found(*rows: tuple[Cell, ...], notes: tuple[str, ...] = ("2 findings",)) -> Table:
    return Table(
        "a model", "findings", COLUMNS, rows or ROWS, notes, {"counts": {"all": math.nan}}, recipe=RECIPE
    )


def test_rows_worked_by_hand():
    assert (
        shown(printed_table(found()))
        == """\
a model

A     share   low       q     n  word
──────────────────────────────────────
3.5    0.93  0.50   0.000  1200  猫
3.11      -     -  -0.250     7  it is

2 findings"""
    )


def test_the_columns_of_the_largest_rank_leave_first_and_those_of_none_never():
    def heads(columns: int) -> str:
        return shown(printed_table(found()), columns).splitlines()[2]

    assert heads(37).split() == ["A", "share", "low", "q", "n"]
    assert heads(30).split() == ["A", "share", "low", "q"]
    assert heads(20).split() == ["A", "share", "q"]
    assert heads(12).split() == ["A", "share"]
    assert "not shown: count, word; files hold them" in " ".join(shown(printed_table(found()), 30).split())


@pytest.mark.parametrize("token", [*HARMFUL, *WIDE, "x" * 300])
def test_a_foreign_text_is_data_and_is_cut_where_a_number_never_is(token):
    text = shown(printed_table(found((*ROWS[0][:5], token, token), ROWS[1])), 60)
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= 60
    assert lines[4].startswith("3.5    0.93  0.50   0.000  1200")
    assert "\x1b" not in text


def test_two_columns_of_foreign_texts_share_the_room():
    view = found((*ROWS[0][:5], "x" * 90, "y" * 90), ROWS[1])
    both = replace(view, columns=(*COLUMNS[:-1], replace(COLUMNS[-1], shown=True)))
    line = shown(printed_table(both), 110).splitlines()[4]
    assert cell_len(line) == 110
    assert line.count("…") == 2
    assert abs(line.count("x") - line.count("y")) <= 1


def test_a_document_has_every_column_and_null_for_what_is_missing():
    document = json.loads(json_table(found()))
    assert (document["schema"], document["title"], document["notes"]) == (1, "a model", ["2 findings"])
    assert document["counts"] == {"all": None}
    assert document["findings"][0]["share"] == 0.931235
    assert document["findings"][1] == {
        "first": "3.11", "share": None, "share.low": None, "q": -0.25, "count": 7, "word": "it is",
        "sample": "text-2",
    }  # fmt: skip


def test_csv_has_every_column_under_the_line_with_the_recipe():
    recipe, rest = csv_table(found()).split("\n", 1)
    assert recipe == f"# {RECIPE.to_json()}"
    first, second = csv.DictReader(io.StringIO(rest, newline=""))
    assert (first["share"], first["count"], first["sample"]) == ("0.931235", "1200", "text-1")
    assert (second["share"], second["share.low"]) == ("", "")


def test_markdown_and_tex_have_what_people_see():
    markdown, tex = markdown_table(found()), tex_table(found())
    assert "| 3.11 | - | - | -0.250 | 7 | `it is` |\n" in markdown
    assert "| :--- | ---: | ---: | ---: | ---: | :--- |\n" in markdown
    assert "3.11 & -- & -- & $-0.250$ & 7 & \\texttt{it is} \\\\\n" in tex
    assert "\\begin{tabular}{@{}lrrrrl@{}}" in tex
    assert "text-1" not in markdown + tex


def test_a_figure_tints_the_numbers_that_are_shares_alone():
    figure = drawn(table_figure(found(), Style()))
    assert inside(figure)
    assert {"a model", "A", "3.11", "0.93", "1200", "it is", "2 findings"} <= set(words(figure))
    assert len([patch for patch in figure.findobj(Rectangle) if patch.get_zorder() == 0]) == 1


def test_too_many_rows_for_a_picture_are_for_numbers():
    with pytest.raises(UsageError, match=r"257 findings are too many .* write \.csv, \.json, \.md or \.tex"):
        table_figure(found(*ROWS[:1] * 257), Style())
    with pytest.raises(UsageError, match="make it wider with --width"):
        table_figure(found(), Style(width=0.5))


@pytest.mark.parametrize("suffix", TABLE_FORMATS)
def test_a_table_of_rows_is_the_same_bytes_twice(suffix, tmp_path):
    path = tmp_path / f"found{suffix}"
    save(found(), path, Style())
    first = path.read_bytes()
    assert first.startswith(formats_of(Table)[suffix].openings)
    save(found(), path, Style())
    assert path.read_bytes() == first


def test_a_notebook_shows_rows_in_which_texts_are_data():
    html = table_html(found((*ROWS[0][:5], "<b>", "")))
    assert html == found((*ROWS[0][:5], "<b>", ""))._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_a_table_without_rows_is_printed():
    assert "A  share" in shown(printed_table(replace(found(), rows=())))

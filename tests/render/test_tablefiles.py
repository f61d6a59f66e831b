import csv
import io
import json
import re
from dataclasses import replace

import pytest

from attnviz.metrics import METRICS
from attnviz.recipes import Recipe, Style
from attnviz.render.files import GRID_FORMATS, TABLE_FORMATS, save
from attnviz.render.markup import markdown_table, tex_table
from attnviz.render.notebook import table_html
from attnviz.render.rows import Statistic
from attnviz.render.tablefiles import csv_grid, csv_table, json_grid, json_table
from attnviz.render.tex import tex
from tests.render.drawings import HARMFUL, WIDE
from tests.render.headviews import RECIPE, ROWS, grid, row, table

NASTY = (
    *HARMFUL,
    *WIDE,
    "a|b",
    "`",
    "``",
    "\\|",
    "$x$",
    "%",
    "&",
    "_",
    "^",
    "~",
    "{}",
    "-->",
    "--",
    '"',
    "<",
    "",
)


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.split("\n", 1)[1], newline="")))


def test_a_json_document_has_everything_of_each_head_whatever_is_shown():
    document = json.loads(json_table(table(ROWS[1], columns=("head",), asked=True, notes=("a note",))))
    assert (document["schema"], document["recipe"], document["notes"]) == (1, RECIPE.entries(), ["a note"])
    [head] = document["heads"]
    assert (head["head"], head["stack"], head["layer"], head["number"]) == ("3.11", "", 3, 11)
    assert head["pattern"] == {"name": "mixed", "score": None, "statistic": None}
    assert head["window"] == 128
    assert head["evidence"]["key"] == "cat"
    previous = {"value": 0.04, "baseline": 0.01, "rows": 7, "samples": 1, "low": None, "high": None}
    assert head["statistics"]["previous"] == previous


def test_a_csv_table_has_everything_or_what_was_asked_for():
    found = lines(csv_table(table()))
    assert found[0]["previous"] == "0.93"
    assert found[0]["previous.rows"] == "7"
    assert found[0]["separator"] == ""
    assert found[1]["score"] == ""
    assert found[0]["evidence.query"] == "it"
    assert set(METRICS) < set(found[0])
    assert "previous.low" not in found[0]
    assert "previous.low" in lines(csv_table(table(samples=10)))[0]
    asked = table(columns=("head", "previous", "previous.interval", "evidence"), asked=True)
    assert lines(csv_table(asked))[0] == {
        "head": "3.5", "previous": "0.93", "previous.low": "", "previous.high": "",
        "evidence": "0.74 it → cat",
    }  # fmt: skip


@pytest.mark.parametrize("token", NASTY)
def test_every_token_is_read_back_from_csv_and_json_as_it_was(token):
    view = table(row(query=token, key=token, previous=0.9))
    assert lines(csv_table(view))[0]["evidence.key"] == token
    assert json.loads(json_table(view))["heads"][0]["evidence"]["query"] == token


def test_a_markdown_table_worked_by_hand():
    view = table(ROWS[0], columns=("head", "previous", "separator", "evidence"), notes=("1 head_",))
    assert markdown_table(view).split("\n", 2)[2] == (
        "**`a model  “a text”`**\n\n"
        "| head | prev | sep | strongest pair |\n"
        "| :--- | ---: | ---: | :--- |\n"
        "| 3.5 | 0.93 | - | 0.74 `it` → `cat` |\n\n"
        "- 1 head\\_\n"
    )


@pytest.mark.parametrize("token", NASTY)
def test_no_token_is_markup_in_markdown(token):
    text = markdown_table(table(row(query=token, key="b", previous=0.9)))
    [line] = [line for line in text.splitlines() if line.startswith("| 3.5")]
    outside = re.sub(r"`[^`]*`|<code>[^<>]*</code>", "", line)
    assert line.count("|") == line.count(" | ") + 2  # borders alone
    assert not set(outside) & set("`$<>[]\\&")


def test_a_comment_is_not_ended_by_what_the_recipe_holds():
    first = markdown_table(table()).splitlines()[0]
    assert first.count("-->") == 1
    assert json.loads(first.removeprefix("<!-- attnviz: ").removesuffix(" -->")) == RECIPE.entries()


def test_a_tex_table_worked_by_hand():
    view = table(
        ROWS[0],
        columns=("head", "previous", "separator", "positional.offset", "evidence"),
        notes=("50 %", "ok"),
    )
    assert tex_table(view).split("\n", 3)[3] == (
        "\\begin{tabular}{@{}lrrrl@{}}\n"
        "\\toprule\n"
        "head & prev & sep & at & strongest pair \\\\\n"
        "\\midrule\n"
        "3.5 & 0.93 & -- & $-1$ & 0.74 \\texttt{it} $\\to$ \\texttt{cat} \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\par\\smallskip\n"
        "{\\footnotesize\\raggedright 50 \\%; ok.\\par}\n"
    )


@pytest.mark.parametrize("token", NASTY)
def test_no_token_is_a_command_in_tex(token):
    text = tex_table(table(row(query=token, key="b", previous=0.9)))
    [line] = [line for line in text.splitlines() if line.startswith("3.5")]
    [written] = re.findall(r"\\texttt\{(.*)\} \$\\to\$ \\texttt\{b\}", line)
    plain = re.sub(
        r"\\[%$&#_{}]|\\text[a-z]+\{\}|\{(\\ttfamily)?\\char\d+\}|\{-\}|\$\\to\$|\\dots\{\}", "", written
    )
    assert not set(plain) & set('\\{}$&#_%^~<>|"')
    assert line.count(" & ") == len(table().columns) - 1


def test_a_number_in_tex_means_the_same_letter_in_every_encoding():
    written = re.findall(r"\{\\char(\d+)\}", tex("".join(map(chr, range(32, 127)))))
    assert {chr(int(number)) for number in written} <= set("!?*@")  # in OT1 "<" is an inverted "!"


def test_letters_with_accents_stay_in_tex_and_others_are_code_points():
    text = tex_table(table(row(query="élève", key="猫", previous=0.9)))
    assert r"\texttt{élève} $\to$ \texttt{U+732B}" in text


def test_a_grid_as_numbers():
    view = grid(("cross", 1, 3))
    assert json.loads(json_grid(view))["stacks"] == [
        {"stack": "cross", "layers": [0], "values": [[0.0, 0.333333, None]]}
    ]
    assert lines(csv_grid(view)) == [
        {"stack": "cross", "layer": "0", "number": str(head), "previous": value}
        for head, value in enumerate(("0.0", "0.333333", ""))
    ]


@pytest.mark.parametrize("suffix", TABLE_FORMATS)
def test_a_table_of_each_kind_says_how_it_was_made_and_is_the_same_bytes_twice(suffix, tmp_path):
    path = tmp_path / f"heads{suffix}"
    save(table(), path, Style())
    first = path.read_bytes()
    assert first.startswith(TABLE_FORMATS[suffix].openings)
    if suffix not in (".pdf", ".svg"):
        assert b"a model" in first
    save(table(), path, Style())
    assert path.read_bytes() == first


@pytest.mark.parametrize("suffix", GRID_FORMATS)
def test_a_grid_of_each_kind_may_be_written_again(suffix, tmp_path):
    path = tmp_path / f"grid{suffix}"
    for _ in range(2):
        save(grid(), path, Style())
        assert path.read_bytes().startswith(GRID_FORMATS[suffix].openings)


def test_a_recipe_of_a_table_can_be_read_again():
    from attnviz.recipes import Listing

    made = replace(RECIPE, listing=Listing(where="first>0.4", sort="-first", top=3, seed=7))
    assert Recipe.from_json(made.to_json()) == made


def test_a_notebook_shows_a_table_in_which_tokens_are_data():
    html = table_html(table(row(query="<script>", key="&", previous=0.9)))
    assert "&lt;script&gt; → &amp;" in html
    assert "<script>" not in html
    assert table()._repr_html_().startswith("<p>a model")


def test_an_interval_is_its_two_ends_in_a_csv_table():
    between = replace(
        ROWS[0], statistics={**ROWS[0].statistics, "previous": Statistic(0.93, 0.2, 7, 12, 0.0712, 0.0748)}
    )
    asked = table(
        between, ROWS[1], columns=("head", "previous.interval", "score.interval"), asked=True, samples=12
    )
    first, second = lines(csv_table(asked))
    assert first == {
        "head": "3.5", "previous.low": "0.0712", "previous.high": "0.0748", "score.low": "0.0712",
        "score.high": "0.0748",
    }  # fmt: skip
    assert {value for name, value in second.items() if name != "head"} == {""}

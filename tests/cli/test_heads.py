"""``attnviz heads``, called as a user does: exit status, standard output and standard error."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from attnviz import capture, head_grid, heads, load, save
from attnviz.cli.app import run
from attnviz.errors import UsageError
from attnviz.metrics import METRICS
from attnviz.recipes import Recipe

SENTENCE = "The cat sat on the mat because it was tired"
PRONOUNS = str(Path(__file__).parents[2] / "sample_texts" / "pronouns.txt")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def test_there_is_a_row_for_every_head_and_it_fits_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", SENTENCE]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[4:36]] == [f"{n // 8}.{n % 8}" for n in range(32)]
    assert max(map(len, lines)) <= 80
    assert "not shown: " in out
    assert not err


def test_the_numbers_are_those_of_the_maps(capsys: pytest.CaptureFixture[str]) -> None:
    """The previous-token statistic, computed from the whole maps."""
    assert run(["heads", SENTENCE, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    seen = capture(SENTENCE)
    for head in document["heads"]:
        expected = np.diagonal(seen.map(head["head"]), -1).mean()
        assert head["statistics"]["previous"]["value"] == pytest.approx(expected, abs=1e-5)
        assert set(head["statistics"]) == set(METRICS)
    assert Recipe.from_json(json.dumps(document["recipe"])).command == "heads"


def test_rows_are_chosen_sorted_and_cut(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--where", "previous>0.3 and layer>0", "--sort", "-previous", "--top", "3", "--json"]
    assert run(["heads", SENTENCE, *options]) == 0
    chosen = json.loads(capsys.readouterr().out)["heads"]
    shares = [head["statistics"]["previous"]["value"] for head in chosen]
    assert shares == sorted(shares)
    assert len(shares) == 3
    assert min(shares) > 0.3
    assert min(head["layer"] for head in chosen) > 0


def test_the_choice_of_layers_and_heads_picks_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", SENTENCE, "-H", "2.4,3.1", "--columns", "previous,previous.baseline"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["head", "prev", "prev", "base"]
    assert [line.split()[0] for line in lines[4:6]] == ["2.4", "3.1"]


def test_ten_samples_have_intervals_and_nine_have_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Path(PRONOUNS).read_text().splitlines()
    assert len(lines) == 10
    (tmp_path / "nine.txt").write_text("\n".join(lines[:9]))
    assert run(["heads", "--file", PRONOUNS, "--lines", "--top", "2"]) == 0
    ten = capsys.readouterr().out
    assert "mean over 10 samples" in ten
    assert "95 % intervals: percentile bootstrap" in ten
    assert "duplicate in 9" in ten
    assert run(["heads", "--file", str(tmp_path / "nine.txt"), "--lines", "--top", "2"]) == 0
    nine = capsys.readouterr().out
    assert "no intervals: they take at least 10 samples, and these are 9" in nine
    assert "95 %" not in nine


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "tex", "png", "pdf", "svg"])
def test_a_file_is_the_same_bytes_twice_and_says_how_it_was_made(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}"
    for file in (first, second):
        assert run(["heads", SENTENCE, "--sort", "next", "--top", "4", "-o", str(file)]) == 0
    assert first.read_bytes() == second.read_bytes()
    if suffix != "pdf":
        assert b"fingerprint" in first.read_bytes()
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_a_csv_file_can_be_read_by_its_names(tmp_path: Path) -> None:
    assert run(["heads", SENTENCE, "-o", str(tmp_path / "heads.csv")]) == 0
    text = (tmp_path / "heads.csv").read_text()
    assert json.loads(text.split("\n", 1)[0].removeprefix("# "))["view"] == "heads"
    rows = list(csv.DictReader(io.StringIO(text.split("\n", 1)[1])))
    assert len(rows) == 32
    assert rows[0]["positional"] == ""  # twelve rows are fewer than twenty
    assert float(rows[0]["focus"]) > 0


def test_a_grid_shows_every_head_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", SENTENCE, "--grid", "previous"]) == 0
    out = capsys.readouterr().out
    assert [line[:7] for line in out.splitlines() if line.startswith("layer")] == [
        f"layer {n}" for n in range(4)
    ]
    assert run(["heads", SENTENCE, "--grid", "previous", "--json"]) == 0
    [stack] = json.loads(capsys.readouterr().out)["stacks"]
    assert np.array(stack["values"]).shape == (4, 8)


@pytest.mark.parametrize("suffix", ["csv", "json", "png", "pdf", "svg"])
def test_a_grid_becomes_a_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"grid.{suffix}"
    assert run(["heads", SENTENCE, "--grid", "distance", "-o", str(file)]) == 0
    assert file.stat().st_size > 200


def test_the_rules_are_explained_without_a_text_and_below_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", "--explain"]) == 0
    alone = capsys.readouterr().out
    assert "at least 3 times that of a head that" in alone
    assert run(["heads", SENTENCE, "--top", "1", "--explain"]) == 0
    assert capsys.readouterr().out.endswith(alone)


def test_no_line_of_the_rules_ends_with_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", "--explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "nothing to read: give a TEXT"),
        ([SENTENCE, "--where", "inducton>0.4"], 2, '"inducton" at character 1: no such name; did you mean '),
        ([SENTENCE, "--sort", "prev"], 2, "--sort 'prev': no such name; did you mean previous?"),
        ([SENTENCE, "--columns", "prev"], 2, "--columns: no column 'prev'; did you mean previous?"),
        ([SENTENCE, "--grid", "prev"], 2, "--grid: no statistic 'prev'; did you mean previous?"),
        ([SENTENCE, "--top", "0"], 2, "--top"),
        ([SENTENCE, "--special", "hide"], 2, "--special hide changes what is drawn of a map, not"),
        ([SENTENCE, "--tokens", "0:4"], 2, "--tokens changes what is drawn of a map"),
        ([SENTENCE, "--words"], 2, "--words changes what is drawn of a map"),
        ([SENTENCE, "--mean", "heads"], 2, "--mean changes what is drawn of a map"),
        ([SENTENCE, "--vmax", "0.5"], 2, "--scale and --vmax are of colours: add --grid METRIC"),
        ([SENTENCE, "--grid", "first", "--sort", "first"], 2, "--grid shows every head in its place"),
        ([SENTENCE, "--grid", "entropy", "--vmax", "0.5"], 2, "--vmax is for what lies between 0 and 1"),
        ([SENTENCE, "--explain", "--json"], 2, "--explain prints for readers: leave out --json and -o"),
        ([SENTENCE, "-o", "heads.npz"], 1, "these are: .png, .pdf, .svg, .json, .csv, .md, .tex"),
        ([SENTENCE, "--grid", "first", "-o", "heads.tex"], 1, "these are: .png, .pdf, .svg, .json, .csv"),
        ([SENTENCE, "-o", "{sample}.csv"], 2, "all samples are in one table, so leave {sample} out"),
        ([SENTENCE, "-o", "heads.csv", "--json"], 2, "--json prints to standard output"),
        ([SENTENCE, "-l", "9"], 1, "no layer 9: there are layers 0 to 3"),
        (["x", "-o", "x.png", "--width", "1in", "--columns", "evidence"], 2, "choose fewer with --columns"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_that_says_what_would_work(
    arguments: list[str],
    status: int,
    message: str,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["heads", *arguments]) == status
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert message in err
    assert not list(tmp_path.iterdir())


def test_a_condition_that_holds_of_no_head_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", SENTENCE, "--where", "previous>2"]) == 0
    assert "0 of 32 heads where previous>2" in capsys.readouterr().out


def test_the_library_makes_the_same_table(tmp_path: Path) -> None:
    seen = capture(SENTENCE, keep=None)
    assert not seen.maps
    table = heads(seen, where="layer=1", sort="focus", top=2)
    assert [row.head.layer for row in table.rows] == [1, 1]
    assert table.rows[0].statistics["focus"].value >= table.rows[1].statistics["focus"].value
    save(table, tmp_path / "heads.tex")
    assert run(["heads", SENTENCE, "--where", "layer=1", "--sort", "focus", "--top", "2", "-o",
                str(tmp_path / "again.tex")]) == 0  # fmt: skip
    shown, made = ((tmp_path / name).read_text().split("\n", 1)[1] for name in ("heads.tex", "again.tex"))
    assert shown == made
    assert heads([seen, seen]).samples == 2
    assert head_grid(seen, "focus").stacks[0].values.shape == (4, 8)
    with pytest.raises(UsageError, match="no statistic 'focuss'; did you mean focus"):
        head_grid(seen, "focuss")


def test_maps_taken_elsewhere_have_statistics_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.npz"
    whole = np.stack([np.stack([np.eye(5), np.full((5, 5), 1 / 5)])] * 3).astype(np.float32)
    np.savez(file, attention=whole, tokens=np.array(["a", "b", "c", "d", "e"]))
    assert run(["heads", "--from", str(file), "--json"]) == 0
    heads = json.loads(capsys.readouterr().out)["heads"]
    assert [head["head"] for head in heads] == ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1"]
    assert [head["statistics"]["self"]["value"] for head in heads[:2]] == pytest.approx([1, 0.2])
    assert run(["heads", "--from", str(file), "--grid", "self"]) == 0


def test_a_capture_without_statistics_has_those_of_its_maps(tmp_path: Path) -> None:
    file = tmp_path / "kept.safetensors"
    assert run(["capture", SENTENCE, "-o", str(file), "--no-statistics"]) == 0
    of_maps, of_run = heads(load(file)), heads(capture(SENTENCE))
    assert [row.pattern for row in of_maps.rows] == [row.pattern for row in of_run.rows]


def test_a_capture_of_neither_maps_nor_statistics_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kept.safetensors"
    assert run(["capture", SENTENCE, "-o", str(file), "--no-statistics", "--keep", "2.4"]) == 0
    capsys.readouterr()
    assert run(["heads", "--from", str(file)]) == 1
    assert "no statistics of text were kept, nor the maps of all heads" in capsys.readouterr().err

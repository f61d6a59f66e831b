"""``attnviz cost``, called as a user does."""

import json
from pathlib import Path

import pytest

from attnviz import cost, cost_chart, save
from attnviz.cli.app import run

TINY = ["--d-model", "16", "--n-heads", "2", "--window", "4", "--budget", "9"]


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def test_the_terminal_shows_four_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--lengths", "32,8,16", "--threads", "1", *TINY]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("Cost of one layer as the text grows: d_model 16, 2 heads; ")
    assert lines[0].endswith(", 1 thread")
    rows = [line.split()[0] for line in lines if line[:6].strip().isdecimal()]
    assert rows == ["8", "16", "32"] * 2  # time and memory
    assert "materialised / fused" in out
    assert max(map(len, lines)) <= 80
    assert err == "attnviz: measuring at 3 lengths takes up to about 9 s\n"


def test_files_hold_every_measurement_and_how_it_was_made(tmp_path: Path) -> None:
    assert run(["cost", "--lengths", "8,16", *TINY, "-o", str(tmp_path / "cost.json")]) == 0
    document = json.loads((tmp_path / "cost.json").read_text())
    assert [(row["contender"], row["length"]) for row in document["measured"]][:6] == [
        ("materialised", 8), ("fused", 8), ("linear", 8), ("windowed", 8), ("GRU", 8), ("materialised", 16),
    ]  # fmt: skip
    assert all(row["low"] <= row["seconds"] <= row["high"] for row in document["measured"])
    assert document["setting"]["processor"]
    assert document["powers"]["GRU"]["bytes"]["exponent"] == pytest.approx(1, abs=0.1)
    assert document["recipe"]["command"] == "cost"


def test_it_becomes_a_picture_that_is_not_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cost.png"
    assert run(["cost", "--lengths", "4,8", *TINY, "-o", str(file)]) == 0
    assert run(["replay", str(file)]) == 1
    assert "was made by attnviz cost: only figures of" in capsys.readouterr().err


def test_the_library_measures_and_saves_the_same(tmp_path: Path) -> None:
    found = cost([4, 8], d_model=8, n_heads=2, window=2, device="cpu", budget=9)
    for suffix in ("pdf", "svg", "csv", "md", "tex"):
        save(cost_chart(found), file := tmp_path / f"cost.{suffix}")
        assert b"windowed" in file.read_bytes() or suffix == "pdf"


def test_one_length_has_no_power(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--lengths", "8", *TINY]) == 0
    assert "GRU              -  -" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--lengths", "0"], 2, "lengths 0 is too small: 1 is the least"),
        (["--lengths", "-5,8"], 2, "--lengths '-5,8': '-5' is no whole number"),
        (["--lengths", "8,many"], 2, "'many' is no whole number; write them as 2,4,8"),
        (["--lengths", "9" * 5000], 2, "999' is no whole number"),
        (["--lengths", ""], 2, "'' is no whole number"),
        (["--lengths", "8,,9"], 2, "'' is no whole number"),
        (["--lengths", "9" * 30], 1, "nothing was measured at 999,999,999"),
        (["--n-heads", "3"], 2, "d_model 256 cannot be divided into 3 heads of the same size: 2 would do"),
        (["--d-model", "0"], 2, "--d-model"),
        (["--window", "0"], 2, "--window"),
        (["--budget", "0"], 2, "a budget of 0 s leaves no time"),
        (["--budget", "nan"], 2, "a budget of nan s leaves no time"),
        (["--threads", "0"], 2, "--threads"),
        (["--threads", "100000"], 2, "--threads"),
        (["--device", "tpu"], 1, "no device tpu here: there is cpu"),
        (["--vmax", "0.5"], 2, "--cmap, --scale and --vmax are of the colours of maps"),
        (["-o", "cost.npz"], 1, "these are: .png, .pdf, .svg, .json, .csv, .md, .tex"),
        (["-o", "nowhere/cost.png"], 1, "there is no directory nowhere"),
    ],
)  # fmt: skip
def test_an_error_is_one_line(
    arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cost", *arguments]) == status
    out, err = capsys.readouterr()
    assert not out
    assert message in err
    assert err.count("\n") == 1 + ("nothing was measured" in message)  # that is known when it was tried

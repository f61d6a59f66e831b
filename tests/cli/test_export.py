"""``attnviz export``, called as a user does."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from attnviz.cli.app import run

PLAN = """
models = ["builtin:encoder"]
samples = ["The cat sat on the mat", "Two dogs bark"]

[[figures]]
file = "{sample}-{layer}.{head}.png"
head = "0.1"
dpi = 40
"""


@pytest.fixture
def plan(tmp_path: Path) -> str:
    file = tmp_path / "paper.toml"
    file.write_text(PLAN)
    return str(file)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")


def test_a_plan_is_checked_without_anything_being_made(
    plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", plan, "--check"]) == 0
    assert capsys.readouterr().err == f"attnviz: {plan}: 2 figures of 1 model and 2 samples, nothing wrong\n"
    assert [path.name for path in tmp_path.iterdir()] == ["paper.toml"]


def test_a_dry_run_lists_what_would_be_made(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", plan, "--dry-run"]) == 0
    assert capsys.readouterr().out == "text-1-0.1.png\ntext-2-0.1.png\n"
    assert run(["export", plan]) == 0
    Path("paper/text-2-0.1.png").unlink()
    capsys.readouterr()
    assert run(["export", plan, "--dry-run"]) == 0
    assert capsys.readouterr().out == "text-2-0.1.png\n"


def test_a_plan_goes_into_a_directory_of_its_name_and_a_second_time_nowhere(
    plan: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", plan]) == 0
    assert capsys.readouterr().err == "attnviz: wrote 2 figures into paper\n"
    assert run(["export", plan]) == 0
    assert capsys.readouterr().err == "attnviz: nothing to do: all 2 figures are in paper\n"
    assert run(["export", plan, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": 1, "directory": "paper", "made": 0, "kept": 2, "left": [], "failures": [],
    }  # fmt: skip


def test_texts_are_drawn_without_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lines.txt").write_text("One cat\n\nTwo dogs\n")
    options = ["--texts", "lines.txt", "-m", "builtin:encoder", "--dpi", "40"]
    assert run(["export", *options, "-H", "0.1", "-o", "out/{sample}/{head}.png"]) == 0
    assert capsys.readouterr().err == "attnviz: wrote 2 figures into out\n"
    assert {str(path) for path in Path("out").rglob("*.png")} == {"out/lines-1/1.png", "out/lines-3/1.png"}
    assert run(["export", *options, "--view", "heads"]) == 0
    assert Path("figures/encoder-heads.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        ([], 2, "nothing to export: give a PLAN.toml, or --texts FILE"),
        (["paper.toml", "-m", "x"], 2, "-m goes without a plan: write it into the plan"),
        (["paper.toml", "--words"], 2, "--words goes without a plan"),
        (["paper.toml", "--texts", "x"], 2, "--texts goes without a plan"),
        (["paper.toml", "-o", "{sample}.png"], 2, "the plan says how files are called"),
        (["paper.toml", "--address", "x"], 2, "--address goes with --engine ray"),
        (["--texts", "none.txt"], 1, "cannot read none.txt: No such file"),
        (["--texts", "paper.toml", "-o", "../{sample}.png", "--check"], 0, "nothing wrong"),
        (["--texts", "paper.toml", "-o", "{sample}/../../x.png"], 1, "leaves the directory"),
        (["none.toml"], 1, "cannot read none.toml"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    plan: str, arguments: list[str], status: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan
    assert run(["export", *arguments]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line


def test_ray_is_said_to_be_missing(plan: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(["export", plan, "--engine", "ray"]) == 2
    assert capsys.readouterr().err == (
        "attnviz: --engine ray needs Ray, which is not here: pip install attnviz[ray]\n"
    )


def test_a_plan_that_is_no_toml_is_named_with_line_and_column(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text('models = ["x"]\nsamples = [oops]\n')
    assert run(["export", "bad.toml", "--check"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("attnviz: bad.toml: this is no TOML: ")
    assert "line 2, column 12" in line

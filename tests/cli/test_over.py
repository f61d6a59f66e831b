"""``attnviz heads --over``, called as a user does."""

import csv
import io
import json
from pathlib import Path

import pytest

from attnviz.builtin.encoder import task as encoder_task
from attnviz.builtin.train import train
from attnviz.cli.app import run
from tests.builtin.test_train import TINY

SENTENCE = "The cat sat on the mat"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("over") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_task, "EXAM", 5)
        train(directory, TINY, shots=4)
    return str(directory)


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def test_a_text_is_read_by_every_snapshot(trained: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", SENTENCE, "--over", trained, "--columns", "previous"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "tiny  heads over 4 snapshots, 1 text"
    assert [line.split()[0] for line in lines[6:8]] in (["0.0", "0.1"], ["0.1", "0.0"])
    assert max(map(len, lines)) <= 80
    assert not err


def test_numbers_are_of_every_step_and_head(trained: str, tmp_path: Path) -> None:
    file = tmp_path / "over.csv"
    assert run(["heads", SENTENCE, "--over", trained, "-o", str(file)]) == 0
    recipe, table = file.read_text().split("\n", 1)
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["step"], row["head"]) for row in rows][:3] == [("0", "0.0"), ("0", "0.1"), ("1", "0.0")]
    assert json.loads(recipe.removeprefix("# "))["sample"]["text"] == SENTENCE
    assert run(["heads", SENTENCE, "-m", f"{trained}/snapshots/000005", "--json", "-o", ""]) == 2


@pytest.mark.parametrize("suffix", ["png", "svg", "json"])
def test_random_tokens_are_read_where_no_text_is_given(trained: str, suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"over.{suffix}"
    assert run(["heads", "--over", trained, "--columns", "induction", "-o", str(file)]) == 0
    assert b"heads over 4 snapshots, 20 sequences, each 50 random tokens twice" in file.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--over", "nowhere"], 1, "nowhere holds no snapshots of a training"),
        (["--over", "DIR", "-m", "builtin:encoder"], 2, "the snapshots of a training: leave out --model"),
        (["--over", "DIR", "--generate", "3"], 2, "leave out --generate"),
        (["--over", "DIR", "--from", "x.safetensors"], 2, "runs no model: leave out --over"),
        (["--over", "DIR", "--grid", "first"], 2, "--grid shows heads at one moment"),
        (["--over", "DIR", "--columns", "inductoin"], 2, "no statistic 'inductoin'; did you mean induction?"),
        (["--over", "DIR", "--columns", "first,next,self,focus,entropy"], 2, "5 statistics are too many"),
        (["--over", "DIR", "--where", "inducton>1"], 2, "did you mean induction"),
        (["--over", "DIR", "--words"], 2, "--words changes what is drawn"),
        (["--over", "DIR", "-l", "7"], 1, "no layer 7"),
        (["--over", "DIR", "-o", "x.npz"], 1, "these are: .png, .pdf, .svg, .json, .csv, .md, .tex"),
    ],
)
def test_an_error_is_one_line(
    trained: str, arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["heads", *(trained if word == "DIR" else word for word in arguments)]) == status
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert message in err

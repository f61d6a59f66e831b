"""``attnviz doctor``, called as a user does: exit status, standard output and standard error."""

import json
from pathlib import Path

import pytest

from attnviz.cli.app import run
from tests.models import zoo


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def test_a_healthy_model_is_one_row_a_layer_and_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines() if "attention" in line and "own" in line]
    assert [row[:6] for row in rows] == [
        [str(layer), "attention", "8", "8", "-", "own"] for layer in range(4)
    ]
    assert "Captured exactly: at most" in out
    assert "from the same model in float64" in out
    assert not err
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("columns", "left_out"),
    [(76, ""), (75, "key heads"), (60, "key heads, window"), (40, "key heads, window, route, kind")],
)
def test_columns_that_a_terminal_has_no_room_for_are_left_out_and_named(
    columns: int, left_out: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(["doctor", "The cat"]) == 0
    out = capsys.readouterr().out
    assert "…" not in out
    assert (f"not shown: {left_out};" in " ".join(out.split())) == bool(left_out)


def test_what_a_longer_text_takes_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "The cat", "--tokens", "256", "--tokens", "512"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    first, second = (next(row for row in rows if row[0] == tokens) for tokens in ("256", "512"))
    assert (first[1:3], second[1:3]) == (["8.9", "MB"], ["35.7", "MB"])
    assert second[-1] == "s"


def test_more_tokens_than_it_reads_are_told_in_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["doctor", "The cat", "--tokens", "4096", "--tokens", "256"]) == 0
    out = capsys.readouterr().out
    assert out.count("builtin:encoder cannot read 4,096 tokens: it has positions for 512\n") == 1
    assert "Captured exactly: at most" in out
    assert "8.9 MB" in out
    assert run(["doctor", "The cat", "--tokens", "4096", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (len(document["layers"]), document["needs"]) == (4, [])
    assert document["unread"] == ["builtin:encoder cannot read 4,096 tokens: it has positions for 512"]


def test_json_is_one_document_with_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "The cat", "--tokens", "512", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["failures"] == []
    assert [layer["facts"]["layer"] for layer in document["layers"]] == [0, 1, 2, 3]
    assert document["needs"][0]["tokens"] == 512


def test_a_model_that_is_not_captured_exactly_ends_with_status_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("attnviz.models.diagnosis.TOLERANCES", {"float32": 1e-12})
    assert run(["doctor", "The cat"]) == 3
    out = capsys.readouterr().out
    assert "Not captured exactly:" in out
    assert out.count("weights differ from the same model in float64 by") == 4


def test_a_model_of_transformers_is_compared_with_its_own_eager_attention(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "-m", str(zoo.save_model("mistral", tmp_path / "mistral"))]) == 0
    out = capsys.readouterr().out
    row = next(line.split() for line in out.splitlines() if line.startswith("1 "))
    assert row[:6] == ["1", "attention", "4", "2", "5", "interface"]
    assert "from its own eager attention" in out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([""], 1, "text is empty"),
        (["--tokens", "0"], 2, "--tokens"),
        (["-m", "builtin:no"], 1, "builtin:encoder"),
    ],
)
def test_an_error_is_one_line(
    arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", *arguments]) == status
    out, err = capsys.readouterr()
    assert not out
    assert message in err
    assert err.count("\n") == 1

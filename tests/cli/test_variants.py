"""``attnviz variants`` and ``attnviz heatmap --explain``, called as a user does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnviz
from attnviz.cli.app import run
from attnviz.render.rows import Steps
from tests.models import zoo

SENTENCE = "The cat sat on the mat because it was tired"


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run([*arguments, "--json"]) == 0
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


def test_the_numbers_of_each_variant_are_told_with_its_entropy(capsys: pytest.CaptureFixture[str]) -> None:
    made = document(capsys, "variants", SENTENCE, "-H", "3.1", "--temperature", "0,1,5")
    assert [entry["temperature"] for entry in made["maps"]] == [0, 1, 5]
    assert [entry["head"] for entry in made["maps"]] == ["1/scaled@0", "1/scaled", "1/scaled@5"]
    cold, usual, hot = (np.array(entry["weights"]) for entry in made["maps"])
    seen = attnviz.capture(SENTENCE, keep="3.1", statistics=True)
    np.testing.assert_allclose(usual, seen.map("3.1"), atol=1e-6)
    assert (cold.max(-1) == 1).all()
    assert (hot.max(-1) <= usual.max(-1) + 1e-6).all()
    own = attnviz.heads(seen, columns="entropy").rows[3 * 8 + 1].statistics["entropy"].value
    assert made["maps"][1]["entropy"] == pytest.approx(own, rel=1e-4)
    assert made["recipe"]["command"] == "variants"


def test_on_the_terminal_they_stand_side_by_side_and_the_notes_say_what_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["variants", "The cat sat"]) == 0
    out = capsys.readouterr().out
    assert any(line.split() == ["dot", "scaled", "cosine", "linear"] for line in out.splitlines())
    assert out.count("entropy") == 5
    assert "one that looks hardest beyond its neighbours" in out
    assert "scaled is the head as the model has it" in out


@pytest.mark.parametrize(
    ("options", "asking"), [(["variants"], "none"), (["heatmap", "--explain", "cat"], "from cat none")]
)
def test_of_a_text_too_short_to_look_further_the_first_head_is_taken(
    options: list[str], asking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*options, "The cat"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"head 0.0: the first of 32, since {asking} looks beyond its neighbours" in told


def test_words_and_special_tokens_are_put_together_and_hidden_as_everywhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = document(capsys, "variants", "Unbelievable cats", "-H", "0.0", "--words", "--special", "hide")
    assert made["maps"][0]["keys"] == ["Unbelievable", "cats"]


def test_an_entropy_that_there_is_none_of_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["variants", "The cat", "-H", "0.0", "--mask", "window:0,window:1"]) == 0
    assert any(line.split()[:2] == ["entropy", "-"] for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("suffix", [".png", ".svg", ".csv", ".npz"])
def test_they_become_files(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"made{suffix}"
    assert run(["variants", "The cat", "--mask", "causal,window:1", "-o", str(file)]) == 0
    assert file.stat().st_size > 500


def test_the_caption_of_a_figure_names_what_was_varied(tmp_path: Path) -> None:
    file, usual = str(tmp_path / "made.svg"), str(tmp_path / "usual.csv")
    options = ["--score", "dot,cosine", "--temperature", "0.5", "--mask", "causal,window:1"]
    assert run(["variants", "The cat", "-H", "0.1", *options, "-o", file]) == 0
    assert run(["variants", "The cat", "-H", "0.1", "-o", usual]) == 0
    told = [attnviz.caption(each) for each in (file, usual)]
    assert told[0].startswith(
        "Variants of the attention weights of head 0.1 (scores dot, cosine; temperature 0.5; masks causal, "
        "window:1; rows are queries, columns are keys) of builtin:encoder reading “The cat”. Dot: q·k;"
    )
    assert told[0].endswith("Colours run evenly from 0 to 1.")
    assert "head 0.1 (dot, scaled, cosine, linear; rows are queries" in told[1]


def test_a_query_is_followed_through_to_what_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    made = document(capsys, "heatmap", SENTENCE, "--explain", "it", "-H", "3.1")
    keys, q = made["keys"], np.array(made["query"]["q"])
    assert (made["query"]["label"], made["query"]["position"]) == ("it", 8)
    strongest = next(key for key in keys if key["position"] == made["strongest"]["position"])
    assert strongest["label"] == "cat"
    assert sum(made["strongest"]["products"]) == pytest.approx(strongest["dot"], rel=1e-4)
    assert q @ np.array(made["strongest"]["k"]) == pytest.approx(strongest["dot"], rel=1e-4)
    for key in keys:
        assert key["score"] == pytest.approx(key["dot"] * made["scale"], rel=1e-4)
        assert key["power"] == pytest.approx(np.exp(key["score"] - made["max"]), rel=1e-3, abs=1e-6)
        assert key["weight"] == pytest.approx(key["power"] / made["total"], rel=1e-3, abs=1e-6)
        assert key["weight"] == pytest.approx(key["own"], abs=1e-5)
    read = sum(key["weight"] * np.array(key["v"]) for key in keys)
    np.testing.assert_allclose(made["read"], read, atol=1e-4)


def test_the_steps_can_be_followed_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heatmap", SENTENCE, "--explain", "it"]) == 0
    out = capsys.readouterr().out
    assert "head 3.1: of 32 heads the one that looks hardest beyond its neighbours, from it" in out
    assert "1  q·k, dimension by dimension, with the strongest key “cat”" in out
    assert "score: q·k × 0.25 (1/√16)" in out
    assert "sum of weight × v" in out


def test_what_has_no_row_is_summed_up() -> None:
    steps = attnviz.explain(" ".join([SENTENCE] * 4), "it", choice=attnviz.api.Choice(heads="2.0"))
    assert isinstance(steps, Steps)
    weights, values = steps.tables[1], steps.tables[2]
    assert str(weights.rows[-1][0]).endswith("others")
    assert sum(row[-1] for row in weights.rows) == pytest.approx(1, abs=1e-4)  # type: ignore[misc]
    *rows, total = values.rows
    for column in range(2, 8):
        summed = sum(row[1] * row[column] for row in rows)  # type: ignore[operator,misc]
        assert summed == pytest.approx(total[column], abs=1e-3)


NASTY = [
    (
        ["heatmap", "The cat", "--explain", "bird"],
        1,
        "'bird' is none of the tokens: there are [CLS], The",
    ),
    (["heatmap", "The cat", "--explain", ""], 1, "'' is none of the tokens"),
    (["heatmap", "The cat", "--explain", "cat", "-H", "9.9"], 1, "9"),
    (["heatmap", "The cat", "--explain", "cat", "--view", "atlas"], 2, "leave out --view"),
    (["heatmap", "The cat", "--explain", "cat", "--mean", "heads"], 2, "leave out --mean"),
    (["heatmap", "--from", "x.npz", "--explain", "cat"], 2, "captures do not keep"),
    (
        ["heatmap", "The cat", "--explain", "cat", "-o", "x.png"],
        1,
        ".png is no format for what this shows; these are: .json, .md",
    ),
    (["variants", "The cat", "--temperature", "warm"], 2, "--temperature 'warm' is none"),
    (["variants", "The cat", "--mask", "window:-1"], 2, "write window:2"),
    (["variants", "The cat", "--mask", "global:999"], 1, "there is no token 999, the text has 4, 0 to 3"),
    (["variants", "The cat", "--score", "scalde"], 2, "did you mean scaled?"),
    (["variants", "The cat", "--score", "general"], 1, "such as builtin:luong"),
    (["variants", ""], 1, "empty"),
    (["variants", "The cat", "--mean", "all"], 2, "variants are of one head"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), NASTY)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == status
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


def test_a_causal_mask_on_a_causal_model_is_said_to_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = str(zoo.save_model("gpt2", tmp_path))
    made = document(capsys, "variants", zoo.TEXT, "-m", directory, "--mask", "causal,window:1")
    assert "causal: changes nothing, the model itself sees no more here" in made["notes"]
    assert "masks: on top of the model's own" in made["notes"]


def test_a_model_that_computes_them_elsewhere_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = str(zoo.save_model("bloom", tmp_path))
    for arguments in (["variants", "The cat"], ["heatmap", "The cat", "--explain", "0"]):
        assert run([*arguments, "-m", directory]) == 1
        assert "gives no q and k of head" in capsys.readouterr().err

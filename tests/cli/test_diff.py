"""``attnviz diff``, called as a user does: exit status, standard output and standard error."""

import json
from pathlib import Path

import pytest

import attnviz
from attnviz.cli.app import run
from tests.models.zoo import save_model

HE, SHE = "The nurse said that he was tired", "The nurse said that she was tired"


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


def test_two_texts_give_the_heads_that_changed_most_and_one_map(out: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", HE, SHE, "--top", "3"]) == 0
    text, err = out.readouterr()
    assert "3 of 32 heads, those that changed most" in text
    assert text.count("layer ") == 1
    assert "he→she" in text
    assert not err
    assert "\x1b" not in text


def test_chosen_heads_are_shown_alone(out: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", HE, SHE, "-l", "2", "--words", "--special", "hide"]) == 0
    text = out.readouterr().out
    assert text.count("layer 2, head") == 8
    assert "change:" not in text
    assert "[SEP], not shown" in text


def test_json_is_one_document_with_both_samples(out: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", HE, SHE, "--json"]) == 0
    document = json.loads(out.readouterr().out)
    assert document["schema"] == 1
    assert [sample["text"] for sample in document["recipe"]["sample"]["samples"]] == [HE, SHE]
    assert len(document["heads"]) == 10
    assert len(document["changes"]) == 32
    [entry] = document["maps"]
    assert {"first", "second", "weights"} <= set(entry)


def test_the_lines_of_a_file_are_two_texts(tmp_path: Path, out: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pair.txt").write_text(f"{HE}\n{SHE}\n")
    assert run(["diff", "--file", str(tmp_path / "pair.txt"), "--lines", "-H", "2.4"]) == 0
    assert "he→she" in out.readouterr().out


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg", "json", "csv", "npz", "md", "tex"])
def test_a_file_is_the_same_bytes_twice(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}"
    for file in (first, second):
        assert run(["diff", HE, SHE, "-o", str(file)]) == 0
    assert first.read_bytes() == second.read_bytes()


def test_without_a_choice_a_table_goes_into_a_file_of_tables_and_with_one_the_cells(tmp_path: Path) -> None:
    heads, cells = tmp_path / "heads.csv", tmp_path / "cells.csv"
    assert run(["diff", HE, SHE, "-o", str(heads)]) == 0
    assert run(["diff", HE, SHE, "-H", "2.4", "-o", str(cells)]) == 0
    assert heads.read_text().splitlines()[1].startswith('"head","stack","layer"')
    assert cells.read_text().splitlines()[1].startswith('"layer","head","query_position"')


def test_two_models_of_one_text_are_compared_by_its_words(
    tmp_path: Path, out: pytest.CaptureFixture[str]
) -> None:
    """Which one cuts into pieces of words, the other into pieces with the blanks before them."""
    bert, roberta = save_model("bert", tmp_path / "bert"), save_model("roberta", tmp_path / "roberta")
    text = "Unbelievable lawyers slept quietly"
    assert run(["diff", text, "-m", str(bert), "-m", str(roberta), "--json"]) == 0
    document = json.loads(out.readouterr().out)
    assert [model["name"] for model in document["recipe"]["model"]["models"]] == ["bert", "roberta"]
    assert "the models cut the text into other tokens: compared by words" in document["notes"]
    [entry] = document["maps"]
    assert [label for label in entry["keys"] if not {"→", "∅"} & set(label)] == text.split()
    assert any(note.startswith("in the first model alone: [CLS], [SEP]; ") for note in document["notes"])


def test_models_with_other_heads_are_sent_to_compare(tmp_path: Path, out: pytest.CaptureFixture[str]) -> None:
    bert = save_model("bert", tmp_path / "bert")
    out.readouterr()
    assert run(["diff", HE, "-m", "builtin:encoder", "-m", str(bert)]) == 1
    text, err = out.readouterr()
    assert not text
    assert err == (
        "attnviz: builtin:encoder and bert have other layers and heads: choose heads that both have, such as "
        "-H 3.5, or find what matches what with attnviz compare\n"
    )
    assert run(["diff", HE, "-m", "builtin:encoder", "-m", str(bert), "-H", "1.1"]) == 0
    assert out.readouterr().out.startswith("builtin:encoder → bert")


def test_captures_that_were_kept_together_or_apart(tmp_path: Path, out: pytest.CaptureFixture[str]) -> None:
    both, one, two = (str(tmp_path / f"{name}.safetensors") for name in ("both", "one", "two"))
    attnviz.capture([HE, SHE]).save(both)
    attnviz.capture(HE).save(one)
    attnviz.capture(SHE).save(two)
    assert run(["diff", "--from", both]) == 0
    together = out.readouterr().out
    assert run(["diff", "--from", one, "--from", two]) == 0
    assert out.readouterr().out == together
    assert run(["diff", "--from", both, "--from", one]) == 2
    assert "diff is of two samples, and 3 are there" in out.readouterr().err


def test_a_text_and_itself_differ_in_nothing(out: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", HE, HE]) == 0
    assert "one text and one model: every difference is 0" in out.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "nothing to read"),
        ([HE], 2, "one text and one model differ in nothing: give a second TEXT, or a second model with -m"),
        ([HE, SHE, HE], 2, "diff is of two: two texts of one model, or one text of two models; not 3 texts"),
        ([HE, SHE, "-m", "a", "-m", "b"], 2, "leave out one TEXT or one -m"),
        ([HE, ""], 1, "text-2 is empty"),
        ([HE, SHE, "--scale", "sqrt"], 2, "--scale sqrt is of weights, not of differences"),
        ([HE, SHE, "--mean", "heads", "--top", "1"], 2, "leave out --top or --mean"),
        ([HE, SHE, "-H", "9.1"], 1, "no layer 9"),
        ([HE, "word " * 600], 1, "text-2"),
        ([HE, SHE, "-o", "x.txt"], 1, "no format is known by the suffix '.txt'"),
        ([HE, SHE, "-o", "{sample}.png"], 2, "leave {sample} out"),
        (["--from", "nowhere.safetensors", HE], 2, "leave out TEXT"),
        (["--from", "nowhere.safetensors", "-m", "a"], 2, "leave out --model"),
        (["--from", "nowhere.safetensors"], 1, "cannot read nowhere.safetensors"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], status: int, message: str, out: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", *arguments]) == status
    text, err = out.readouterr()
    assert not text
    assert err.count("\n") == 1
    assert message in err


def test_the_usual_model_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, out: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATTNVIZ_MODEL", "/no such/model")
    assert run(["diff", HE, SHE]) == 1
    assert "model" in out.readouterr().err

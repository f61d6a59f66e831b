"""``attnviz align``, called as a user does: exit status, standard output and standard error."""

import json
from pathlib import Path

import numpy as np
import pytest

import attnviz
from attnviz.cli.app import run
from attnviz.inputs import Sample
from attnviz.recipes import Choice
from tests.models.translators import save_translator

SOURCE, TARGET = "The cat sat on the mat.", "A dog slept under the table."


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="module")
def bart(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random encoder-decoder."""
    return str(save_translator("bart", tmp_path_factory.mktemp("models") / "bart"))


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


def test_the_last_line_is_the_alignment_of_the_map_above_it(
    bart: str, out: pytest.CaptureFixture[str]
) -> None:
    assert run(["align", SOURCE, TARGET, "-m", bart]) == 0
    text, err = out.readouterr()
    assert "bart  “The cat sat on the mat.” → “A dog slept under the table.”" in text
    assert "cross layer 1, mean over heads 0-3" in text
    found = attnviz.align(SOURCE, TARGET, model=bart)
    assert text.splitlines()[-1] == found.pharaoh
    assert len(found.links) == len(found.target_words) == 7
    assert not err


def test_without_a_target_the_model_writes_one_and_all_of_it_was_read_in_one_pass(
    bart: str, out: pytest.CaptureFixture[str]
) -> None:
    assert run(["align", SOURCE, "-m", bart, "--generate", "9", "-H", "cross.2.1", "--json"]) == 0
    document = json.loads(out.readouterr().out)
    assert document["translation"]
    seen = attnviz.capture(
        Sample(SOURCE, generate=9), model=attnviz.load_model(bart, generates=True), keep="all"
    )
    given = attnviz.align(seen, choice=Choice(heads="cross.2.1"))
    assert document["target_words"] == list(given.target_words)
    [entry] = document["maps"]
    np.testing.assert_allclose(entry["weights"], given.alignment.heatmap.weights, atol=1e-5)


def test_what_would_not_end_is_cut_and_that_is_told(bart: str, out: pytest.CaptureFixture[str]) -> None:
    assert run(["align", SOURCE, "-m", bart, "--generate", "4"]) == 0
    text = out.readouterr().out
    assert "the last 4 tokens were written by the model (greedily)" in text
    assert "stopped after 4 tokens: --generate N lets it write more" in text


def test_several_maps_have_a_line_each(bart: str, out: pytest.CaptureFixture[str]) -> None:
    assert run(["align", SOURCE, TARGET, "-m", bart, "-l", "cross.0", "--threshold", "0.3"]) == 0
    last = [line.split("\t")[0] for line in out.readouterr().out.splitlines()[-4:]]
    assert last == ["cross.0.0", "cross.0.1", "cross.0.2", "cross.0.3"]


def test_the_lines_of_a_file_are_translated_one_by_one(
    bart: str, tmp_path: Path, out: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "two.txt").write_text("The cat sat.\nA dog slept.\n")
    command = ["align", "--file", str(tmp_path / "two.txt"), "--lines", "-m", bart, "--generate", "5"]
    assert run([*command, "--json"]) == 0
    document = json.loads(out.readouterr().out)
    assert [each["source"] for each in document["samples"]] == ["The cat sat.", "A dog slept."]
    assert run([*command, "-o", str(tmp_path / "{sample}.png")]) == 0
    assert (tmp_path / "two-1.png").is_file()
    assert (tmp_path / "two-2.png").is_file()


def test_what_was_captured_is_aligned_without_a_model(
    bart: str, tmp_path: Path, out: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "seen.safetensors")
    assert run(["capture", SOURCE, "--pair", TARGET, "-m", bart, "-o", file]) == 0
    assert run(["align", "--from", file, "--mean", "all"]) == 0
    text = out.readouterr().out
    assert "cross mean over layers 0-2 and heads 0-3" in text
    assert run(["align", SOURCE, TARGET, "-m", bart, "--mean", "all"]) == 0
    assert out.readouterr().out == text


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 2, 'nothing to translate: give a SOURCE, for example attnviz align "The cat sits on the mat"'),
        (["  "], 1, "text is empty: give at least one word"),
        ([SOURCE, ""], 2, "TARGET is empty: give at least one word, or leave it out to have SOURCE transl"),
        ([SOURCE, TARGET, "--generate", "5"], 2, "TARGET is what the model is to have written"),
        ([SOURCE, TARGET, "--threshold", "1.5"], 2, "--threshold 1.5 is no weight: give one from 0 to 1"),
        ([SOURCE, TARGET, "--threshold", "nan"], 2, "--threshold nan is no weight: give one from 0 to 1"),
        ([SOURCE, TARGET, "--best"], 1, "no head of bart is known to align best"),
        ([SOURCE, TARGET, "--best", "-l", "1"], 2, "--best is a head by itself: leave out -l/--layer"),
        ([SOURCE, TARGET, "-l", "3"], 1, "no layer 3: there are layers cross.0 to cross.2"),
        ([SOURCE, "word " * 200], 1, "tokens and bart reads at most 127: --truncate cuts it"),
        (["word " * 500], 1, "tokens and bart reads at most 128: --truncate cuts it"),
        ([SOURCE, "-m", "builtin:encoder"], 1, "builtin:encoder has no cross-attention: align takes an enc"),
    ],
)
def test_what_cannot_be_aligned_is_told_in_a_line(
    arguments: list[str], status: int, told: str, bart: str, out: pytest.CaptureFixture[str]
) -> None:
    assert run(["align", "-m", bart, *arguments]) == status
    text, err = out.readouterr()
    assert told in err
    assert err.count("\n") == 1
    assert not text


def test_a_figure_is_made_again_from_its_recipe(
    bart: str, tmp_path: Path, out: pytest.CaptureFixture[str]
) -> None:
    first, again = (str(tmp_path / name) for name in ("first.png", "again.png"))
    options = ["--generate", "7", "--threshold", "0.2", "-l", "cross.2", "--mean", "heads"]
    assert run(["align", SOURCE, "-m", bart, *options, "-o", first]) == 0
    assert run(["replay", first, "-m", bart, "-o", again]) == 0
    assert Path(again).read_bytes() == Path(first).read_bytes()
    assert run(["caption", first]) == 0
    caption = out.readouterr().out
    assert caption.startswith(
        "Cross-attention weights (cross layer 2, mean over heads 0-3; columns are the sou"
    )
    assert "Colours run evenly from 0 to 1." in caption

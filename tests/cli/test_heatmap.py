"""``attnviz heatmap``, called as a user does: exit status, standard output and standard error."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from attnviz.cli.app import run
from attnviz.models.base import Encoded
from attnviz.observe.tiles import Watch
from tests.fakes import FakeSource

SENTENCE = "The cat sat on the mat"
NASTY = [
    "[/INST]", "[red]", r"$\foo$", "</script>", "\x1b[31mred", ":smile:", "שלום", "a\u202eb\u2066c",
    "lone \ud800 one", "x" * 300, "👨‍👩‍👧 e\u0301", "a\nb\tc", "%s {sample} {0}", "'; DROP TABLE--",
    "=1+1", "&amp;", "[MASK] [SEP]",
]  # fmt: skip


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def attnviz(*arguments: str) -> list[str]:
    script = "import sys; from attnviz.cli.app import main; main()"
    return [sys.executable, "-c", script, *arguments]


def test_without_a_choice_there_is_an_overview_and_the_mean_of_the_last_layer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["heatmap", SENTENCE]) == 0
    out, err = capsys.readouterr()
    assert f"builtin:encoder  “{SENTENCE}”" in out
    assert "mean over heads 0-" in out
    assert "head 0" in out
    assert "cat" in out
    assert not err
    assert "\x1b" not in out


def test_chosen_heads_are_shown_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heatmap", SENTENCE, "-l", "0,-1", "-H", "1"]) == 0
    out = capsys.readouterr().out
    assert out.count(", head 1") == 2
    assert "mean" not in out


def test_json_is_one_document_with_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heatmap", SENTENCE, "-H", "0.1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["recipe"]["sample"]["text"] == SENTENCE
    assert document["recipe"]["choice"]["heads"] == "0.1"


def test_several_samples_make_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heatmap", "One cat", "Two dogs", "-H", "0.1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["samples"]) == 2


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg", "json", "csv", "npz"])
def test_a_file_is_the_same_bytes_twice_and_says_how_it_was_made(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}"
    for file in (first, second):
        assert run(["heatmap", SENTENCE, "-H", "1.0,1.1", "-o", str(file)]) == 0
    assert first.read_bytes() == second.read_bytes()
    if suffix == "npz":
        with np.load(first) as arrays:
            assert "fingerprint" in str(arrays["recipe"])
    elif suffix != "pdf":
        assert b"fingerprint" in first.read_bytes()
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_the_numbers_are_those_of_the_capture(tmp_path: Path) -> None:
    from attnviz import capture

    assert run(["heatmap", SENTENCE, "-H", "1.2", "-o", str(tmp_path / "cat.json")]) == 0
    [shown] = json.loads((tmp_path / "cat.json").read_text())["maps"]
    np.testing.assert_allclose(shown["weights"], capture(SENTENCE).map("1.2"), atol=1e-6)
    assert (shown["layer"], shown["head"]) == ("1", "2")


def test_samples_of_a_file_get_a_file_each(tmp_path: Path) -> None:
    (tmp_path / "pair.txt").write_text("The cat sat.\n\nThe dogs bark.\n")
    target = tmp_path / "{sample}.csv"
    assert run(["heatmap", "--file", str(tmp_path / "pair.txt"), "--lines", "-o", str(target)]) == 0
    assert {file.name for file in tmp_path.glob("*.csv")} == {"pair-1.csv", "pair-3.csv"}


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"The dogs bark\n")))
    assert run(["heatmap", "-"]) == 0
    assert "The dogs bark" in capsys.readouterr().out


def test_a_long_text_is_pooled_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heatmap", "The cat sat on the mat. " * 30]) == 0
    assert "pooled:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([""], 1, "text is empty"),
        (["  \n "], 1, "text is empty"),
        ([], 2, "nothing to read: give a TEXT"),
        ([SENTENCE, "-l", "99"], 1, "no layer 99: there are layers 0 to "),
        ([SENTENCE, "-H", "99"], 1, "no head 99 in layer 0: there are heads 0 to "),
        ([SENTENCE, "-l", "abc"], 2, "\"abc\" is no layer"),
        ([SENTENCE, "-m", "no/such-model", "--offline"], 1, "builtin:encoder"),
        ([SENTENCE, "-m", "builtin:nothing"], 1, "builtin:encoder"),
        ([SENTENCE, "-o", "cat.bmp"], 1, "'.bmp'; these are: .png, .pdf"),
        ([SENTENCE, "-o", "no/where/cat.png"], 1, "there is no directory no/where"),
        ([SENTENCE, "-o", "{directory}"], 1, "it is a directory"),
        ([SENTENCE, "--device", "cuda:7"], 1, "no device cuda:7 here"),
        ([SENTENCE, "--vmax", "0"], 2, "--vmax 0 is no weight"),
        ([SENTENCE, "--width", "wide"], 2, "--width 'wide' is no length"),
        ([SENTENCE, "--cmap", "virridis"], 2, "viridis"),
        ([SENTENCE, "--special", "never"], 2, "--special 'never' is none of"),
        ([SENTENCE, "--tokens", "50:"], 1, "--tokens 50: leaves none"),
        ([SENTENCE, "--scale", "cubic"], 2, "'cubic'"),
        ([SENTENCE, "--no-such-option"], 2, "--no-such-option"),
        ([SENTENCE, "--chat"], 1, "chat template"),
        ([SENTENCE, "--file", "x.txt"], 2, "give a TEXT or --file, not both"),
        (["--file", "nothing.txt"], 1, "cannot read nothing.txt: No such file"),
        (["cat " * 600], 1, "--truncate"),
        (["One", "Two", "-o", "cat.png"], 2, "put {sample} into its name"),
        ([SENTENCE, "--json", "-o", "cat.json"], 2, "--json prints to standard output"),
        ([SENTENCE, "--chat", "--pair", "x"], 2, "--pair and --chat do not go together"),
        ([SENTENCE, "-m", "builtin:encoder@v2"], 1, "ships with attnviz: it has no revision v2"),
        ([SENTENCE, "-m", "x" * 300], 1, "builtin:encoder"),
        ([SENTENCE, "-o", "x" * 300 + ".png"], 1, "File name too long"),
        ([SENTENCE, "--width", "100in", "--dpi", "1200"], 2, "16,384 are the most"),
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
    assert (
        run(["heatmap", *(str(tmp_path) if word == "{directory}" else word for word in arguments)]) == status
    )
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert err.startswith("attnviz: ")
    assert message in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"a\0b", "byte 1 is NUL"), (b"caf\xe9", "not UTF-8: byte 3 is 0xe9"), (b"", "stdin is empty")],
)
def test_what_is_no_text_on_standard_input_is_an_error(
    data: bytes, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(["heatmap", "-"]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("suffix", ["", "png", "pdf", "svg", "json", "csv", "npz"])
def test_foreign_text_is_data_everywhere(
    text: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ["-o", str(tmp_path / f"nasty.{suffix}")] if suffix else []
    assert run(["heatmap", f"He said {text} again", "-H", "0.0", *target]) == 0
    out, err = capsys.readouterr()
    assert not {"\x1b", "\u202e", "\u2066", "\ud800"} & set(out + err)
    if suffix in ("svg", "csv", "json"):
        assert "\x1b" not in (tmp_path / f"nasty.{suffix}").read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", ["", "svg", "pdf", "png"])
def test_a_title_is_data_too(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = ["-o", str(tmp_path / f"title.{suffix}")] if suffix else []
    assert run(["heatmap", SENTENCE, "-H", "0.0", "--title", "\x1b[31m\x01\ud800$\\foo$", *target]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_terminal_without_unicode_gets_escapes() -> None:
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = subprocess.run(attnviz("heatmap", "naïve 猫"), env=ascii_only, capture_output=True, check=False)
    assert (command.returncode, command.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_standard_output_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        command = subprocess.run(
            attnviz("heatmap", SENTENCE), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (command.returncode, command.stderr.count(b"\n")) == (1, 1)
    assert b"cannot write to standard output: No space left" in command.stderr


def test_a_closed_pipe_ends_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    command = subprocess.run(attnviz("heatmap", SENTENCE), stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (command.returncode, command.stderr) == (0, b"")


def test_an_interrupt_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "never"
    os.mkfifo(fifo)
    command = subprocess.Popen(attnviz("heatmap", "--file", str(fifo)), stderr=subprocess.PIPE)
    time.sleep(2)  # until it waits for the text
    command.send_signal(signal.SIGINT)
    _, err = command.communicate()
    assert command.returncode == 130
    assert b"Traceback" not in err


def test_an_interrupted_run_leaves_only_whole_files(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("The cat sat on the mat.\n" * 500)
    target = str(tmp_path / "{sample}.png")
    command = subprocess.Popen(
        attnviz("heatmap", "--file", str(tmp_path / "many.txt"), "--lines", "-o", target, "--dpi", "600"),
        stderr=subprocess.PIPE,
    )
    while len(list(tmp_path.glob("*.png"))) < 2 and command.poll() is None:
        time.sleep(0.02)
    command.send_signal(signal.SIGINT)
    _, err = command.communicate()
    assert command.returncode == 130
    assert b"Traceback" not in err
    written = [file for file in tmp_path.iterdir() if file.name != "many.txt"]
    assert 2 <= len(written) < 500
    assert all(file.suffix == ".png" and file.read_bytes().endswith(b"IEND\xaeB`\x82") for file in written)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["One cat", " ", "Two dogs"], "text-2 is empty: give at least one word"),
        (["One cat", "--pair", ""], "the second segment of text is empty: give at least one word"),
    ],
)
def test_an_empty_text_among_others_fails_before_the_model_is_loaded(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("attnviz.api.load_model", lambda *_, **__: pytest.fail("the model was loaded"))
    assert run(["heatmap", *arguments, "-o", str(tmp_path / "{sample}.png")]) == 1
    assert capsys.readouterr().err == f"attnviz: {message}\n"
    assert not list(tmp_path.iterdir())


def test_memory_that_runs_out_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(FakeSource):
        def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
            super().run(batch, watches)
            torch.empty(2**50)

    monkeypatch.setattr("attnviz.api.load_model", lambda *_, **__: Full())
    assert run(["heatmap", SENTENCE]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("attnviz: memory ran out while fake read 8 tokens: what was asked for takes 2 kB")
    assert err.count("\n") == 1


def test_alone_it_shows_three_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert capsys.readouterr().out.count("  attnviz ") == 3


@pytest.mark.parametrize("view", ["maps", "atlas", "lines", "strip"])
def test_every_view_is_shown_and_written(
    view: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--view", view, *(["--query", "cat"] if view == "strip" else [])]
    assert run(["heatmap", SENTENCE, *options]) == 0
    assert "cat" in capsys.readouterr().out
    for suffix in ("png", "pdf", "svg", "json"):
        assert run(["heatmap", SENTENCE, *options, "-o", str(tmp_path / f"a.{suffix}")]) == 0


@pytest.mark.parametrize(
    ("query", "token"), [("5", "“␣”, token 5"), ("6", "“5”, token 6"), ("5 dogs", "“5”, token 6")]
)
def test_a_query_means_the_same_token_wherever_it_is_named(
    query: str, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in (["--view", "strip", "--query", query], ["--explain", query]):
        assert run(["heatmap", "5 cats and 5 dogs", *options]) == 0
        assert token in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--view", "strip"], "--view strip goes with --query"),
        (["--query", "cat"], "--view strip goes with --query"),
        (["--view", "strip", "--query", "dog"], "'dog' is none of the tokens"),
        (["--view", "atlas", "--mean", "heads"], "leave out --mean heads"),
        (["--width", "acm"], "write acl or acl:page"),
        (["--view", "lines", "-o", "a.tex"], ".tex is no format for what this shows; these are: .png"),
    ],
)
def test_a_view_that_cannot_be_is_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["heatmap", SENTENCE, *options]) in (1, 2)
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1

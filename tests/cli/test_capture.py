"""``attnviz capture`` and ``--from``, called as a user does."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import attnviz
from attnviz.cli.app import run
from attnviz.errors import InputError
from attnviz.observe import memory
from attnviz.stored import files

SENTENCE = "The cat sat on the mat"


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cat.safetensors"


def test_what_was_kept_looks_as_on_a_live_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", SENTENCE, "The dogs bark", "-o", str(file)]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"attnviz: wrote {file} (2 samples, ")
    assert err.endswith(" kB)\n")
    for choice in (
        [],
        ["-H", "2.4", "--words", "--special", "hide"],
        ["-l", "1-2", "--mean", "heads", "--tokens", "1:-1"],
        ["-H", "0.1", "--json"],
    ):
        assert run(["heatmap", SENTENCE, "The dogs bark", *choice]) == 0
        live = capsys.readouterr().out
        assert run(["heatmap", "--from", str(file), *choice]) == 0
        assert capsys.readouterr().out == live


def test_samples_of_a_capture_get_a_file_each(file: Path) -> None:
    assert run(["capture", "One cat", "Two dogs", "-o", str(file)]) == 0
    assert run(["heatmap", "--from", str(file), "-H", "0.1", "-o", str(file.with_name("{sample}.csv"))]) == 0
    assert {made.name for made in file.parent.glob("*.csv")} == {"text-1.csv", "text-2.csv"}


def test_json_says_what_was_kept_and_how(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["capture", SENTENCE, "-o", str(file), "--keep", "2.4", "--pooled", "3", "--json"]
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert not err
    document = json.loads(out)
    assert (document["schema"], document["file"], document["bytes"]) == (1, str(file), file.stat().st_size)
    [sample] = document["samples"]
    assert sample["maps"] == {"2": [4]}
    assert sample["pooled"]["3"] == list(range(8))
    assert sample["tokens"] == {"": [8, 8]}
    assert sample["recipe"]["sample"]["text"] == SENTENCE


def test_no_map_need_be_kept(file: Path) -> None:
    assert run(["capture", SENTENCE, "-o", str(file), "--keep", "none", "--pooled", "4"]) == 0
    seen = attnviz.load(file)
    assert not seen.maps
    assert seen.pooled["3"].weights.shape == (8, 4, 4)


def test_a_text_can_be_left_out(file: Path) -> None:
    assert run(["capture", "The xylophone sat", "-o", str(file), "--no-text"]) == 0
    assert b"xyl" not in file.read_bytes()
    assert "text_sha256" in files.read_recipe(file).sample


def test_a_npz_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = np.full((1, 2, 3, 3), 1 / 3, np.float32)
    np.savez(tmp_path / "mine.npz", attention=weights, tokens=np.array(["a", "b", "c"]))
    assert run(["heatmap", "--from", str(tmp_path / "mine.npz"), "-H", "0.1"]) == 0
    out = capsys.readouterr().out
    assert "mine  “a b c”" in out
    assert out.count("░.33") == 9


@pytest.mark.parametrize("name", ["cat.safetensors", "cat.npz"])
def test_looking_again_loads_no_heavy_library(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    if file.suffix == ".npz":
        np.savez(file, attention=np.full((1, 2, 3, 3), 1 / 3), tokens=np.array(["a", "b", "c"]))
    else:
        assert run(["capture", SENTENCE, "-o", str(file)]) == 0
    script = (
        "import sys; from attnviz.cli.app import run; "
        f"assert run(['heatmap', '--from', {str(file)!r}]) == 0; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "rich" in loaded
    assert not loaded & {"torch", "transformers", "matplotlib", "tokenizers", "safetensors", "regex"}


def test_a_model_of_the_environment_is_no_mistake(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["capture", SENTENCE, "-o", str(file)]) == 0
    monkeypatch.setenv("ATTNVIZ_MODEL", "no/such-model")
    assert run(["heatmap", "--from", str(file)]) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["heatmap", "--from", "{file}", SENTENCE], 2, "runs no model: leave out TEXT"),
        (["heatmap", "--from", "{file}", "-m", "builtin:encoder"], 2, "runs no model: leave out --model"),
        (["heatmap", "--from", "{file}", "--device", "cpu"], 2, "leave out --device"),
        (["heatmap", "--from", "{file}", "--dtype", "float32"], 2, "leave out --dtype"),
        (["heatmap", "--from", "{file}", "--chat"], 2, "leave out --chat"),
        (["heatmap", "--from", "{file}", "--truncate"], 2, "leave out --truncate"),
        (["heatmap", "--from", "{file}", "-l", "9"], 1, "no layer 9: there are layers 0 to 3"),
        (["heatmap", "--from", "{file}", "-H", "2.5"], 1, "no map of head 2.5 was kept, but of 2.4"),
        (["heatmap", "--from", "{file}", "--mean", "heads"], 1, "attnviz capture --keep all"),
        (["heatmap", "--from", "none.safetensors"], 1, "cannot read none.safetensors: No such file"),
        (["heatmap", "--from", "."], 1, "cannot read .: Is a directory"),
        (["capture", SENTENCE], 2, "'-o'"),
        (["capture", "-o", "new.safetensors"], 2, "nothing to read: give a TEXT"),
        (["capture", SENTENCE, "-o", "{sample}.safetensors"], 2, "in one capture, so leave {sample} out"),
        (["capture", SENTENCE, "-o", "new.safetensors", "--keep", ""], 2, """keep (--keep) '': "" is no"""),
        (["heatmap", SENTENCE, "-l", "\u0663"], 2, "is no layer"),
        (["capture", SENTENCE, "-o", "new.npz"], 1, "a capture is a .safetensors file"),
        (["capture", SENTENCE, "-o", "no/new.safetensors"], 1, "there is no directory no"),
        (["capture", SENTENCE, "-o", "new.safetensors", "--keep", "9.1"], 1, "no layer 9"),
        (["capture", SENTENCE, "-o", "new.safetensors", "--pooled", "0"], 2, "greater than or equal to 1"),
        (["capture", SENTENCE, "-o", "note.safetensors", "-m", "no"], 1, "that is no capture; --force"),
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
    assert run(["capture", SENTENCE, "-o", "kept.safetensors", "--keep", "2.4"]) == 0
    (tmp_path / "note.safetensors").write_text("not a capture")
    capsys.readouterr()
    assert run([word.replace("{file}", "kept.safetensors") for word in arguments]) == status
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert err.startswith("attnviz: ")
    assert message in err
    assert {made.name for made in tmp_path.iterdir()} == {"kept.safetensors", "note.safetensors"}


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["capture", "-o", "new.safetensors", "--no-statistics"], "keep fewer, such as --keep 3.5,7.1, or "
         "pooled ones: --keep none --pooled 256"),
        (["capture", "-o", "new.safetensors", "--keep", "none"], "leave them out with --no-statistics"),
        (["heatmap"], "choose fewer with -l/--layer and -H/--head, or leave out --tokens, --special and"),
        (["heads"], "read a shorter text"),
        (["doctor"], "give a shorter TEXT"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_answered_with_options_that_the_command_has(
    arguments: list[str],
    advice: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(memory, "available", lambda: 10)
    monkeypatch.setattr(memory, "ALWAYS", 0)
    assert run([arguments[0], SENTENCE, *arguments[1:]]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"are free: {advice}" in told


def test_the_library_is_told_its_own_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 10)
    monkeypatch.setattr(memory, "ALWAYS", 0)
    with pytest.raises(InputError, match=r'keep fewer \(keep="3.5,7.1"\)'):
        attnviz.capture(SENTENCE, statistics=False)
    with pytest.raises(InputError, match=r"leave them out \(statistics=False\)"):
        attnviz.capture(SENTENCE, keep=None)


@pytest.mark.parametrize(
    ("keep", "drawn", "note"),
    [
        ("2.4,3.1", ["layer 2, head 4", "layer 3, head 1"], "only maps of 2.4, 3.1 were kept"),
        ("1,3", ["2 layers × 8 heads", "layer 3, mean over heads 0-7"], "only maps of 1.0, 1.1, 1.2"),
    ],
)
def test_without_a_choice_the_maps_that_were_kept_are_drawn(
    file: Path, keep: str, drawn: list[str], note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["capture", SENTENCE, "--keep", keep, "-o", str(file)]) == 0
    capsys.readouterr()
    assert run(["heatmap", "--from", str(file)]) == 0
    out = capsys.readouterr().out
    assert all(title in out for title in drawn)
    assert note in out


def test_pooled_maps_that_were_kept_can_be_chosen(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", SENTENCE, "--keep", "none", "--pooled", "4", "-o", str(file)]) == 0
    capsys.readouterr()
    assert run(["heatmap", "--from", str(file), "-H", "1.1"]) == 0
    out = capsys.readouterr().out
    assert "layer 1, head 1" in out
    assert "pooled while the model ran: groups of 2 queries" in out

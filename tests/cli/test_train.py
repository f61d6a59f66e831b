"""``attnviz train``, called as a user does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from attnviz.builtin import store, tasks
from attnviz.builtin.encoder import questions, task
from attnviz.builtin.encoder.model import EncoderConfig, MaskedLanguageModel
from attnviz.builtin.encoder.task import EncoderTask
from attnviz.builtin.schedule import Schedule
from attnviz.cli.app import run

TINY = EncoderTask(
    EncoderConfig(vocabulary=400, d_model=20, heads=2, d_ff=12, layers=1, positions=128),
    Schedule(steps=4, round=2, batch=5, rate=3e-3), reads=2, lexicon=40,
)  # fmt: skip

DECODER = str(store.shipped("decoder"))


def test_a_trained_directory_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(tasks.TASKS, "encoder", lambda: TINY)
    monkeypatch.setattr(task, "EXAM", 5)
    assert run(["train", "encoder"]) == 0
    out, err = capsys.readouterr()
    assert "attnviz-encoder is trained" in out
    assert "loss" in err
    assert "held-out accuracy" in err
    assert run(["heatmap", "The dogs bark", "-m", "attnviz-encoder", "-H", "0.1"]) == 0
    assert "layer 0, head 1" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["encoder", "decoder", "classifier"])
def test_a_model_of_your_own_sizes_can_be_looked_at(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {
        "encoder": {"lexicon": 40},
        "decoder": {"lexicon": 20, "stories": 9},
        "classifier": {"stories": 70},
    }
    smaller = replace(tasks.TASKS[name](), **few[name])
    smaller = replace(smaller, schedule=replace(smaller.schedule, round=2, batch=4))
    monkeypatch.setitem(tasks.TASKS, name, lambda: smaller)
    sizes = ["--n-heads", "2", "--n-layers", "3", "--d-model", "20", "--steps", "3", "--seed", "5"]
    directory = str(tmp_path / "mine")
    assert run(["train", name, *sizes, "-o", directory]) == 0
    record = store.training_record(tmp_path / "mine")
    assert len(record["history"]) == 2
    assert record["task"]["schedule"]["seed"] == 5
    capsys.readouterr()
    assert run(["heads", "The dogs bark", "-m", directory, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["heads"]
    assert [row["head"] for row in rows] == [f"{layer}.{head}" for layer in range(3) for head in range(2)]
    assert run(["train", name, *sizes, "--n-heads", "5", "-o", directory]) == 1
    assert "holds a model of another training" in capsys.readouterr().err


def test_a_model_that_has_learnt_nothing_fails_its_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = store.load(store.shipped("encoder"), MaskedLanguageModel)
    torch.manual_seed(0)
    store.save(tmp_path / "blank", MaskedLanguageModel(stored.model.config), stored.tokenizer, {})
    few = questions.draw(read=800, hard=100, agreements=100)
    monkeypatch.setattr("attnviz.builtin.encoder.check.draw", lambda: few)
    assert run(["train", "encoder", "--check", "-o", str(tmp_path / "blank")]) == 3
    out = capsys.readouterr().out
    assert "Not reached: verb-subject" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_place_that_is_no_directory_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert run(["train", "encoder", "-o", str(tmp_path / "file")]) == 1
    told = f"cannot make the directory {tmp_path}/file: it is a file; name another directory"
    assert told in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nobody"], 2, "no model nobody to train: there is encoder, decoder, classifier"),
        (
            ["encoder", "--n-heads", "5"],
            2,
            "d_model 128 cannot be divided into 5 heads of the same size; --n-heads "
            "1, 2, 4, 8, 16, 32, 64 would do",
        ),
        (["encoder", "--n-heads", "1", "--d-model", "9"], 2, "an even --d-model would do"),
        (["encoder", "--device", "cuda:9", "--steps", "1", "-o", "{new}"], 1, "no device cuda:9 here"),
        (
            ["encoder", "--check", "-o", "no"],
            1,
            "no holds no model that attnviz train made: there is no such",
        ),
        (["encoder", "--check", "-o", str(Path(__file__).parent)], 1, "it has no config.json of one"),
        (["encoder", "--check", "-o", DECODER], 1, "holds the model of attnviz train decoder, not that of"),
        (["encoder", "--threads", "0"], 2, "--threads"),
        ([], 2, "NAME"),
    ],
)
def test_an_error_is_one_line(
    arguments: list[str], status: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", *(argument.format(new=tmp_path / "new") for argument in arguments)]) == status
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert message in err

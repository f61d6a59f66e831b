"""``attnviz train sweep``, called as a user does."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from attnviz.builtin import store, tasks
from attnviz.builtin.encoder import questions, task
from attnviz.builtin.encoder.check import check
from attnviz.builtin.encoder.task import EncoderTask
from attnviz.builtin.outcome import Outcome
from attnviz.cli.app import run
from attnviz.sweeping import ASKED, sweep
from tests.builtin.test_train import TINY


@dataclass(frozen=True)
class Quick(EncoderTask):
    """Asks a few questions alone."""

    def check(self, directory: Path) -> Outcome:
        return check(directory, questions.draw(read=300, hard=30, agreements=30))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Quick(replace(TINY.model, heads=1), TINY.schedule, reads=2, lexicon=40)
    monkeypatch.setitem(tasks.TASKS, "encoder", lambda: tiny)
    monkeypatch.setattr(task, "EXAM", 5)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def test_each_number_of_heads_is_trained_and_asked_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "swept"
    command = ["train", "sweep", "--n-heads", "2,1", "--snapshots", "2", "-o", str(place)]
    assert run(command) == 0
    out, _ = capsys.readouterr()
    assert out.startswith("encoder with 1, 2 heads a layer, 5 steps each, seed 7\n")
    assert "agreement in number" in out
    assert max(map(len, out.splitlines())) <= 80
    assert sorted(path.name for path in place.iterdir()) == ["heads-1", "heads-2", "sweep.json", "sweep.png"]
    assert (place / "heads-2" / "snapshots" / "000005" / store.CONFIG).exists()
    document = json.loads((place / "sweep.json").read_text())
    assert [model["heads"] for model in document["models"]] == [1, 2]
    assert [sum(model["patterns"].values()) for model in document["models"]] == [1, 2]
    assert document["models"][0]["distance"] is None  # of one head in all
    assert 0 < document["models"][1]["distance"] < 1
    assert run(["heads", "The dogs bark", "-m", str(place / "heads-2")]) == 0
    trained = (place / "heads-1" / store.WEIGHTS).stat().st_mtime_ns
    capsys.readouterr()
    monkeypatch.setattr(Quick, "check", None)
    assert run(command) == 0
    assert capsys.readouterr().out == out
    assert (place / "heads-1" / store.WEIGHTS).stat().st_mtime_ns == trained


def test_what_was_found_of_other_weights_or_cannot_be_read_is_asked_again(tmp_path: Path) -> None:
    sweep("encoder", tmp_path, heads=[2])
    kept = tmp_path / "heads-2" / ASKED
    whole = kept.read_text()
    for damaged in (whole.replace('"weights": "', '"weights": "other'), whole[:100]):
        kept.write_text(damaged)
        sweep("encoder", tmp_path, heads=[2])
        assert kept.read_text() == whole


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep"], "a sweep takes the numbers of heads to train: --n-heads 1,4,8"),
        (["sweep", "--n-heads", "1,3"], "3"),
        (["sweep", "--n-heads", "0"], "0"),
        (["sweep", "--n-heads", "1,two"], "'two' is no whole number"),
        (["sweep", "nobody", "--n-heads", "1"], "no model nobody to train"),
        (["sweep", "--n-heads", "1", "--check"], "--check is of one model"),
        (["encoder", "--n-heads", "1,2"], "one number of heads, or attnviz train sweep encoder"),
        (["encoder", "decoder"], "'decoder' is one name too many"),
        (["sweep", "--n-heads", "1", "--snapshots", "-1"], "--snapshots"),
    ],
)
def test_an_error_is_one_line_before_anything_is_trained(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", *arguments, "-o", str(tmp_path / "none")]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "none").exists()

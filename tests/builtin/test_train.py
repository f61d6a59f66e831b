"""Training: drawn from its seed, whole words masked, and unharmed by interruptions."""

import json
import resource
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from attnviz.builtin import checkpoint, store
from attnviz.builtin.encoder import task as encoder_task
from attnviz.builtin.encoder.masking import Masking
from attnviz.builtin.encoder.model import EncoderConfig, MaskedLanguageModel
from attnviz.builtin.encoder.task import EncoderTask
from attnviz.builtin.language import stories
from attnviz.builtin.schedule import Courses, Progress, Schedule
from attnviz.builtin.tokenizer import MASK, PAD
from attnviz.builtin.train import train
from attnviz.errors import ModelError, OutputError

TINY = EncoderTask(
    EncoderConfig(vocabulary=400, d_model=20, heads=2, d_ff=12, layers=1, positions=128),
    Schedule(steps=5, round=2, batch=5, rate=3e-3, seed=7),
    reads=2,
    lexicon=40,
)


@pytest.fixture(autouse=True, scope="module")
def _small_exam():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_task, "EXAM", 5)
        yield


class Killed(BaseException):
    """What the test stops a training with."""


def kill_at(step: int):
    def report(progress: Progress) -> None:
        if progress.step == step:
            raise Killed

    return report


def contents(directory) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("trained") / "encoder"
    train(directory, TINY)
    return directory


def test_a_trained_directory_is_a_model(trained) -> None:
    assert set(contents(trained)) == {"config.json", "model.safetensors", "tokenizer.json"}
    stored = store.load(trained, MaskedLanguageModel)
    assert stored.model.config == TINY.model
    assert not stored.model.training
    record = store.training_record(trained)
    assert record["task"] == json.loads(json.dumps(TINY.as_json()))
    assert [round for round, _, _ in record["history"]] == [0, 1, 2]


@pytest.mark.parametrize("step", [1, 3, 4, 5])
def test_a_training_killed_at_any_step_and_taken_up_again_ends_in_the_same_files(
    trained, tmp_path, step
) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(step))
    assert not store.architecture_in(tmp_path)
    reported = []
    train(tmp_path, TINY, report=reported.append)
    begun = (step - 1) // 2 * 2  # the last round that was whole
    ends = [step for step in (2, 4, 5) if step > begun]  # of rounds: told again, with what they came to
    assert [progress.step for progress in reported] == sorted([0, *range(begun + 1, 6), *ends])
    assert [point.round for point in reported[-1].history] == [0, 1, 2]
    assert {progress.begun for progress in reported[1:]} == {begun}
    assert contents(tmp_path) == contents(trained)


def test_a_checkpoint_that_was_being_written_does_no_harm(trained, tmp_path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(5))
    (tmp_path / "checkpoint.safetensors.part").write_bytes(b"half a checkpo")
    train(tmp_path, TINY)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_a_finished_training_is_left_alone(trained) -> None:
    train(trained, TINY, report=lambda _: pytest.fail("trained again"))


OTHER = replace(TINY, schedule=replace(TINY.schedule, seed=8))


def test_a_directory_with_another_model_is_left_alone(trained) -> None:
    before = contents(trained)
    with pytest.raises(ModelError, match=r"holds a model of another training: .* or --force replaces it"):
        train(trained, OTHER)
    assert contents(trained) == before


def test_an_unfinished_training_is_not_gone_on_with_other_settings(tmp_path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(1))
    with pytest.raises(
        ModelError, match=r"unfinished training with other settings \(schedule.seed 7, now 8\)"
    ):
        train(tmp_path, OTHER)


def test_force_begins_anew(trained, tmp_path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, OTHER, report=kill_at(4))
    train(tmp_path, TINY, force=True)
    assert contents(tmp_path) == contents(trained)
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(1), force=True)
    assert not store.architecture_in(tmp_path)


def test_files_of_somebody_else_are_replaced_by_force_alone(trained, tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(OutputError, match=r"it holds config\.json, and no training"):
        train(tmp_path, TINY)
    assert contents(tmp_path) == before
    train(tmp_path, TINY, force=True)
    assert contents(tmp_path) == {**contents(trained), "notes.txt": b"mine"}


SCRIPT = """
import sys
from pathlib import Path
from attnviz.builtin.encoder import task
from attnviz.builtin.encoder.model import EncoderConfig
from attnviz.builtin.schedule import Schedule
from attnviz.builtin.train import train
from attnviz.errors import AttnvizError
task.EXAM = 5
config = EncoderConfig(vocabulary=400, d_model=20, heads=2, d_ff=12, layers=1, positions=128)
course = Schedule(steps=5, round=2, batch=5, rate=3e-3, seed=7)
def report(progress):
    print(progress.step, flush=True)
    sys.stdin.readline()
try:
    train(Path(sys.argv[1]), task.EncoderTask(config, course, reads=2, lexicon=40), report=report)
except AttnvizError as error:
    sys.exit(str(error))
"""


def training(directory, **options) -> subprocess.Popen:
    """The training in a process of its own, which waits for a line after each step."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(directory)], **pipes, **options)


def test_a_training_killed_for_good_again_and_again_ends_in_the_same_files(trained, tmp_path) -> None:
    for steps in (2, 3, 4):
        process = training(tmp_path)
        for _ in range(steps):
            assert process.stdout.readline()
            process.stdin.write("\n")
            process.stdin.flush()
        process.stdout.readline()
        process.kill()
        process.communicate()
    process = training(tmp_path)
    _, errors = process.communicate("\n" * 9)
    assert (process.returncode, errors) == (0, "")
    assert contents(tmp_path) == contents(trained)


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_on_a_full_disk_nothing_is_lost_that_was_saved(trained, tmp_path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(3))
    before = contents(tmp_path)
    assert len(before["checkpoint.safetensors"]) > 30_000
    process = training(tmp_path, preexec_fn=limited)
    _, errors = process.communicate("\n" * 9)
    assert process.returncode == 1
    assert errors.startswith("cannot write")
    assert errors.count("\n") == 1
    assert contents(tmp_path) == before
    train(tmp_path, TINY)
    assert contents(tmp_path) == contents(trained)


def test_a_checkpoint_that_cannot_be_read_back_does_not_replace_the_one_before(tmp_path, monkeypatch) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(3))
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    monkeypatch.setattr(checkpoint, "write_whole", lambda path, data: path.write_bytes(data[:-1]))
    with pytest.raises(OutputError, match="was not written as it should be; the checkpoint before is kept"):
        train(tmp_path, TINY)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_a_damaged_checkpoint_is_named(tmp_path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(5))
    (tmp_path / "checkpoint.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(ModelError, match=r"checkpoint.safetensors cannot be read, delete it to begin again"):
        train(tmp_path, TINY)


def test_the_step_size_rises_then_falls_to_nothing() -> None:
    schedule = Schedule(steps=1, round=1, batch=1, rate=3.0, warmup=0.25)
    sizes = [schedule.rate_at(progress) for progress in (0, 0.125, 0.25, 0.625, 1)]
    assert sizes == [0, 1.5, 3, 1.5, 0]


@pytest.fixture(scope="module")
def tokenizer():
    return TINY.tokenizer()


def test_whole_words_are_masked_at_the_rate_asked_for(tokenizer) -> None:
    task = replace(
        TINY,
        schedule=replace(TINY.schedule, round=10, batch=100),
        masking=Masking(rate=0.3, hidden=0.8, random=0.1),
    )
    asked = shown = total = kept = read = 0
    for batch in task.batches(tokenizer, 0):
        assert not batch.asked[~batch.real].any()
        assert batch.ids[~batch.real].eq(PAD).all()
        read += len(batch.ids)
        asked += int(batch.asked.sum())
        shown += int(batch.ids.eq(MASK).sum())
        kept += int(batch.ids[batch.asked].eq(batch.answers).sum())
        total += int(batch.real.sum()) - 2 * len(batch.ids)
    assert read == 500 * TINY.reads
    assert asked / total == pytest.approx(0.3, abs=0.03)
    assert shown / asked == pytest.approx(0.8, abs=0.03)
    assert kept / asked == pytest.approx(0.1, abs=0.03)


def test_training_and_examination_draw_from_their_own_splits(tokenizer, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(
        encoder_task, "stories", lambda seed, split: drawn.append((seed, split)) or stories(seed, split=split)
    )
    next(TINY.batches(tokenizer, 0))
    next(TINY.batches(tokenizer, 1))
    questions = TINY.exam(tokenizer)
    assert [split for _, split in drawn] == ["train", "train", "test"]
    assert len({seed for seed, _ in drawn}) == 3
    assert all(batch.ids[batch.asked].eq(MASK).all() for batch in questions)


def test_texts_longer_than_any_in_training_can_be_read() -> None:
    torch.manual_seed(0)
    model = MaskedLanguageModel(EncoderConfig(vocabulary=11, d_model=8, heads=2, d_ff=8, layers=1))
    assert model(torch.randint(11, (1, 512))).isfinite().all()


def test_the_step_size_of_several_courses_rises_and_falls_in_each() -> None:
    courses = Courses(steps=10, round=1, batch=1, rate=4.0, warmup=0.5, parts=(0.4, 0.6), again=0.5)
    sizes = [courses.rate_at(step / 10) for step in range(11)]
    assert sizes == pytest.approx([0, 2, 4, 2, 0, 2 / 3, 4 / 3, 2, 4 / 3, 2 / 3, 0])

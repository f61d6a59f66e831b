"""Training: drawn from its seed, whole words masked, and unharmed by interruptions."""

import json
from dataclasses import replace

import pytest
import torch

from attnviz.builtin import store
from attnviz.builtin.encoder import task as encoder_task
from attnviz.builtin.encoder.masking import Masking
from attnviz.builtin.encoder.model import EncoderConfig, MaskedLanguageModel
from attnviz.builtin.encoder.task import EncoderTask
from attnviz.builtin.language import stories
from attnviz.builtin.schedule import Progress, Schedule
from attnviz.builtin.tokenizer import MASK, PAD
from attnviz.builtin.train import train
from attnviz.errors import ModelError

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
    assert [progress.step for progress in reported] == list(range(begun + 1, 6))
    assert {progress.begun for progress in reported} == {begun}
    assert contents(tmp_path) == contents(trained)


def test_a_checkpoint_that_was_being_written_does_no_harm(trained, tmp_path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, report=kill_at(5))
    (tmp_path / "checkpoint.safetensors.part").write_bytes(b"half a checkpo")
    train(tmp_path, TINY)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_a_finished_training_is_left_alone(trained) -> None:
    train(trained, TINY, report=lambda _: pytest.fail("trained again"))


@pytest.mark.parametrize("step", [None, 5], ids=["finished", "unfinished"])
def test_a_directory_of_another_training_is_refused(tmp_path, step) -> None:
    if step is None:
        train(tmp_path, TINY)
    else:
        with pytest.raises(Killed):
            train(tmp_path, TINY, report=kill_at(step))
    with pytest.raises(ModelError, match="belongs to a training with other settings"):
        train(tmp_path, replace(TINY, schedule=replace(TINY.schedule, seed=8)))


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

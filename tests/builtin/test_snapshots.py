"""Snapshots: taken at their steps, models of their own, and without an effect on the training."""

import pytest
import torch

from attnviz.builtin import snapshots, store
from attnviz.builtin.encoder import task as encoder_task
from attnviz.builtin.encoder.model import MaskedLanguageModel
from attnviz.builtin.snapshots import spread, taken_in
from attnviz.builtin.train import train
from attnviz.errors import ModelError
from tests.builtin.test_train import TINY, Killed, contents, kill_at

SHOTS = 4


@pytest.fixture(autouse=True, scope="module")
def _small_exam():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_task, "EXAM", 5)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("trained") / "encoder"
    train(directory, TINY, shots=SHOTS)
    return directory


@pytest.mark.parametrize(
    ("steps", "count", "expected"),
    [
        (4000, 0, ()),
        (4000, 1, (4000,)),
        (4000, 2, (0, 4000)),
        (1024, 5, (0, 4, 25, 161, 1024)),
        (3, 9, (0, 1, 2, 3)),
    ],
)
def test_early_steps_stand_closer_than_late_ones(steps: int, count: int, expected: tuple[int, ...]) -> None:
    assert spread(steps, count) == expected


def test_each_snapshot_is_a_model_as_it_was(trained) -> None:
    taken = taken_in(trained)
    assert [step for step, _ in taken] == [0, 1, 2, 5]
    models = [store.load(place, MaskedLanguageModel).model for _, place in taken]
    torch.manual_seed(TINY.schedule.seed)
    untrained = TINY.new_model()
    for name, weights in models[0].state_dict().items():
        torch.testing.assert_close(weights, untrained.state_dict()[name].half().float())
    assert (taken[-1][1] / store.CONFIG).read_bytes() == (trained / store.CONFIG).read_bytes()
    last, final = models[-1].state_dict(), store.load(trained, MaskedLanguageModel).model.state_dict()
    assert all(torch.equal(last[name], final[name]) for name in final)
    assert store.training_record(taken[2][1])["step"] == 2


def test_snapshots_change_no_weight(trained, tmp_path) -> None:
    train(tmp_path, TINY)
    assert (tmp_path / store.WEIGHTS).read_bytes() == (trained / store.WEIGHTS).read_bytes()


def test_a_training_that_was_killed_takes_the_same_ones(trained, tmp_path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, TINY, shots=SHOTS, report=kill_at(3))
    train(tmp_path, TINY, shots=SHOTS)
    for (step, ours), (_, theirs) in zip(taken_in(tmp_path), taken_in(trained), strict=True):
        assert contents(ours) == contents(theirs), step


@pytest.mark.parametrize("step", [4, None])
def test_what_went_by_cannot_be_taken_any_more(tmp_path, step: int | None) -> None:
    if step is None:
        train(tmp_path, TINY)
    else:
        with pytest.raises(Killed):
            train(tmp_path, TINY, report=kill_at(step))
    with pytest.raises(ModelError, match="was trained beyond step 0 and did not keep it"):
        train(tmp_path, TINY, shots=SHOTS)


def test_a_directory_without_snapshots_says_how_to_have_some(tmp_path) -> None:
    with pytest.raises(
        ModelError, match="holds no snapshots of a training: attnviz train NAME --snapshots N"
    ):
        taken_in(tmp_path)
    (tmp_path / snapshots.NAME / "000003").mkdir(parents=True)
    with pytest.raises(ModelError, match="holds no snapshots"):
        taken_in(tmp_path)

"""What fits into memory, and what is refused before the run."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from attnviz.errors import InputError, RoomError
from attnviz.inputs import Sample
from attnviz.models.base import Encoded
from attnviz.observe import memory
from attnviz.observe.keep import KeepMaps
from attnviz.observe.means import HeadMeans
from attnviz.observe.memory import Need, check_room
from attnviz.observe.run import observe
from attnviz.observe.tiles import Watch
from tests.fakes import FakeSource
from tests.observe.looking import TEXT


def machine(directory: Path, available: int, limit: str, used: int) -> tuple[Path, Path]:
    (directory / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable:    {available} kB\n")
    (directory / "memory.max").write_text(f"{limit}\n")
    (directory / "memory.current").write_text(f"{used}\n")
    return directory / "meminfo", directory


@pytest.mark.parametrize(
    ("available", "limit", "used", "expected"),
    [(1000, "max", 7, 1000 * 1024), (1000, "5000", 2000, 3000), (1, "5000", 2000, 1024)],
)
def test_the_smaller_of_system_and_control_group_counts(
    tmp_path: Path, available: int, limit: str, used: int, expected: int
) -> None:
    assert memory.available(*machine(tmp_path, available, limit, used)) == expected


def test_where_nothing_can_be_read_nothing_is_known(tmp_path: Path) -> None:
    assert memory.available(tmp_path / "none", tmp_path / "none") is None


def test_what_does_not_fit_is_refused_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 10_000_000_000)
    memory.check_fits(7_900_000_000, what="maps", instead="choose fewer")
    told = r"maps take 8\.1 GB, and 10\.0 GB are free, 80% of which may be used: choose fewer"
    with pytest.raises(InputError, match=told):
        memory.check_fits(8_100_000_000, what="maps", instead="choose fewer")


def test_what_is_needed_together_counts_and_the_largest_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 10_000_000_000)
    small, large = (
        Need(3_000_000_000, "words", "take no words"),
        Need(0, "maps", "choose fewer", 6_000_000_000),
    )
    check_room([small, Need(0, "means", "take none", 5_000_000_000)])
    told = r"maps take 6\.0 GB of the 9\.0 GB that are needed, and 10\.0 GB are free, 80% .*: choose"
    with pytest.raises(InputError, match=told):
        check_room([small, large])


def test_the_memory_of_a_gpu_counts_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 10_000_000_000)
    monkeypatch.setattr(memory, "free_on", {"cuda:1": 5_000_000_000}.get)
    needs = [Need(7_000_000_000, "maps", "choose fewer", 1_000_000_000)]
    check_room(needs, "cuda:1")
    with pytest.raises(
        InputError, match=r"rollouts take 4\.5 GB of the 5\.5 GB .* 5\.0 GB are free on cuda:1: no"
    ):
        check_room([*needs, Need(0, "rollouts", "no", 4_500_000_000)], "cuda:1")
    with pytest.raises(
        InputError, match=r"maps take 7\.0 GB of the 9\.0 GB .* 10\.0 GB are free, 80% .*: choose fewer"
    ):
        check_room([*needs, Need(2_000_000_000, "words", "no")], "cuda:1")


def test_without_a_limit_everything_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: None)
    check_room([Need(10**18, "maps", "choose fewer")])
    check_room([])


def too_much_torch() -> None:
    torch.empty(2**50)


def too_much_numpy() -> None:
    np.empty(2**50)


def too_much_gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.mark.parametrize("allocate", [too_much_torch, too_much_numpy, too_much_gpu])
def test_an_allocation_that_fails_is_answered_with_what_was_expected(
    allocate: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 2_000_000_000)
    needs = [Need(700_000_000, "maps", "choose fewer")]
    told = (
        "memory ran out while gpt read 9 tokens: what was asked for takes 700 MB above the model's own work, "
        "and 2.0 GB are free; choose fewer; read a shorter text, or load the model with --dtype bfloat16"
    )
    with pytest.raises(InputError) as raised, memory.answered("gpt read 9 tokens", needs):
        allocate()
    assert str(raised.value) == told
    assert raised.value.__cause__ is not None


def test_what_is_small_is_not_blamed_for_a_full_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_on", lambda _: None)
    needs = [Need(7_000_000, "maps", "choose fewer")]
    told = "takes 7 MB above the model's own work; read a shorter text, or load the model with --device cpu"
    with pytest.raises(InputError, match=told), memory.answered("gpt read 9 tokens", needs, "cuda:0"):
        too_much_gpu()


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes do not agree"), ValueError("out of memory"), KeyError("x")]
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, memory.answered("gpt read 9 tokens", []):
        raise error
    assert raised.value is error


@pytest.mark.parametrize("allocate", [too_much_torch, too_much_numpy])
def test_a_run_without_memory_left_is_one_line(allocate: Callable[[], None]) -> None:
    class Full(FakeSource):
        def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
            super().run(batch, watches)
            allocate()

    source = Full()
    with pytest.raises(InputError, match="memory ran out while fake read 4 tokens: what was asked for takes"):
        observe(source, source.encode(Sample("The cat")), [KeepMaps()])


def test_what_does_not_fit_is_refused_before_the_model_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 900)
    monkeypatch.setattr(memory, "ALWAYS", 0)

    class Unrun(FakeSource):
        def run(self, *_: object) -> None:
            pytest.fail("the model ran")

    source = Unrun()
    with pytest.raises(
        InputError,
        match=r"mean maps of 2 layers take 1 kB, and 1 kB are free, 80% .*: take them pooled",
    ):
        observe(source, source.encode(Sample(TEXT)), [HeadMeans()])


def test_other_advice_takes_the_place_of_advice_alone() -> None:
    error = RoomError("too much: ", "keep=None", of="maps", more="read a shorter text, or none")
    assert str(error) == "too much: keep=None; read a shorter text, or none"
    assert str(error.advising("--keep none")) == "too much: --keep none; read a shorter text, or none"
    assert str(error.advising("read a shorter text")) == "too much: read a shorter text, or none"
    assert str(RoomError("too much: ", "", more="stop").advising("--keep none")) == "too much: stop"

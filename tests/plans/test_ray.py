"""The same plan on a local Ray of two workers: the same files, also where one of them is lost."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attnviz.plans import export as exports
from attnviz.plans.local import cores
from attnviz.plans.ray_engine import Ray
from tests.plans.plans import plan
from tests.plans.test_export import FIGURES, TEXTS, contents, made, samples

MANY = [f"{text} {word * times}" for times in (1, 4) for text in TEXTS for word in ("now ", "then ")]

ray = pytest.importorskip("ray")
psutil = pytest.importorskip("psutil")


def _is_worker(process: Any) -> bool:
    """Whether that is an actor of ours, by the name that Ray gives its process."""
    try:
        return "ray::Worker" in " ".join(process.cmdline())
    except psutil.Error:
        return False


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2 * cores(), include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_ray_with_a_worker_lost_makes_the_files_of_a_local_run(tmp_path: Path) -> None:
    made(samples(MANY) + FIGURES, tmp_path / "local")
    killed: list[int] = []

    def kill_one(progress: exports.Progress) -> None:
        if progress.done and not killed:
            actors = [child for child in psutil.Process().children(recursive=True) if _is_worker(child)]
            killed.append(actors[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    done = exports.export(
        plan(samples(MANY) + FIGURES), tmp_path / "ray", lambda: Ray(workers=2), report=kill_one
    )
    assert killed
    assert (done.made, done.failures) == (2 * len(MANY) + 1, ())
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_cannot_be_loaded_is_told_of_every_batch(tmp_path: Path) -> None:
    text = 'models = [{name = "builtin:encoder", dtype = "float16"}]\n' + samples() + FIGURES
    done = exports.export(plan(text), tmp_path, lambda: Ray(workers=1))
    assert done.made == 0
    assert "runs in float32 only" in done.failures[0].line

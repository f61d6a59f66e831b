"""Models with few and with many heads, trained alike: the verbs of ``attnviz.api`` that sweep."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.analysis.rank import WORDS
from attnviz.analysis.summary import summary
from attnviz.analysis.sweep import Sweep, Trained, counted, distance
from attnviz.capturing import capture, load_model
from attnviz.comparing import compare
from attnviz.errors import UsageError
from attnviz.files import write_whole
from attnviz.recipes import Style
from attnviz.render.plots import Chart

if TYPE_CHECKING:
    from attnviz.builtin.schedule import Progress
    from attnviz.builtin.tasks import Task

TEXTS = 20
"""Stories of the builtin language that the heads of each model are looked at with; no training has them."""

ASKED = "asked.json"
"""Beside each model what it has learnt, so that nobody asks it twice."""

Report = Callable[[int, "Progress"], None]
"""Told after every step: the heads of the model that is trained, and how far that is."""


def sweep(
    task: "str | Task[Any, Any]",
    directory: str | Path,
    *,
    heads: Sequence[int],
    shots: int = 0,
    threads: int = 2,
    device: str = "auto",
    force: bool = False,
    report: Report = lambda *_: None,
) -> Sweep:
    """Trains the same model with different numbers of heads, and asks each what it has learnt.

    task:      "encoder", or a task of your own settings; all models have its steps, seed and texts
    directory: each model is trained in one of its own there, ``heads-4``; an interrupted sweep is taken up
               again, and what is trained already is not trained twice
    shots:     how many snapshots of each training are kept
    Raises UsageError for heads that do not divide the width, and as ``train`` does.
    """
    from attnviz.builtin.tasks import Wishes, task_of, wished
    from attnviz.builtin.train import train
    from attnviz.models.devices import device_of

    if not heads:
        raise UsageError("a sweep over no heads: give some numbers of them, such as 1,4,8")
    base = task_of(task) if isinstance(task, str) else task
    tasks = {count: wished(base, Wishes(heads=count)) for count in sorted(set(heads))}  # all before any work
    where = device_of("cpu" if device == "auto" else device)  # as ``train`` has it
    for count, one in tasks.items():
        train(
            _place(directory, count), one, threads=threads, device=where, force=force, shots=shots,
            report=lambda progress, count=count: report(count, progress),  # type: ignore[misc]
        )  # fmt: skip
    models = tuple(_asked(count, one, _place(directory, count)) for count, one in tasks.items())
    name = base.new_model().architecture.removeprefix("attnviz-")
    return Sweep(name, next(iter(tasks.values())).as_json(), models, TEXTS, _versions())


def sweep_chart(found: Sweep, *, style: Style = Style()) -> Chart:
    """What ``attnviz train sweep`` shows: what was learnt against the number of heads, and what heads do."""
    from attnviz.render import sweeppages

    return sweeppages.sweep_chart(found, style)


def _place(directory: str | Path, heads: int) -> Path:
    return Path(directory) / f"heads-{heads}"


def _asked(heads: int, task: "Task[Any, Any]", place: Path) -> Trained:
    """What one model has learnt, and what its heads do; asked once, and kept beside it."""
    from attnviz.builtin import store

    weights = hashlib.sha256((place / store.WEIGHTS).read_bytes()).hexdigest()
    of = {"weights": weights, "texts": TEXTS, "versions": _versions()}
    if (kept := _kept(place / ASKED, of)) is not None:
        return kept
    found = _answers(heads, task, place)
    document = {"schema": 1, "of": of, "found": found.as_json()}
    write_whole(place / ASKED, json.dumps(document, indent=2).encode())
    return found


def _kept(file: Path, of: Mapping[str, Any]) -> Trained | None:
    """What was found of just this model; None where it was not, or cannot be read."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return Trained.from_json(document["found"]) if document["of"] == of else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _answers(heads: int, task: "Task[Any, Any]", place: Path) -> Trained:
    from attnviz.builtin import store
    from attnviz.probes import stories

    source, texts = load_model(str(place)), stories(TEXTS)
    seen = summary(capture(texts, model=source, keep=None))
    history = store.training_record(place)["history"]
    return Trained(
        heads=heads,
        accuracy=history[-1][2],
        figures=tuple(task.check(place).figures),
        patterns=counted([row.pattern for row in seen.rows], WORDS),
        apart=distance(compare([source, source], texts).similarity.values),
    )


def _versions() -> dict[str, str]:
    import attnviz
    from attnviz.costs.machine import versions

    return {"attnviz": attnviz.__version__, **versions()}

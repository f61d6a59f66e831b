"""How far a run of a model is, on standard error: one line before a long one, and a bar on a terminal."""

import time
from typing import TYPE_CHECKING

from attnviz.cli.output import note

if TYPE_CHECKING:
    import rich.progress

    from attnviz.observe.progress import Plan, Progress
    from attnviz.plans.export import Progress as Exporting

LONG = 10  # seconds; of a run that takes less nothing is said


class Bar:
    """Shows the progress of one run after another; ``with Bar() as bar: ... report=bar.show``."""

    def __init__(self) -> None:
        self._told: Plan | None = None
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def show(self, progress: "Progress") -> None:
        """Say what is going on, as soon as it is known that it takes long."""
        if progress.finished:
            self._clear()
        elif self._told is progress.plan:
            self._draw(progress)
        elif max(progress.total or 0, progress.seconds) > LONG:
            self._told = progress.plan
            note(line(progress))
            self._draw(progress)

    def _draw(self, progress: "Progress") -> None:
        if self._bar is None:
            self._bar = _bar("layer {task.fields[layer]} of {task.total}")
            self._bar.add_task("", total=progress.plan.layers, layer=1, left="")
            self._bar.start()
        left = None if progress.total is None else max(0, progress.total - progress.seconds)
        self._bar.update(
            self._bar.task_ids[0],
            completed=progress.done,
            layer=min(int(progress.done) + 1, progress.plan.layers),
            left="" if left is None else f"{duration(left)} left",
        )

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None


class Figures:
    """Shows how many figures of an export are made, how fast, and how long the rest will take."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> "Figures":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, progress: "Exporting") -> None:
        """Say what is made by now."""
        seconds = time.perf_counter() - self._began
        if self._bar is None:
            self._bar = _bar("{task.completed:,.0f} of {task.total:,.0f} figures")
            self._bar.add_task("", total=progress.total, left="")
            self._bar.start()
        rate = progress.done / seconds
        left = (
            f"{rate:.1f} a second, {duration((progress.total - progress.done) / rate)} left" if rate else ""
        )
        self._bar.update(self._bar.task_ids[0], completed=progress.done, left=left)


class Counted:
    """Shows how many of some things are done, and which one is at hand."""

    def __init__(self, what: str) -> None:
        """what: they are, in the plural"""
        self._what = what
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> "Counted":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, count: int, doing: str = "") -> None:
        """Say that so many of so many are done, and what is being done."""
        if self._bar is None:
            self._bar = _bar("{task.completed} of {task.total} " + self._what)
            self._bar.add_task("", total=count, left="")
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, left=doing)


def line(progress: "Progress") -> str:
    """What a run takes: "4,096 tokens, 12 layers, 144 heads: 61 MB above the model, about 40 s"."""
    plan = progress.plan
    several = f"{plan.samples} samples of up to " if plan.samples > 1 else ""
    took = "over 10 s" if progress.total is None else f"about {duration(progress.total)}"
    return (
        f"{several}{_count(plan.tokens, 'token')}, {_count(plan.layers, 'layer')}, "
        f"{_count(plan.heads, 'head')}: "
        f"{_size(plan.memory)} above the model, {took}"
    )


def duration(seconds: float) -> str:
    """A time for a person: "40 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _size(size: int) -> str:
    from attnviz.observe.memory import shown

    return shown(size)


def _bar(done: str) -> "rich.progress.Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn(done),
        BarColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

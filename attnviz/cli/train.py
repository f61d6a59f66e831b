"""``attnviz train``: the models that ship, trained again from their seeds, and what they have learnt."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from attnviz.builtin.outcome import Estimate, Figure, Outcome
    from attnviz.builtin.schedule import Progress


def train(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which model: encoder.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Where to; by default ./attnviz-NAME."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Train nothing: print what the model that ships, or that in DIR, has learnt."
        ),
    ] = False,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Processor cores.")] = 2,
) -> None:
    """Train a model that ships again from its seed; an interrupted training is taken up again."""
    if check:
        _check(name, output)
    else:
        _train(name, output or Path(f"attnviz-{name}"), threads)


def _train(name: str, directory: Path, threads: int) -> None:
    from attnviz import api
    from attnviz.builtin.tasks import task_of

    task = task_of(name)
    with _Bar() as bar:
        api.train(task, directory, report=bar.show, threads=threads)
    typer.echo(f"{directory} is trained: look at it with attnviz heatmap TEXT -m {directory}")


class _Bar:
    """The progress of a training on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("loss {task.fields[loss]}  held-out accuracy {task.fields[accuracy]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("", total=None, loss="-", accuracy="-")

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: "Progress") -> None:
        accuracy = f"{progress.history[-1].accuracy:.1%}" if progress.history else "-"
        self._progress.update(
            self._task,
            completed=progress.step,
            total=progress.steps,
            loss=f"{progress.loss:.3f}",
            accuracy=accuracy,
        )


def _check(name: str, directory: Path | None) -> None:
    from rich.console import Console

    from attnviz import api
    from attnviz.builtin.outcome import failed

    outcome = api.check_trained(name, directory)
    missed = failed(outcome)
    console = Console()
    console.print(_table(outcome))
    console.print(_summary(missed), highlight=False)
    raise typer.Exit(3 if missed else 0)


def _table(outcome: "Outcome") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    baselines = dict.fromkeys(name for figure in outcome.figures for name in figure.beside)
    for title in ("figure", "head", "found", "95 % interval", *baselines, "of", "needed"):
        table.add_column(title, justify="left" if title in ("figure", "head") else "right", no_wrap=True)
    for figure in outcome.figures:
        table.add_row(*_row(figure, list(baselines)))
    return table


def _row(figure: "Figure", baselines: list[str]) -> list[str]:
    return [
        figure.what,
        figure.head,
        f"{figure.found.value:.1%}",
        _interval(figure.found),
        *(f"{figure.beside[name]:.1%}" if name in figure.beside else "" for name in baselines),
        f"{figure.found.of}",
        _needed(figure),
    ]


def _needed(figure: "Figure") -> str:
    if figure.needed is None:
        return "-"
    return f"{'<= ' if figure.at_most else ''}{figure.needed:.1%}"


def _interval(found: "Estimate") -> str:
    return f"{found.low:.1%} - {found.high:.1%}"


def _summary(missed: tuple[str, ...]) -> str:
    if missed:
        return f"Not reached: {', '.join(missed)}."
    return "All reached, even at the worse end of each interval."

"""``attnviz train``: the models that ship, trained again from their seeds, and what they have learnt."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from attnviz.analysis.shares import Share
    from attnviz.builtin.check import Check, Finding
    from attnviz.builtin.schedule import Progress

NAMES = ("encoder",)


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
    from attnviz.errors import UsageError

    if name not in NAMES:
        raise UsageError(f"no model {name} to train: there is {', '.join(NAMES)}")
    if check:
        _check(output)
    else:
        _train(output or Path(f"attnviz-{name}"), threads)


def _train(directory: Path, threads: int) -> None:
    from attnviz import api

    with _Bar() as bar:
        api.train(directory, report=bar.show, threads=threads)
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


def _check(directory: Path | None) -> None:
    from rich.console import Console

    from attnviz import api

    outcome = api.check_trained(directory)
    console = Console()
    console.print(_table(outcome))
    console.print(_summary(outcome), highlight=False)
    raise typer.Exit(0 if outcome.passed else 3)


def _table(outcome: "Check") -> "Table":
    from rich import box
    from rich.table import Table

    from attnviz.builtin.check import AGREEMENT

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title in ("relation", "head", "found", "95 % interval", "nearest", "offset", "pairs", "needed"):
        table.add_column(title, justify="left" if title in ("relation", "head") else "right", no_wrap=True)
    for finding in outcome.findings:
        table.add_row(*_row(finding))
    agreement = outcome.agreement
    table.add_row(
        "agreement in number", "", f"{agreement.value:.1%}", _interval(agreement), "", "", f"{agreement.of}",
        f"{AGREEMENT:.1%}",
    )  # fmt: skip
    return table


def _interval(share: "Share") -> str:
    return f"{share.low:.1%} - {share.high:.1%}"


def _row(finding: "Finding") -> list[str]:
    return [
        finding.relation,
        finding.head,
        f"{finding.found.value:.1%}",
        _interval(finding.found),
        f"{finding.nearest.value:.1%}",
        f"{finding.offset.value:.1%}",
        f"{finding.found.of}",
        "-" if finding.needed is None else f"{finding.needed:.1%}",
    ]


def _summary(outcome: "Check") -> str:
    failed = [finding.relation for finding in outcome.findings if not finding.passed]
    failed += [] if outcome.agrees else ["agreement in number"]
    if failed:
        return f"Not reached: {', '.join(failed)}."
    return "All reached: the lower end of each interval is above what is needed."

"""``attnviz train``: models that ship, trained again or in other sizes, and what they have learnt."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from attnviz.cli.options import command
from attnviz.cli.options.lists import whole_numbers
from attnviz.cli.options.reading import Device
from attnviz.errors import UsageError
from attnviz.inputs import printable

if TYPE_CHECKING:
    from rich.table import Table

    from attnviz.builtin.outcome import Estimate, Figure, Outcome
    from attnviz.builtin.schedule import Progress
    from attnviz.builtin.tasks import Task


SWEEP, SWEPT = "sweep", "encoder"


@dataclass(frozen=True)
class Training:
    """What is trained, how, and where to."""

    name: Annotated[
        str,
        Argument(
            metavar="NAME",
            help="Which model: encoder, decoder, classifier, translator, bahdanau or luong; or sweep: one "
            "with each of several numbers of heads.",
        ),
    ]
    swept: Annotated[
        str | None,
        Argument(metavar="MODEL", help="Of a sweep: which model.  [default: encoder]", show_default=False),
    ] = None
    n_heads: Annotated[
        str | None, Option(metavar="N", help="Heads a layer; of a sweep several: 1,4,8,16.")
    ] = None
    n_layers: Annotated[int | None, Option(metavar="N", min=1, help="Layers (of each stack).")] = None
    d_model: Annotated[int | None, Option(metavar="N", min=1, help="Width of the model.")] = None
    steps: Annotated[int | None, Option(metavar="N", min=1, help="Steps of the training.")] = None
    seed: Annotated[int | None, Option(metavar="N", min=0, help="Of the weights and the texts.")] = None
    output: Annotated[
        Path | None, Option("-o", "--output", metavar="DIR", help="Where to; else ./attnviz-NAME.")
    ] = None
    snapshots: Annotated[
        int,
        Option(
            metavar="N", min=0, help="Keep N models on the way, early ones closer together, for heads --over."
        ),
    ] = 0
    force: Annotated[bool, Option("--force", help="Begin anew, and replace the model in DIR.")] = False
    check: Annotated[
        bool,
        Option("--check", help="Train nothing: print what the model that ships, or that in DIR, has learnt."),
    ] = False
    threads: Annotated[int, Option(metavar="N", min=1, max=1024, help="Processor cores.")] = 2
    device: Device = "auto"

    @property
    def sweeps(self) -> bool:
        return self.name == SWEEP

    def heads(self) -> tuple[int, ...]:
        """The numbers of heads that were asked for. Raises UsageError for what is none."""
        return () if self.n_heads is None else whole_numbers("--n-heads", self.n_heads)

    def task(self) -> "Task[Any, Any]":
        """What is to be trained; of a sweep, but for its heads. Raises UsageError for what there is not."""
        from attnviz.builtin.tasks import Wishes, task_of, wished

        heads = self.heads()
        if not self.sweeps and len(heads) > 1:
            raise UsageError(
                f"--n-heads {self.n_heads}: one number of heads, or attnviz train sweep {self.name}"
            )
        if not self.sweeps and self.swept is not None:
            raise UsageError(f"{printable(self.swept)!r} is one name too many: train one model at a time")
        one = heads[0] if heads and not self.sweeps else None
        wishes = Wishes(one, self.n_layers, self.d_model, self.steps, self.seed)
        return wished(task_of((self.swept or SWEPT) if self.sweeps else self.name), wishes)


@command
def train(*, training: Training) -> None:
    """Train a model that ships again from its seed, or one of your own sizes.

    An interrupted training is taken up again by the same command.
    """
    if training.sweeps:
        _sweep(training)
    elif training.check:
        _check(training.name, training.output)
    else:
        _train(training)


def _train(training: Training) -> None:
    from attnviz import api

    directory = training.output or Path(f"attnviz-{training.name}")
    task = training.task()
    with _Bar() as bar:
        api.train(
            task,
            directory,
            report=bar.show,
            threads=training.threads,
            device=training.device,
            force=training.force,
            shots=training.snapshots,
        )
    typer.echo(f"{directory} is trained: look at it with attnviz heatmap TEXT -m {directory}")


def _sweep(training: Training) -> None:
    """Trains each, prints what they have learnt and saves it beside them."""
    from attnviz import api
    from attnviz.cli import output

    if training.check:
        raise UsageError("--check is of one model: a sweep is asked when it is trained")
    heads = training.heads()
    if not heads:
        raise UsageError("a sweep takes the numbers of heads to train: --n-heads 1,4,8")
    directory = training.output or Path("attnviz-sweep")
    with _Bar() as bar:
        found = api.sweep(
            training.task(), directory, heads=heads, shots=training.snapshots, threads=training.threads,
            device=training.device, force=training.force, report=bar.show_one,
        )  # fmt: skip
    chart = api.sweep_chart(found)
    output.print_rich(output.printed(chart))
    for name in ("sweep.png", "sweep.json"):
        api.save(chart, directory / name)
        output.note(f"wrote {directory / name}")


class _Bar:
    """The progress of a training on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.fields[of]}step"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("loss {task.fields[loss]}  held-out accuracy {task.fields[accuracy]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("", total=None, of="", loss="-", accuracy="-")

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.live.is_started:  # else it would print an empty line
            self._progress.stop()

    def show_one(self, heads: int, progress: "Progress") -> None:
        """Of a sweep: which one is trained."""
        self._progress.update(self._task, of=f"{heads} head{'s' if heads != 1 else ''}  ")
        self.show(progress)

    def show(self, progress: "Progress") -> None:
        self._progress.start()  # not before: what is refused is one line
        accuracy = f"{progress.history[-1].accuracy:.1%}" if progress.history else "-"
        self._progress.update(
            self._task,
            completed=progress.step,
            total=progress.steps,
            loss=f"{progress.loss:.3f}" if progress.step else "-",
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

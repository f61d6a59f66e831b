"""The command line: which commands there are, and how an error becomes one line and an exit status."""

import gc
import io
import sys
import warnings
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from attnviz import __version__
from attnviz.cli.output import note
from attnviz.errors import AttnvizError, ExpectationError, UsageError

EXAMPLES = """\
  attnviz heatmap "The cat sat on the mat"
  attnviz heads "The cat sat on the mat" --sort previous --top 5
  attnviz heatmap --file notes.txt --lines -m DIRECTORY-or-hub-name -o "{sample}.png"
"""

# typer carries its own copy of click, or uses the installed one: by its lineage the class is found in both
_CommandLineError: type[Any] = typer.BadParameter.__mro__[2]

COMMANDS = {
    "heatmap": "Draw attention.",
    "capture": "Keep what was seen, to look at it again at once.",
    "heads": "List heads: what each does, its statistics, its strongest pair.",
    "export": "Make many figures, for a paper.",
    "compare": "Find the heads of one model in another, and what changed between two.",
    "diff": "What differs between two texts, or two models.",
    "align": "Draw which words a translation was written from.",
    "probe": "Test heads on known relations and random tokens.",
    "variants": "What else a head makes of its queries and keys: scores, temperatures, masks.",
    "replay": "Make a figure again from the recipe in it.",
    "caption": "Write the caption of a figure.",
    "cost": "Measure what attention costs as a text grows.",
    "models": "What can be loaded, and which types of models are captured.",
    "doctor": "Check that a model is captured exactly.",
    "train": "Train a model that ships again, or check what it has learnt.",
}
"""What each does, in the order of the help. Its function is that of its name, in the module of its name."""


def _app(names: Iterable[str]) -> typer.Typer:
    """The command line with these commands; only their modules are loaded."""
    app = typer.Typer(
        help="See where a transformer looks.",
        add_completion=False,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_attnviz)
    for name in names:
        module = import_module(f"attnviz.cli.{name}")
        app.command(short_help=COMMANDS[name])(getattr(module, name))
    return app


def _named(arguments: Sequence[str]) -> Iterable[str]:
    """The command that is called, where that can be told; else every one, for the help and for advice."""
    return arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS


def _attnviz(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """See where a transformer looks."""
    if version:
        typer.echo(f"attnviz {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(f"See where a transformer looks. For example:\n\n{EXAMPLES}\nMore: attnviz --help")


def main() -> None:
    """The console script."""
    gc.set_threshold(200_000, 20, 100)  # imports make a million objects that stay: why look for dead ones
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows only some characters
    warnings.showwarning = lambda message, *_, **__: note(str(message))  # one line, like every other note
    status = run(sys.argv[1:])
    gc.freeze()  # nor is there anything to collect at the end
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Runs a command line and returns its exit status: 0, 1, 2, 3 or 130."""
    command = typer.main.get_command(_app(_named(arguments)))
    try:
        status = command.main(list(arguments), prog_name="attnviz", standalone_mode=False)
    except KeyboardInterrupt:
        return 130
    except AttnvizError as error:
        return _told(error, _STATUS.get(type(error), 1))
    except _CommandLineError as error:
        return _told(error, 2)
    return status if isinstance(status, int) else 0


_STATUS = {UsageError: 2, ExpectationError: 3}


def _told(error: Exception, status: int) -> int:
    """One line on standard error."""
    told = error.format_message() if isinstance(error, _CommandLineError) else str(error)
    note(told.replace(": Value error, ", ": ", 1))  # what pydantic, which some typers check with, puts before
    return status

"""A function of groups of options, as typer sees it."""

import errno
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints

from typer import Context

from attnviz.cli.advice import advising
from attnviz.cli.options.reading import Inputs, Model, Models, Snapshots, Translated
from attnviz.errors import OutputError, UsageError


def command(function: Callable[..., None]) -> Callable[..., None]:
    """The function as typer sees it: each field of a group is a parameter of its own."""
    groups: dict[str, Any] = {
        name: hint for name, hint in get_type_hints(function).items() if is_dataclass(hint)
    }

    @wraps(function)
    def flat(context: Context, **values: Any) -> None:
        _check_idle(context)
        grouped = {
            name: {entry.name: values[entry.name] for entry in fields(group)}
            for name, group in groups.items()
        }
        try:
            with advising(function.__name__):
                function(**{name: group(**grouped[name]) for name, group in groups.items()})
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_output()  # whoever read it is gone
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EIO):
                raise
            _forget_output()
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Context)
    parameters = [context, *(parameter for group in groups.values() for parameter in _parameters(group))]
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _check_idle(context: Context) -> None:
    """Raises UsageError for inputs and a model where none is run, or where it is another."""
    if context.params.get("captures"):
        groups = (Inputs, Model, Models, Translated, Snapshots)
        idle = {entry.name for group in groups for entry in fields(group)}
        _refuse(context, idle, "--from shows what was seen before and runs no model")
    if context.params.get("over"):
        _refuse(context, {"model", "dtype", "generate"}, "--over reads with the snapshots of a training")


def _refuse(context: Context, idle: set[str], reason: str) -> None:
    """Raises UsageError if one of these was given on the command line."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in idle and source is not None and source.name == "COMMANDLINE":
            name = option.opts[-1] if option.opts[-1].startswith("-") else "TEXT"
            raise UsageError(f"{reason}: leave out {name}")


def _forget_output() -> None:
    """Let the interpreter close standard output without a complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            entry.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[entry.name],
            default=inspect.Parameter.empty if entry.default is MISSING else entry.default,
        )
        for entry in fields(group)
    ]

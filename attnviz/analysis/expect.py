"""What is expected of a comparison, such as ``max_js_change<0.05``, in the grammar of conditions on heads."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attnviz.analysis.comparison import Comparison, Measure, of_one_architecture
from attnviz.analysis.where import Condition, Names, condition
from attnviz.errors import ExpectationError, SelectionError
from attnviz.facts import ModelFacts
from attnviz.inputs import printable

OPTION = "--expect"

Models = tuple[ModelFacts, ModelFacts]


@dataclass(frozen=True)
class Number:
    """One number of a comparison: its value, NaN where there is none, and what it is the number of."""

    value: float
    whose: str


def expectation(text: str, measure: Measure) -> Condition:
    """The condition that a text says. Raises UsageError for what is none, whatever is compared."""
    names = Names((*_NUMBERS, *_changes(measure)), words={}, example=f"max_{measure}_change<0.05")
    return condition(text, names, option=OPTION)


def check_there(models: Models, text: str, measure: Measure) -> None:
    """Raises SelectionError for a condition on changes of heads if the models, not yet run, have others."""
    if not of_one_architecture(*models):
        _check_no_changes(models, expectation(text, measure).names(), text)


def check_expected(comparison: Comparison, text: str) -> None:
    """Raises ExpectationError, naming the offender, if a condition does not hold of a comparison.

    Raises SelectionError if it is one on changes of heads and the two models have others.
    """
    wanted = expectation(text, comparison.measure)
    names = tuple(dict.fromkeys(wanted.names()))
    if not comparison.changes:
        _check_no_changes(comparison.models, names, text)
    numbers = {name: number(comparison, name) for name in names}
    if wanted.holds({name: found.value for name, found in numbers.items()}):
        return
    told = ", ".join(f"{name} is {_shown(found)}" for name, found in numbers.items())
    raise ExpectationError(f"{_named(comparison.models)}: expected {printable(text)}, but {told}")


def number(comparison: Comparison, name: str) -> Number:
    """A number of a comparison by its name, such as "max_js_change"."""
    if name in _NUMBERS:
        return _NUMBERS[name](comparison)
    changes = [(one.change.value, f"head {one.head.name}") for one in comparison.changes]
    return _of(name.partition("_")[0], changes)


def _changes(measure: Measure) -> tuple[str, ...]:
    return tuple(f"{which}_{measure}_change" for which in ("max", "mean", "min"))


def _check_no_changes(models: Models, names: Sequence[str], text: str) -> None:
    """Raises SelectionError for a name of changes: there are none."""
    asked = [name for name in names if name not in _NUMBERS]
    if asked:
        raise SelectionError(
            f"{OPTION} '{printable(text)}': there is no {asked[0]}, as {_named(models)} do not have the "
            f"same layers and heads of one architecture; there are {', '.join(_NUMBERS)}"
        )


def _matches(comparison: Comparison) -> Number:
    return Number(comparison.matched, f"of {comparison.comparable} heads")


def _matched(comparison: Comparison) -> Number:
    heads = comparison.comparable
    share = comparison.matched / heads if heads else math.nan
    return Number(share, f"{comparison.matched} of {heads} heads")


def _similarity(which: str) -> Callable[[Comparison], Number]:
    def found(comparison: Comparison) -> Number:
        pairs = ((one.similarity.value, f"head {one.first.name}, best matched by {one.second.name}")
                 for one in comparison.matches)  # fmt: skip
        return _of(which, list(pairs))

    return found


_NUMBERS: dict[str, Callable[[Comparison], Number]] = {
    "matches": _matches,
    "matched": _matched,
    **{f"{which}_similarity": _similarity(which) for which in ("min", "mean", "max")},
}
"""Those that every comparison has: how many heads have a match, which share of them, how alike they are."""


def _of(which: str, pairs: Sequence[tuple[float, str]]) -> Number:
    """The smallest, the largest or the mean of numbers, and whose it is."""
    there = [pair for pair in pairs if not math.isnan(pair[0])]
    if not there:
        return Number(math.nan, "missing")
    if which == "mean":
        return Number(sum(value for value, _ in there) / len(there), f"over {len(there)} heads")
    return Number(*(max if which == "max" else min)(there, key=lambda pair: pair[0]))


def _shown(found: Number) -> str:
    return "missing" if math.isnan(found.value) else f"{found.value:.4g} ({found.whose})"


def _named(models: Models) -> str:
    return " and ".join(printable(model.name) for model in models)

"""What is known of heads, made into a table or a grid: which rows and columns, which title, which notes."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from attnviz.analysis import rank
from attnviz.analysis.resample import FEWEST_SAMPLES, LEVEL, RESAMPLES
from attnviz.analysis.summary import Summary
from attnviz.analysis.where import unknown
from attnviz.captures import Capture, Head
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.metrics import METRICS
from attnviz.recipes import Choice, Listing, Recipe, Style, recipe
from attnviz.render import columns, pages
from attnviz.render.rows import HeadRow, HeadTable
from attnviz.render.views import GridStack, HeadGrid, Scale

_ROUND = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)  # quarters of them are short numbers
_TOLD = 3  # notes of single samples, at most


def check(choice: Choice, listing: Listing, style: Style) -> None:
    """Raises UsageError for what cannot be understood, or says nothing of heads, whatever the model."""
    for option, given in (
        ("--tokens", choice.tokens is not None),
        (f"--special {choice.special}", choice.special != "show"),
        ("--words", choice.words),
        ("--mean", choice.mean is not None),
    ):
        if given:
            raise UsageError(
                f"{option} changes what is drawn of a map, not its statistics, which are of the rows as the "
                "model computed them: leave it out"
            )
    rank.check(listing)
    if listing.columns is not None:
        columns.chosen(listing.columns)
    _check_grid(listing, style)
    pages.check(style)


def head_table(summary: Summary, choice: Choice, listing: Listing, style: Style) -> HeadTable:
    """The table of ``attnviz heads``.

    Raises UsageError as ``check`` does.
    """
    check(choice, listing, style)
    rows = rank.ranked(summary.rows, listing)
    kept = rank.spoken_of(listing)
    if listing.columns is not None:
        shown = columns.chosen(listing.columns)
    else:
        shown = columns.usual(summary.rows, kept, len(summary.samples))
    return HeadTable(
        title=_title(summary, style),
        rows=rows,
        columns=shown,
        asked=listing.columns is not None,
        kept=kept,
        samples=len(summary.samples),
        of=len(summary.rows),
        notes=(*_table_notes(summary, rows, listing), *_common_notes(summary, rows, listing)),
        cmap=style.cmap or "viridis",
        recipe=_recipe(summary, choice, listing, style, "heads"),
    )


def head_grid(summary: Summary, choice: Choice, listing: Listing, style: Style) -> HeadGrid:
    """One statistic of every head as a colour, of those for which the condition holds.

    Raises UsageError as ``check`` does, and if there is no such statistic.
    """
    check(choice, listing, style)
    metric = METRICS[listing.grid or ""]
    rows = rank.ranked(summary.rows, listing)
    notes = [] if listing.where is None else [f"{_count(rows, summary)} where {printable(listing.where)}"]
    return HeadGrid(
        title=_title(summary, style),
        metric=metric.name,
        measured=metric.name if metric.unit == "0 .. 1" else f"{metric.name}, {metric.unit}",
        stacks=_stacks(summary.rows, rows, metric.name),
        scale=Scale(
            style.scale, _top(rows, metric.name) if metric.name in columns.IN_UNITS else style.vmax or 1.0
        ),
        cmap=style.cmap or "viridis",
        notes=(*notes, *_common_notes(summary, rows, listing)),
        recipe=_recipe(summary, choice, listing, style, "grid"),
    )


def _check_grid(listing: Listing, style: Style) -> None:
    if listing.grid is None:
        if (style.scale, style.vmax) != ("linear", None):
            raise UsageError("--scale and --vmax are of colours: add --grid METRIC, or leave them out")
        return
    if listing.grid not in METRICS:
        raise UsageError(
            f"--grid: no statistic {printable(listing.grid)!r}; {unknown(listing.grid, list(METRICS))}"
        )
    if listing.sort or listing.top or listing.columns:
        raise UsageError("--grid shows every head in its place: leave out --sort, --top and --columns")
    if listing.grid in columns.IN_UNITS and style.vmax is not None:
        raise UsageError(f"--vmax is for what lies between 0 and 1, not for {listing.grid}: leave it out")


def _title(summary: Summary, style: Style) -> str:
    if style.title is not None:
        return printable(style.title)
    first, *others = summary.samples
    if not others:
        return pages.title_of(first)
    return f"{printable(first.model.name)}  mean over {len(summary.samples)} samples"


def _recipe(summary: Summary, choice: Choice, listing: Listing, style: Style, view: str) -> Recipe:
    return recipe("heads", summary.samples, choice, style, listing=listing, view=view)


def _table_notes(summary: Summary, rows: Sequence[HeadRow], listing: Listing) -> Iterator[str]:
    """How many heads there are and what they do, and how they were chosen."""
    text = _count(rows, summary)
    if listing.where is not None:
        text += f" where {printable(listing.where)}"
    if listing.sort is not None:
        text += f", by {rank.order_told(listing.sort)}"
    words = Counter(row.pattern for row in rows)
    counted = ", ".join(f"{words[word]} {word}" for word in rank.WORDS if words[word])
    yield f"{text}: {counted}" if counted else text


def _count(rows: Sequence[HeadRow], summary: Summary) -> str:
    """ "32 heads", "5 of 32 heads"."""
    whole = len(summary.rows)
    noun = "head" if whole == 1 else "heads"
    return f"{whole} {noun}" if len(rows) == whole else f"{len(rows)} of {whole} {noun}"


def _common_notes(summary: Summary, rows: Sequence[HeadRow], listing: Listing) -> Iterator[str]:
    """What is said of samples and windows."""
    windows = sorted({row.window for row in rows if row.window})
    if windows:
        sizes = " or ".join(map(str, windows))
        yield f"{columns.WINDOWED} sees at most {sizes} keys: its pattern may be the window's"
    if len(summary.samples) > 1:
        yield from _sample_notes(summary, rows, listing)
    yield from _told(summary.samples)


def _sample_notes(summary: Summary, rows: Sequence[HeadRow], listing: Listing) -> Iterator[str]:
    count = len(summary.samples)
    if count >= FEWEST_SAMPLES:
        yield (
            f"{LEVEL * 100:.0f} % intervals: percentile bootstrap, {RESAMPLES:,} times {count} samples drawn "
            f"again, seed {listing.seed}"
        )
    else:
        yield f"no intervals: they take at least {FEWEST_SAMPLES} samples, and these are {count}"
    fewer = [f"{name} in {used}" for name in METRICS if (used := _used(rows, name)) not in (str(count), "0")]
    if fewer:
        yield f"samples with a value: {', '.join(fewer)}, the others in all {count}"


def _used(rows: Sequence[HeadRow], name: str) -> str:
    """In how many samples a statistic has a value: "7", or "5-7" where heads differ."""
    numbers = {row.statistics[name].samples for row in rows}
    low, high = min(numbers, default=0), max(numbers, default=0)
    return f"{low}" if low == high else f"{low}-{high}"


def _told(samples: Sequence[Capture]) -> Iterator[str]:
    """What must be known of single samples; of many the first."""
    named = len(samples) > 1
    told = [
        f"{printable(capture.sample.name)}: {note}" if named else note
        for capture in samples
        for note in capture.notes
    ]
    yield from told[:_TOLD]
    if len(told) > _TOLD:
        yield f"and {len(told) - _TOLD} more such notes: see the recipe"


def _stacks(every: Sequence[HeadRow], shown: Sequence[HeadRow], metric: str) -> tuple[GridStack, ...]:
    """The stacks that have heads to show. Every head has its place, those that are not shown no value."""
    there = {row.head.stack for row in shown or every}
    values = {row.head: math.nan for row in every if row.head.stack in there}
    return stacks_of(values | {row.head: row.statistics[metric].value for row in shown})


def stacks_of(values: Mapping[Head, float]) -> tuple[GridStack, ...]:
    """Numbers of heads as stacks of layers; NaN where a layer has fewer heads than another."""
    return tuple(_stack_of(values, stack) for stack in dict.fromkeys(head.stack for head in values))


def _stack_of(values: Mapping[Head, float], stack: str) -> GridStack:
    heads = [head for head in values if head.stack == stack]
    layers = sorted({head.layer for head in heads})
    numbers = np.full((len(layers), 1 + max(head.head for head in heads)), np.nan)
    for head in heads:
        numbers[layers.index(head.layer), head.head] = values[head]
    return GridStack(stack, tuple(layers), numbers)


def _top(rows: Sequence[HeadRow], metric: str) -> float:
    return top_of(row.statistics[metric].value for row in rows)


def top_of(values: Iterable[float]) -> float:
    """A round number at least as large as any value."""
    highest = max((value for value in values if not math.isnan(value)), default=1.0)
    power = 10.0 ** math.floor(math.log10(max(highest, 0.01)))
    return next(step * power for step in _ROUND if step * power >= highest * (1 - 1e-9))

"""How heads grew over a training, made into curves and a table with a line of bars for each."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from attnviz.analysis import rank
from attnviz.analysis.growth import Growth, turned
from attnviz.analysis.rank import NUMBERS, WORDS
from attnviz.analysis.where import unknown
from attnviz.captures import Head
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.metrics import METRICS, PATTERNS
from attnviz.recipes import Choice, Listing, Recipe, Style, model_entry
from attnviz.render import chartfigure, headpages
from attnviz.render.columns import digits, short
from attnviz.render.plots import SHARES, Chart, Curve, Plot
from attnviz.render.rows import Cell, Column, HeadRow, Table

MOST_PLOTS = 4
NAMED = 6  # heads that have a colour of their own in a figure, if nobody says how many
ROWS = 10  # of a table in a terminal, likewise
WAY = 0.1  # of the height of a bar: who went less did not change
_BARS = " ▁▂▃▄▅▆▇█"
TURNED = (
    "half by: the first snapshot from which on a head stays beyond half of its way from first to last, where "
    "that is a tenth of a bar's height or more; "
    "alike: of a head that looks at all it sees alike"
)
_USUAL = ("previous", "induction", "duplicate")


def check(choice: Choice, listing: Listing, style: Style) -> None:
    """Raises UsageError for what cannot be understood, or says nothing of heads over a training."""
    chartfigure.check(style)
    if listing.grid is not None:
        raise UsageError(
            "--grid shows heads at one moment: leave it out with --over, or name a snapshot with -m"
        )
    headpages.check(choice, replace(listing, columns=None), style)
    for name in _named(listing):
        if name not in METRICS:
            raise UsageError(f"--columns: no statistic {printable(name)!r}; {unknown(name, list(METRICS))}")
    if len(_named(listing)) > MOST_PLOTS:
        raise UsageError(
            f"--columns: {len(_named(listing))} statistics are too many: {MOST_PLOTS} plots have room"
        )


def growth_chart(found: Growth, listing: Listing, style: Style) -> Chart:
    """A plot a statistic, steps to the right; in colours the heads that come first, grey all the others."""
    names = _named(listing) or _telling(found.last)
    orders = {name: _order(found, listing, name) for name in names}
    chosen = orders[names[0]]
    title = printable(style.title if style.title is not None else _title(found))
    notes, recipe = tuple(_notes(found, chosen, listing, names)), _recipe(found, listing, style)
    coloured = _foremost(list(orders.values()), listing.top or NAMED)
    return Chart(
        title=title,
        plots=tuple(_plot(found, name, coloured) for name in names),
        tables=tuple(
            _table(found, name, order[: listing.top or ROWS], (*notes, TURNED) if name == names[-1] else ())
            for name, order in orders.items()
        ),
        numbers=_numbers(found, chosen, title, notes, recipe),
        notes=notes,
        recipe=recipe,
    )


def _order(found: Growth, listing: Listing, name: str) -> Sequence[HeadRow]:
    """The heads that are wanted, in the order that was asked for, else by this statistic at the last step."""
    return rank.ranked(found.last, listing if listing.sort else replace(listing, sort=name))


def _foremost(orders: Sequence[Sequence[HeadRow]], most: int) -> tuple[Head, ...]:
    """The heads that come first, of each order in turn."""
    heads = dict.fromkeys(row.head for rows in zip(*orders, strict=True) for row in rows)
    return tuple(heads)[:most]


def _named(listing: Listing) -> tuple[str, ...]:
    """The statistics that were asked for."""
    return tuple(name.strip() for name in (listing.columns or "").split(",") if name.strip())


def _telling(rows: Sequence[HeadRow]) -> tuple[str, ...]:
    """Statistics that the heads came to be called after, the commonest first; else the usual ones."""
    words = Counter(row.pattern for row in rows if row.pattern in PATTERNS)
    usual = (name for name in _USUAL if any(row.statistics[name].samples for row in rows))
    return tuple(word for word, _ in words.most_common(3)) or tuple(usual) or ("entropy",)


def _title(found: Growth) -> str:
    return f"{found.model.name}  heads over {len(found.steps)} snapshots, {found.read}"


def _plot(found: Growth, name: str, coloured: Sequence[Head]) -> Plot:
    every = [*coloured, *(row.head for row in found.last if row.head not in coloured)]
    share = METRICS[name].unit.startswith("0")
    return Plot(
        title=name,
        curves=tuple(
            Curve(
                head.name,
                tuple(map(float, found.steps)),
                found.course(head, name),
                faint=head not in coloured,
            )
            for head in every
        ),
        across="steps",
        up="mean weight" if name in PATTERNS else METRICS[name].unit,
        scales=("symlog" if _spread(found.steps) else "linear", "linear"),
        ticks=tuple(map(float, _ticks(found.steps))),
        span=SHARES if share else None,
    )


def _spread(steps: Sequence[int]) -> bool:
    """Whether they stand ever farther apart, so that on a level line the early ones would touch."""
    return len(steps) > 3 and steps[-1] - steps[-2] > 3 * max(steps[1] - steps[0], 1)


def _ticks(steps: Sequence[int]) -> Sequence[int]:
    """About seven of them, the first and the last among them."""
    every = math.ceil((len(steps) - 1) / 6) or 1
    return sorted({*steps[::-1][::every], steps[0]})


def _table(found: Growth, name: str, rows: Sequence[HeadRow], notes: tuple[str, ...]) -> Table:
    """A row a head: its course as bars, where it began and ended, and when it turned."""
    courses = {row.head: found.course(row.head, name) for row in rows}
    high = _highest(name, courses.values())
    half = {head: turned(found.steps, course, WAY * high) for head, course in courses.items()}
    return Table(
        title=name,
        what="heads",
        columns=(
            Column("head", "head", "text"),
            Column("course", f"steps {found.steps[0]:,} to {found.steps[-1]:,}", "text"),
            Column("first", "first", digits=digits(name)),
            Column("last", "last", digits=digits(name)),
            Column("turned", "half by", "whole"),
            Column("baseline", "alike", digits=digits(name)),
            Column("pattern", "pattern", "text"),
        ),
        rows=tuple(
            (
                row.head.name, bars(courses[row.head], high), courses[row.head][0], courses[row.head][-1],
                half[row.head], row.statistics[name].baseline, row.pattern,
            )
            for row in rows
        ),
        notes=notes,
    )  # fmt: skip


def _highest(name: str, courses: Iterable[Sequence[float]]) -> float:
    """What fills a bar: of a share all of it."""
    if METRICS[name].unit.startswith("0"):
        return 1.0
    return max((value for course in courses for value in course if not math.isnan(value)), default=1.0) or 1.0


def bars(course: Sequence[float], high: float) -> str:
    """A bar for each number from 0 on, an eighth of a line a step; a dot where it is missing."""
    steps = len(_BARS) - 1
    places = (value / high * steps for value in course)
    return "".join("·" if math.isnan(place) else _BARS[min(max(round(place), 0), steps)] for place in places)


def _notes(found: Growth, chosen: Sequence[HeadRow], listing: Listing, names: Sequence[str]) -> Iterator[str]:
    every = len(found.last)
    each = names[0] if len(names) == 1 else "the statistic of each plot"
    order = rank.order_told(listing.sort) if listing.sort else each
    where = f" where {printable(listing.where)} at the last step" if listing.where else ""
    yield f"{len(chosen)} of {every} heads{where}, by {order} at the last step"
    words = Counter(row.pattern for row in found.last)
    begun = Counter(row.pattern for row in found.moments[0].rows)
    for step, counted in ((found.steps[0], begun), (found.steps[-1], words)):
        yield f"step {step:,}: " + ", ".join(f"{counted[word]} {word}" for word in WORDS if counted[word])
    yield from found.notes


def _numbers(
    found: Growth, chosen: Sequence[HeadRow], title: str, notes: tuple[str, ...], recipe: Recipe
) -> Table:
    """A row a head and step, with every statistic."""
    names = [name for name in METRICS if any(row.statistics[name].samples for row in found.last)]
    there = {row.head for row in chosen}
    rows: list[tuple[Cell, ...]] = [
        (moment.step, row.head.name, row.pattern, *(NUMBERS[name](row) for name in names))
        for moment in found.moments
        for row in moment.rows
        if row.head in there
    ]
    columns = (
        Column("step", "step", "whole"),
        Column("head", "head", "text"),
        Column("pattern", "pattern", "text"),
    )
    return Table(
        title=title,
        what="heads",
        columns=(*columns, *(Column(name, short(name)) for name in names)),
        rows=tuple(rows),
        notes=notes,
        document={"steps": list(found.steps), "read": found.read},
        recipe=recipe,
    )


def _recipe(found: Growth, listing: Listing, style: Style) -> Recipe:
    return Recipe(
        command="heads --over",
        model={**model_entry(found.model), "steps": list(found.steps)},
        sample=found.sample,
        style=style.settled(),
        listing=listing,
        view="growth",
        versions=dict(found.versions),
    )

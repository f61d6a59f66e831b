"""What models with few and with many heads have learnt, made into a table and curves."""

import math
from collections.abc import Iterator

from attnviz.analysis.sweep import Sweep, Trained, lacks
from attnviz.inputs import printable
from attnviz.metrics import PATTERNS
from attnviz.recipes import Recipe, Style
from attnviz.render.plots import SHARES, Chart, Curve, Plot
from attnviz.render.rows import Cell, Column, Table

_ACCURACY = "held-out accuracy"


def sweep_chart(found: Sweep, style: Style) -> Chart:
    """What was asked against the number of heads, how different heads are, and the words for them."""
    title = printable(style.title if style.title is not None else _title(found))
    notes, recipe = tuple(_notes(found)), _recipe(found, style)
    return Chart(
        title=title,
        plots=(_learnt(found), _different(found)),
        tables=(_asked(found), _heads(found, notes)),
        numbers=_numbers(found, title, notes, recipe),
        notes=notes,
        recipe=recipe,
    )


def _title(found: Sweep) -> str:
    steps, seed = (found.task["schedule"][name] for name in ("steps", "seed"))
    return f"{found.name} with {_counts(found)} heads a layer, {steps:,} steps each, seed {seed}"


def _counts(found: Sweep) -> str:
    return ", ".join(str(model.heads) for model in found.models)


def _learnt(found: Sweep) -> Plot:
    curves = [Curve(_ACCURACY, _across(found), tuple(model.accuracy for model in found.models))]
    for what in found.asked:
        course = found.course(what)
        curves.append(
            Curve(
                what,
                _across(found),
                tuple(each.value for each in course),
                tuple(each.low for each in course),
                tuple(each.high for each in course),
            )
        )
    return Plot(
        "what was learnt",
        tuple(curves),
        "heads a layer",
        "share",
        ("log", "linear"),
        _across(found),
        SHARES,
    )


def _different(found: Sweep) -> Plot:
    apart = Curve("distance of two heads", _across(found), tuple(model.apart for model in found.models))
    kinds = Curve(
        "share of heads called after a statistic",
        _across(found),
        tuple(_called(model) for model in found.models),
    )
    return Plot(
        "how heads differ", (apart, kinds), "heads a layer", "", ("log", "linear"), _across(found), SHARES
    )


def _called(model: Trained) -> float:
    """The share of its heads that do one thing most of the time."""
    return sum(model.patterns.get(word, 0) for word in PATTERNS) / sum(model.patterns.values())


def _across(found: Sweep) -> tuple[float, ...]:
    return tuple(float(model.heads) for model in found.models)


def _asked(found: Sweep) -> Table:
    """A row a question, a column a model."""
    rows: list[tuple[Cell, ...]] = [(_ACCURACY, *(model.accuracy for model in found.models))]
    rows += [(what, *(each.value for each in found.course(what))) for what in found.asked]
    worse = {lack.what for lack in lacks(found)}
    return Table(
        title="what was learnt, by heads a layer",
        what="questions",
        columns=(
            Column("question", "", "text"),
            *(Column(str(model.heads), str(model.heads), tinted=True) for model in found.models),
            Column("worse", "fewest are", "text"),
        ),
        rows=tuple((*row, "surely worse" if row[0] in worse else "") for row in rows),
    )


def _heads(found: Sweep, notes: tuple[str, ...]) -> Table:
    """A row a model: what its heads are called, and how different they are."""
    return Table(
        title="what heads do",
        what="models",
        columns=(
            Column("heads", "heads", "whole"),
            Column("apart", "distance"),
            Column("patterns", "patterns", "text"),
        ),
        rows=tuple((model.heads, model.apart, _words(model)) for model in found.models),
        notes=notes,
    )


def _words(model: Trained) -> str:
    return ", ".join(f"{count} {word}" for word, count in model.patterns.items())


def _notes(found: Sweep) -> Iterator[str]:
    fewest = found.models[0].heads
    named = "one head is" if fewest == 1 else f"{fewest} heads are"
    worse = [
        f"{lack.what} ({lack.fewest.value:.2f}, {lack.best} heads {lack.found.value:.2f})"
        for lack in lacks(found)
    ]
    if len(found.models) > 1 and worse:
        yield f"{named} surely worse than the best at {', '.join(worse)}: the 95 % intervals lie apart"
    elif len(found.models) > 1:
        yield f"at nothing that was asked {named} surely worse than the best: the 95 % intervals overlap"
    yield (
        "one training each, so another seed may order them otherwise: intervals are of the questions alone; "
        "heads are chosen on one half of these and reported on the other"
    )
    yield (
        f"patterns and distances are of {found.texts} stories that no training has; distance: the mean "
        "Jensen-Shannon distance of two heads' rows, over words (0 alike .. 1)"
    )


def _numbers(found: Sweep, title: str, notes: tuple[str, ...], recipe: Recipe) -> Table:
    """A row a model and question."""
    rows: list[tuple[Cell, ...]] = []
    for model in found.models:
        rows.append((model.heads, _ACCURACY, "", model.accuracy, math.nan, math.nan, None))
        rows += [
            (
                model.heads,
                each.what,
                each.head,
                each.found.value,
                each.found.low,
                each.found.high,
                each.found.of,
            )
            for each in model.figures
        ]
    names = ("heads", "question", "head", "value", "low", "high", "of")
    return Table(
        title=title,
        what="answers",
        columns=tuple(Column(name, name) for name in names),
        rows=tuple(rows),
        notes=notes,
        document={
            "task": found.task,
            "models": [
                {"heads": model.heads, "accuracy": model.accuracy, "patterns": dict(model.patterns),
                 "distance": model.apart}
                for model in found.models
            ],
        },
        recipe=recipe,
    )  # fmt: skip


def _recipe(found: Sweep, style: Style) -> Recipe:
    return Recipe(
        command="train sweep",
        model={"name": found.name, "heads": [model.heads for model in found.models]},
        sample={"task": dict(found.task)},
        style=style.settled(),
        view="sweep",
        versions=dict(found.versions),
    )

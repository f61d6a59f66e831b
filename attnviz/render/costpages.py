"""What was measured of time and memory, made into tables and curves."""

import math
from collections.abc import Iterator
from dataclasses import asdict, fields

from attnviz.analysis.cost import LEVEL, Cost, Crossing, Fit, Measured, Quantity
from attnviz.inputs import printable
from attnviz.recipes import Recipe, Style
from attnviz.render.plots import Chart, Curve, Plot
from attnviz.render.rows import Cell, Column, Table

_UNITS: dict[Quantity, tuple[float, str, str]] = {
    "seconds": (1e3, "time", "milliseconds"),
    "bytes": (1e-6, "memory", "MB"),
}
"""Of each quantity: times what it is shown, what it is called, and the unit of that."""

FITTED = (
    "powers: least squares on logarithms, with Student's interval, and between the last two lengths; "
    "crossings: interpolated, between lengths at which the middle halves lie apart; everywhere: at all "
    "lengths at which they do, so they do not cross in the lengths measured"
)


def cost_chart(found: Cost, style: Style) -> Chart:
    """Tables of time, memory, powers and crossings; time and memory against the length, in logarithms."""
    known = tuple(quantity for quantity in _UNITS if _known(found, quantity))
    recipe = _recipe(found, style)
    title = printable(style.title if style.title is not None else _title(found))
    method, powers = (*_method(found), *_skipped(found)), tuple(_powers_told(found))
    return Chart(
        title=title,
        plots=tuple(_plot(found, quantity) for quantity in known),
        tables=(
            *(_grown(found, quantity) for quantity in known),
            _powers(found),
            _crossed(found, (*method, FITTED)),
        ),
        numbers=_numbers(found, title, (*method, FITTED), recipe),
        notes=(*powers, *method),
        recipe=recipe,
    )


def _title(found: Cost) -> str:
    setting = found.setting
    threads = f", {setting.threads} thread{'s' if setting.threads != 1 else ''}"
    where = setting.processor + (threads if setting.device == "cpu" else "")
    return f"Cost of one layer as the text grows: d_model {setting.d_model}, {setting.heads} heads; {where}"


def _known(found: Cost, quantity: Quantity) -> bool:
    """Whether any of it was measured."""
    return any(getattr(point, quantity) > 0 for point in found.points)


def _plot(found: Cost, quantity: Quantity) -> Plot:
    _, name, unit = _UNITS[quantity]
    return Plot(
        title=name,
        curves=tuple(
            _curve(found, contender, quantity)
            for contender in found.setting.contenders
            if found.curve(contender)
        ),
        across="tokens",
        up=unit,
        scales=("log", "log"),
        ticks=tuple(map(float, found.setting.lengths)),
    )


def _curve(found: Cost, contender: str, quantity: Quantity) -> Curve:
    times, points = _UNITS[quantity][0], found.curve(contender)
    ranged = quantity == "seconds"
    return Curve(
        contender,
        tuple(float(point.length) for point in points),
        tuple(getattr(point, quantity) * times for point in points),
        tuple(point.low * times for point in points) if ranged else (),
        tuple(point.high * times for point in points) if ranged else (),
    )


def _grown(found: Cost, quantity: Quantity) -> Table:
    """A row a length, a column a contender."""
    times, name, unit = _UNITS[quantity]
    points = {(point.length, point.contender): getattr(point, quantity) * times for point in found.points}
    least = min((value for value in points.values() if value > 0), default=1.0)
    digits = min(max(1 - math.floor(math.log10(least)), 0), 3)
    names = tuple(found.setting.contenders)
    return Table(
        title=f"{name} of one text, {unit}",
        what=name,
        columns=(Column("tokens", "tokens", "whole"), *(Column(each, each, digits=digits) for each in names)),
        rows=tuple((length, *(points[length, each] for each in names)) for length in found.setting.lengths),
    )


def _powers(found: Cost) -> Table:
    """A row a contender: the powers of the length that its time and its memory grow with."""
    return Table(
        title="grows with this power of the length",
        what="powers",
        columns=(
            Column("contender", "", "text"),
            *(column for name in ("time", "memory") for column in _fitted(name)),
        ),
        rows=tuple(
            (name, *_fit_cells(found.fit(name, "seconds")), *_fit_cells(found.fit(name, "bytes")))
            for name in found.setting.contenders
        ),
    )


def _fitted(name: str) -> tuple[Column, ...]:
    return (
        Column(name, name),
        Column(f"{name}.interval", f"{LEVEL * 100:.0f} %", "text"),
        Column(f"{name}.last", "last two"),
    )


def _fit_cells(fit: Fit) -> tuple[Cell, ...]:
    return fit.exponent, "-" if math.isnan(fit.low) else f"{fit.low:.2f}-{fit.high:.2f}", fit.last


def _crossed(found: Cost, notes: tuple[str, ...]) -> Table:
    """A row for every two contenders: which is cheaper where."""
    crossings = {quantity: found.crossings(quantity) for quantity in _UNITS}
    pairs = crossings["seconds"]
    return Table(
        title="which of two is cheaper, from how many tokens on",
        what="crossings",
        columns=(
            Column("pair", "", "text"),
            Column("time", "time", "text"),
            Column("memory", "memory", "text"),
        ),
        rows=tuple(
            (" / ".join(pair), *(_told(pair, of.get(pair)) for of in crossings.values())) for pair in pairs
        ),
        notes=notes,
    )


def _told(pair: tuple[str, str], found: Crossing | None) -> str:
    """The cheaper one: "fused everywhere", "fused from 180", "no difference"."""
    if found is None:
        return "-"
    if found.first is None:
        return "no difference"
    cheaper = pair if found.first else pair[::-1]
    if not found.lengths:
        return f"{cheaper[0]} everywhere"
    turns = enumerate(found.lengths, 1)
    return ", ".join(f"{cheaper[number % 2]} from {_rounded(length)}" for number, length in turns)


def _rounded(length: float) -> str:
    """Two digits: more of them an interpolation does not know."""
    return f"{float(f'{length:.2g}'):,.0f}"


def _method(found: Cost) -> Iterator[str]:
    setting = found.setting
    tried = [point for point in found.points if not point.skipped]
    least = min((point.repeats for point in tried), default=0)
    spread = max(((point.high - point.low) / point.seconds for point in tried), default=math.nan)
    yield (
        "whole layers, forward, one text in float32; those of attention have the same linear maps. "
        + "; ".join(f"{name}: {of}" for name, of in setting.contenders.items())
    )
    yield (
        f"time: median of {least} or more repeats in turn, whose middle half is at most {spread:.0%} of it "
        "wide; memory: in use at most, above weights and input"
    )


def _powers_told(found: Cost) -> Iterator[str]:
    """What a figure says beside its curves."""
    for quantity, (_, name, _) in _UNITS.items():
        fits = {each: found.fit(each, quantity).last for each in found.setting.contenders}
        told = ", ".join(f"{last:.2f} {each}" for each, last in fits.items() if not math.isnan(last))
        if told:
            yield f"power of the length that {name} grows with, between the last two: {told}"


def _skipped(found: Cost) -> Iterator[str]:
    for contender in found.setting.contenders:
        missed = [point for point in found.points if point.contender == contender and point.skipped]
        if missed:
            longer = " and more" if len(missed) > 1 else ""
            yield f"not tried: {contender} at {missed[0].length:,} tokens{longer}: {missed[0].skipped}"


def _numbers(found: Cost, title: str, notes: tuple[str, ...], recipe: Recipe) -> Table:
    """A row a measurement."""
    columns = tuple(Column(entry.name, entry.name) for entry in fields(Measured))
    fits = {
        name: {quantity: found.fit(name, quantity)._asdict() for quantity in _UNITS}
        for name in found.setting.contenders
    }
    crossings = [
        {
            "pair": list(pair),
            "quantity": quantity,
            "first_is_cheaper": each.first,
            "crosses_at": list(each.lengths),
        }
        for quantity in _UNITS
        for pair, each in found.crossings(quantity).items()
    ]
    return Table(
        title=title,
        what="measured",
        columns=columns,
        rows=tuple(tuple(asdict(point).values()) for point in found.points),
        notes=notes,
        document={"setting": asdict(found.setting), "powers": fits, "crossings": crossings},
        recipe=recipe,
    )


def _recipe(found: Cost, style: Style) -> Recipe:
    setting = found.setting
    return Recipe(
        command="cost",
        model={"contenders": list(setting.contenders), "d_model": setting.d_model, "heads": setting.heads,
               "window": setting.reach, "dtype": "float32"},
        sample={"lengths": list(setting.lengths)},
        style=style.settled(),
        view="cost",
        reduction={"device": setting.device, "processor": setting.processor, "threads": setting.threads,
                   "seed": setting.seed},
        versions=dict(setting.versions),
    )  # fmt: skip

"""Curves as a matplotlib figure: plots side by side under one legend, each line in a colour with a mark."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render import pages
from attnviz.render.layout import PAGE, Box
from attnviz.render.lettering import Labels, Lettering
from attnviz.render.pen import FRAME, GREY, INK, Pen, house_style
from attnviz.render.plots import Chart, Curve, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

LOOKS = (
    ("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#7a5200", "v"),
    ("#56b4e9", "P"), ("#1a1a1a", "X"), ("#e69f00", "<"), ("#6a3d9a", ">"), ("#8c8c8c", "*"),
)  # fmt: skip
"""Colour and mark of each curve, told apart by those who see few colours (Okabe & Ito 2008) or none."""

NARROWEST, HIGHEST = 1.1, 0.72  # a plot, in inches; its height, in widths
_LINE, _THIN, _MARK = 1.1, 0.5, 3.4  # points
_SAMPLE = 0.28  # of a line in the legend, in inches
_ROOM = 0.06  # of a plot left free around the curves
_MOST_TICKS = 6


@dataclass(frozen=True)
class _Panel:
    """A plot in its place. right, up: the words and places of its ticks."""

    plot: Plot
    box: Box
    across: Sequence[tuple[float, str]]
    up: Sequence[tuple[float, str]]


def check(style: Style) -> None:
    """Raises UsageError for a style that cannot be drawn, or says nothing of curves."""
    pages.check(style)
    if style.scale != "linear" or style.vmax is not None or style.cmap is not None:
        raise UsageError(
            "--cmap, --scale and --vmax are of the colours of maps, and these are curves: leave them out"
        )


def chart_figure(view: Chart, style: Style) -> tuple["Figure", tuple[str, ...]]:
    """The chart as a figure, and what its maker should be told.

    Raises UsageError for a width that has no room for its plots.
    """
    from matplotlib.figure import Figure

    letters = Lettering.of(style, _texts(view))
    width = style.width or PAGE * letters.grown
    room = width - 2 * letters.margin
    title = letters.fonts.wrapped(letters.fonts.shown(view.title), letters.title, room)
    caption = letters.fonts.wrapped(letters.fonts.shown(" · ".join(view.notes)), letters.small, room)
    legend = _legend(view, letters, room)
    top = letters.margin + len(title) * letters.title_line + letters.gap / 2
    first = top + len(legend) * letters.small_line * 1.2 + letters.gap / 2
    panels = list(_panels(view, letters, width, first))
    foot = panels[-1].box.bottom + 2 * letters.small_line + 2 * letters.pad + letters.gap / 2
    height = foot + len(caption) * letters.small_line + letters.margin
    looks = looks_of(view)
    with house_style():
        drawn = Figure(figsize=(width, height), dpi=style.dpi, facecolor="white")
        pen = Pen(drawn, letters)
        pen.lines(title, letters.margin, letters.title, INK)
        _draw_legend(pen, legend, looks, top)
        for panel in panels:
            _draw(pen, panel, looks)
        pen.lines(caption, foot, letters.small, GREY)
    return drawn, letters.fonts.notes


def looks_of(view: Chart) -> dict[str, tuple[str, str]]:
    """The colour and the mark of each name in the legend, the same in all plots."""
    names = dict.fromkeys(curve.name for plot in view.plots for curve in plot.curves if not curve.faint)
    return {name: LOOKS[place % len(LOOKS)] for place, name in enumerate(names)}


def _legend(view: Chart, letters: Lettering, room: float) -> list[list[tuple[float, str]]]:
    """The names in lines, each with where it begins."""
    lines: list[list[tuple[float, str]]] = [[]]
    left = 0.0
    for name in looks_of(view):
        wide = (
            _SAMPLE
            + letters.pad
            + letters.fonts.width(letters.fonts.shown(name), letters.small)
            + 1.5 * letters.gap
        )
        if lines[-1] and left + wide > room:
            lines.append([])
            left = 0.0
        lines[-1].append((left, name))
        left += wide
    return lines if lines[0] else []


def _draw_legend(
    pen: Pen, legend: Sequence[Sequence[tuple[float, str]]], looks: dict[str, tuple[str, str]], top: float
) -> None:
    from matplotlib.lines import Line2D

    wide, high = pen.figure.get_size_inches()
    for number, line in enumerate(legend):
        middle = top + (number + 0.5) * pen.letters.small_line * 1.2
        for left, name in line:
            start = pen.letters.margin + left
            ends = [start / wide, (start + _SAMPLE / 2) / wide, (start + _SAMPLE) / wide]
            sample = Line2D(ends, [1 - middle / high] * 3, markevery=[1], **_look(looks[name], pen.letters))
            pen.figure.add_artist(sample)
            pen.text(start + _SAMPLE + pen.letters.pad, middle, pen.letters.fonts.shown(name), color=INK)


def _panels(view: Chart, letters: Lettering, width: float, top: float) -> Iterator[_Panel]:
    """All plots side by side, equally wide."""
    ticks = [(_across(plot), _up(plot)) for plot in view.plots]
    sides = [letters.small_line + 2 * letters.pad + letters.widest(text for _, text in up) for _, up in ticks]
    each = (width - 2 * letters.margin - sum(sides) - letters.gap * (len(sides) - 1)) / len(
        sides
    ) - letters.pad
    if each < NARROWEST:
        raise UsageError(f"a figure {width:g} inches wide has no room for {len(sides)} plots side by side")
    left, first = letters.margin, top + letters.line
    for plot, (across, up), side in zip(view.plots, ticks, sides, strict=True):
        yield _Panel(plot, Box(left + side, first, each, each * HIGHEST), across, up)
        left += side + each + letters.gap


def _across(plot: Plot) -> list[tuple[float, str]]:
    places = plot.ticks or tuple(dict.fromkeys(x for curve in plot.curves for x in curve.x))
    return [(place, f"{place:,.0f}") for place in sorted(places)]


def _up(plot: Plot) -> list[tuple[float, str]]:
    low, high = _span(plot)
    if plot.scales[1] == "log":
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        step = max(1, math.ceil(len(powers) / _MOST_TICKS))
        return [(10.0**power, _power(power)) for power in powers if power % step == 0]
    from matplotlib.ticker import MaxNLocator

    places = map(float, MaxNLocator(_MOST_TICKS - 1).tick_values(low, high))
    return [(place, f"{place:.3g}") for place in places if low <= place <= high]


def _power(power: int) -> str:
    """A power of ten as people write it."""
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"


def _span(plot: Plot) -> tuple[float, float]:
    """From the lowest to the highest, with room around them."""
    if plot.span is not None:
        return plot.span
    values = [y for curve in plot.curves for y in (*curve.y, *curve.low, *curve.high) if not math.isnan(y)]
    low, high = min(values, default=0.1), max(values, default=1.0)
    if plot.scales[1] == "log":
        room = (high / low) ** _ROOM if high > low else 2.0
        return low / room, high * room
    room = (high - low) * _ROOM or 0.5
    return low - room, high + room


def _draw(pen: Pen, panel: _Panel, looks: dict[str, tuple[str, str]]) -> None:
    plot, box, letters = panel.plot, panel.box, pen.letters
    axes = pen.axes(box)
    axes.set(yscale=plot.scales[1], ylim=_span(plot))
    axes.minorticks_off()
    _set_across(axes, panel)
    for curve in sorted(plot.curves, key=lambda curve: not curve.faint):
        _draw_curve(axes, curve, looks, letters)
    across = letters.numbers([text for _, text in panel.across], _closest(axes, panel))
    _mark(pen, axes.xaxis, across, [place for place, _ in panel.across])
    _mark(pen, axes.yaxis, Labels(tuple(text for _, text in panel.up), 1, 0, 0), [at for at, _ in panel.up])
    axes.grid(color=FRAME, linewidth=0.25, alpha=0.6)
    axes.set_axisbelow(True)
    pen.title(box, letters.fonts.shown(plot.title))
    side = letters.pad + letters.widest(text for _, text in panel.up)
    pen.axis_names(box, (plot.up, side), (plot.across, across.room))


def _set_across(axes: "Axes", panel: _Panel) -> None:
    """From the first x to the last, with room around them."""
    every = [x for curve in panel.plot.curves for x in curve.x]
    first, last = min(every), max(every)
    if panel.plot.scales[0] == "log":
        axes.set_xscale("log")
        room = (last / first) ** _ROOM if last > first else 2.0
        axes.set_xlim(first / room, last * room)
    elif panel.plot.scales[0] == "symlog":
        least = min(x for x in every if x > 0)
        axes.set_xscale("symlog", linthresh=least, linscale=0.4)
        axes.set_xlim(-least * _ROOM, last * (last / least) ** _ROOM)
    else:
        room = (last - first) * _ROOM or 0.5
        axes.set_xlim(first - room, last + room)


def _closest(axes: "Axes", panel: _Panel) -> float:
    """How near each other two ticks of x stand at least, in inches."""
    places = [axes.transData.transform((place, 1))[0] / axes.figure.dpi for place, _ in panel.across]
    return min((after - before for before, after in pairwise(places)), default=panel.box.width)


def _mark(pen: Pen, axis: "Axis", labels: Labels, places: Sequence[float]) -> None:
    """Numbers along an axis, by marks."""
    from matplotlib.ticker import NullLocator

    pen.labels(axis, labels, np.array(places), length=2)
    axis.set_minor_locator(NullLocator())


def _draw_curve(axes: "Axes", curve: Curve, looks: dict[str, tuple[str, str]], letters: Lettering) -> None:
    if curve.faint:
        axes.plot(curve.x, curve.y, color=FRAME, linewidth=_THIN * letters.grown)
        return
    look = _look(looks[curve.name], letters)
    axes.plot(curve.x, curve.y, **look)
    if curve.low:
        axes.fill_between(curve.x, curve.low, curve.high, color=look["color"], alpha=0.2, linewidth=0)


def _look(look: tuple[str, str], letters: Lettering) -> dict[str, Any]:
    colour, mark = look
    return {
        "color": colour, "marker": mark, "linewidth": _LINE * letters.grown,
        "markersize": _MARK * letters.grown, "markeredgewidth": 0,
    }  # fmt: skip


def _texts(view: Chart) -> Iterator[str]:
    yield from (view.title, *view.notes, "·…,.0123456789")
    for plot in view.plots:
        yield from (plot.title, plot.across, plot.up, *(curve.name for curve in plot.curves))

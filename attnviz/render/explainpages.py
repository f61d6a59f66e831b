"""One query followed through by numbers: tables that can be checked with a pencil."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attnviz.analysis.steps import Worked
from attnviz.captures import Numbers
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.projections import Projections
from attnviz.recipes import Choice, Recipe, Style, recipe
from attnviz.render import pages
from attnviz.render.rows import Cell, Column, Steps, Table

DIMENSIONS = 8  # of a product that are shown, those that add most
KEYS = 16  # rows of a table of keys; of more the ones with the largest weights
SHOWN = 6  # numbers of a value
SAME = 1e-4  # what is written with three digits is the same
_LONGEST = 64  # numbers of a query that are written out


def check(choice: Choice, style: Style) -> None:
    """Raises UsageError for what says nothing of one row of one head."""
    pages.check(style)
    for option, given in (
        ("--mean", choice.mean),
        ("--tokens", choice.tokens),
        ("--words", choice.words),
        ("--query", choice.query),
        ("--special", choice.special != "show"),
    ):
        if given:
            raise UsageError(f"--explain follows one query of one head through, as it is: leave out {option}")


def explanation(
    made: Projections, work: Worked, *, choice: Choice, style: Style, notes: Sequence[str] = ()
) -> Steps:
    """The page of ``attnviz heatmap --explain``.

    notes: what is to be said first
    """
    page = _Explaining(made, work)
    asking = f"“{page.label}”, token {page.position}, in {pages.quoted(made.seen)}"
    title = f"{printable(made.seen.model.name)}  head {made.head.name}  {asking}"
    steps = recipe(
        "explain", made.seen, choice, style, view="explain",
        reduction={"head": made.head.name, "query": page.position, "notes": list(notes)},
    )  # fmt: skip
    return Steps(
        title=title if style.title is None else printable(style.title),
        tables=tuple(_numbered(page.tables(steps))),
        notes=(*notes, *page.opening()),
        document=page.document(),
        recipe=steps,
    )


def _numbered(tables: Iterable[Table]) -> Iterator[Table]:
    """In the order in which they are followed."""
    return (replace(table, title=f"{number}  {table.title}") for number, table in enumerate(tables, 1))


@dataclass(frozen=True)
class _Explaining:
    """A row that is being explained."""

    made: Projections
    work: Worked

    @property
    def label(self) -> str:
        return self.made.axes[0].labels[self.work.row]

    @property
    def position(self) -> int:
        return self.made.axes[0].positions[self.work.row]

    @property
    def keys(self) -> tuple[str, ...]:
        return self.made.axes[1].labels

    def opening(self) -> Iterator[str]:
        """The query itself, and what is done to it."""
        numbers = self.work.query[:_LONGEST]
        rest = f" and {len(self.work.query) - _LONGEST} more" if len(self.work.query) > _LONGEST else ""
        yield f"q of “{self.label}”: {' '.join(f'{number:.2f}' for number in numbers)}{rest}"

    def tables(self, made: Recipe) -> Iterator[Table]:
        if self.work.products is not None and self.work.visible.any():
            yield self._dimensions(self.work.products, made)
        yield self._weights(made)
        yield self._values(made)

    def _dimensions(self, products: Numbers, made: Recipe) -> Table:
        """How q and k of the strongest key multiply, the largest products first."""
        key = self.work.strongest
        parts = products[key]
        order = np.argsort(-np.abs(parts), kind="stable")[:DIMENSIONS]
        so_far = np.cumsum(parts[order])
        rows: list[tuple[Cell, ...]] = [
            (
                str(place),
                float(self.work.query[place]),
                float(self.made.key[key, place]),
                float(parts[place]),
                float(total),
            )
            for place, total in zip(order.tolist(), so_far, strict=True)
        ]
        if others := len(parts) - len(order):
            rows.append((f"{others} others", None, None, float(parts.sum() - so_far[-1]), float(parts.sum())))
        return Table(
            title=f"q·k, dimension by dimension, with the strongest key “{self.keys[key]}”",
            what="dimensions",
            columns=(
                Column("dimension", "dimension", "text"),
                Column("q", "q"),
                Column("k", "k"),
                Column("product", "q × k"),
                Column("sum", "sum so far"),
            ),
            rows=tuple(rows),
            notes=(f"the last sum is q·k = {self.work.dots[key]:.2f}",),
            recipe=made,
        )

    def _weights(self, made: Recipe) -> Table:
        """From q . k with every key to its weight."""
        shown = self._shown()
        return Table(
            title="from scores to weights: scaled, masked, softmax",
            what="keys",
            columns=(
                Column("key", "key", "token"),
                Column("position", "token", "whole", rank=1),
                Column("dot", "q·k" if self.work.products is not None else self.made.score),
                Column("score", "score"),
                Column("power", "e^(score-max)", digits=3),
                Column("weight", "weight", digits=3, tinted=True),
            ),
            rows=(*(self._weight_row(key) for key in shown), *self._rest_of_weights(shown)),
            notes=tuple(self._weight_notes()),
            recipe=made,
        )

    def _rest_of_weights(self, shown: Sequence[int]) -> Iterator[tuple[Cell, ...]]:
        """The keys that have no row, and what is no key."""
        work, sink = self.work, self.made.sink
        rest = np.setdiff1d(np.arange(len(self.keys)), shown)
        if len(rest):
            sums = float(work.powers[rest].sum()), float(work.weights[rest].sum())
            yield (f"{len(rest)} others", None, None, None, *sums)
        if sink is not None:
            power = float(np.exp(sink - work.top))
            yield ("the sink", None, None, sink, power, power / work.total)

    def _weight_row(self, key: int) -> tuple[Cell, ...]:
        work = self.work
        before = (self.keys[key], self.made.axes[1].positions[key], float(work.dots[key]))
        if not work.visible[key]:
            return (*before, None, None, 0.0)
        return (*before, float(work.scores[key]), float(work.powers[key]), float(work.weights[key]))

    def _weight_notes(self) -> Iterator[str]:
        made, work = self.made, self.work
        size = made.query.shape[-1]
        factor = f"× {made.scale:.4g}" + (f" (1/√{size})" if abs(made.scale - size**-0.5) < SAME else "")
        score = f"score: q·k {factor}" if made.learnt is None else f"score: {made.score}, with what it learnt"
        score += f", capped at ±{made.cap:g}" if made.cap is not None else ""
        yield score + (", plus the model's bias by position" if made.bias is not None else "")
        if not work.visible.all():
            yield "- : the query may not see the key"
        yield (
            f"max: {work.top:.2f}, the largest score; weight: e^(score-max) divided by the sum of them all, "
            f"{work.total:.3f}"
        )
        off = float(np.abs(work.weights - work.own).max())
        if off > SAME:
            yield f"the model's own weights differ by up to {off:.2g}: it does more than is known here"

    def _values(self, made: Recipe) -> Table:
        """What is read: the values, times their weights, summed."""
        size = min(SHOWN, self.made.value.shape[-1])
        more = self.made.value.shape[-1] - size
        return Table(
            title="what is read: the values, summed by the weights",
            what="values",
            columns=(
                Column("key", "key", "token"),
                Column("weight", "weight", digits=3, tinted=True),
                *(Column(f"v{place}", f"v{place}") for place in range(size)),
            ),
            rows=tuple(self._value_rows(size)),
            notes=(f"the first {size} numbers of each value; {more} more in the JSON",) if more else (),
            recipe=made,
        )

    def _value_rows(self, size: int) -> Iterator[tuple[Cell, ...]]:
        """So many numbers of the value of each key, and of their sum."""
        work, value = self.work, self.made.value[:, :size].astype(np.float64)
        shown = [key for key in self._shown() if work.visible[key]]
        for key in shown:
            yield (self.keys[key], float(work.weights[key]), *value[key].tolist())
        rest = np.setdiff1d(np.flatnonzero(work.visible), shown)
        if len(rest):
            left = float(work.weights[rest].sum())
            mean = (work.weights[rest] @ value[rest]) / (left or 1.0)
            yield (f"{len(rest)} others, their mean", left, *mean.tolist())
        yield ("sum of weight × v", float(work.weights.sum()), *work.read[:size].tolist())

    def _shown(self) -> list[int]:
        """The keys with the largest weights, in the order of the text."""
        order = np.argsort(-self.work.weights, kind="stable")[:KEYS]
        return sorted(order.tolist())

    def document(self) -> dict[str, Any]:
        """Every number."""
        made, work, key = self.made, self.work, self.work.strongest
        return {
            "head": made.head.name,
            "query": {"label": self.label, "position": self.position, "q": work.query},
            "score": made.score,
            "scale": made.scale,
            "cap": made.cap,
            "sink": made.sink,
            "max": work.top,
            "total": work.total,
            "keys": [self._entry(place) for place in range(len(self.keys))],
            "strongest": {
                "position": made.axes[1].positions[key],
                "k": made.key[key],
                "products": work.products[key] if work.products is not None else None,
            },
            "read": work.read,
        }

    def _entry(self, key: int) -> dict[str, Any]:
        work, seen = self.work, bool(self.work.visible[key])
        return {
            "label": self.keys[key],
            "position": self.made.axes[1].positions[key],
            "dot": float(work.dots[key]),
            "score": float(work.scores[key]) if seen else None,
            "visible": seen,
            "power": float(work.powers[key]),
            "weight": float(work.weights[key]),
            "own": float(work.own[key]),
            "v": self.made.value[key],
        }

"""What probes have found, made into tables: relations, induction, sinks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attnviz.analysis.links import Asked, Direction
from attnviz.analysis.probe import FEWEST, Finding, Probe, plain
from attnviz.analysis.resample import FEWEST_SAMPLES, LEVEL, RESAMPLES
from attnviz.analysis.summary import Summary
from attnviz.captures import Capture
from attnviz.inputs import Sample, printable
from attnviz.recipes import Choice, Listing, Recipe, Style, recipe
from attnviz.render.rows import Cell, Column, HeadRow, Statistic, Table

_TOLD = 3  # notes of single samples, and names of relations left out, at most


@dataclass(frozen=True)
class Drawn:
    """What random tokens a probe was made with: so many sequences of so many different tokens, by a seed.

    times: how often these stand in a sequence, one after the other
    first: the token of the model's own that stands before them; "" if there is none
    """

    sequences: int
    length: int
    times: int
    seed: int
    first: str = ""


def findings_table(probe: Probe, style: Style) -> Table:
    """A row a relation and direction: the head that finds most, and what guesses find of the same pairs."""
    what = (
        "relations of the builtin language" if probe.corpus == "builtin" else f"relations of {probe.corpus}"
    )
    return Table(
        title=_title(style, probe.model.name, f"{what}, {_texts(probe.texts)}"),
        what="findings",
        columns=_FINDING,
        rows=tuple(_finding_row(finding) for finding in probe.findings),
        notes=tuple(_probe_notes(probe)),
        document={"heads": [head.name for head in probe.heads], "shares": probe.shares.tolist()},
        cmap=style.cmap or "viridis",
        recipe=_recipe(
            Capture(probe.model, Sample(""), versions=probe.versions),
            {"relations": probe.corpus, "sha256": probe.digest, "texts": probe.texts},
            probe.choice,
            style,
            view="relations",
            seed=probe.seed,
        ),
    )


_FINDING = (
    Column("relation", "relation", "token"),
    Column("way", "way", "text"),
    Column("direction", "direction", "text", shown=False),
    Column("head", "head", "text"),
    Column("share", "found", tinted=True),
    Column("interval", f"{LEVEL * 100:.0f} %", "text"),
    Column("low", "low", shown=False),
    Column("high", "high", shown=False),
    Column("nearest", "nearest", tinted=True),
    Column("offset", "offset", tinted=True),
    Column("distance", "by", "whole", rank=2),
    Column("beats", "beats", "text"),
    Column("pairs", "pairs", "whole"),
    Column("texts", "texts", "whole", rank=3),
    Column("unseen", "unseen", "whole", rank=4),
    Column("chosen_on", "chosen on", "whole", rank=5),
)


_WAYS: dict[Direction, str] = {"to target": "→", "to source": "←"}


def _finding_row(finding: Finding) -> tuple[Cell, ...]:
    values = plain(finding) | {
        "relation": printable(finding.relation),
        "way": _WAYS[finding.direction],
        "interval": _interval(finding.low, finding.high),
        "beats": _beats(finding),
    }
    return tuple(values[column.name] for column in _FINDING)


def _beats(finding: Finding) -> str:
    """Whether the head does better than both guesses; where one of these finds all, no head can."""
    if finding.beats:
        return "yes"
    return "cannot" if max(finding.nearest.value, finding.offset.value) == 1 else "no"


def _probe_notes(probe: Probe) -> Iterator[str]:
    level, first = f"{LEVEL * 100:.0f} %", probe.texts // 2
    yield (
        "found: how often the largest weight on another word lies on the other end of the relation (special "
        "tokens and blanks left out); → from source to target, ← from target to source"
    )
    yield (
        "nearest: what the nearest word of the other end's category finds (none known: of the words that "
        "were the answer in the first half); offset: what the best fixed distance finds; by: "
        "that distance, in words, from the end that looks to the other (-2: two before it)"
    )
    yield (
        f"heads and distances are chosen on {first} texts, all numbers are of the other "
        f"{probe.texts - first}; {level}: the wider of Wilson's interval and, from {FEWEST_SAMPLES} texts "
        f"on, a bootstrap over texts, seed {probe.seed}; beats: surely more than both guesses find, text "
        f"by text, or below {FEWEST_SAMPLES} texts its lower end is above both"
    )
    if any(_beats(finding) == "cannot" for finding in probe.findings):
        yield "cannot: a guess finds all, so these texts do not tell it from a head that does"
    if probe.few:
        yield f"left out, with fewer than {FEWEST} pairs in a half: {_named(probe.few)}"
    if probe.blind:
        yield f"left out, because no head sees the other end: {_named(probe.blind)}"
    if unseen := sum(finding.unseen for finding in probe.findings):
        yield f"{unseen:,} pairs are not asked: the head may not see the other end"
    if probe.lost:
        yield f"{probe.lost:,} of {probe.pairs:,} pairs are left out: an end is cut off, or both in one word"
    yield from probe.notes[:_TOLD]


def _named(asked: Sequence[Asked]) -> str:
    """Relations by their names; of many the first, and how many more."""
    names = list(dict.fromkeys(printable(each.relation) for each in asked))
    more = f" and {len(names) - 2 * _TOLD} more" if len(names) > 2 * _TOLD else ""
    return ", ".join(names[: 2 * _TOLD]) + more


def induction_table(
    summary: Summary, drawn: Drawn, choice: Choice, style: Style, *, top: int | None = None
) -> Table:
    """A row a head, those with the largest induction first, beside what is easily taken for it."""
    rows = _best(summary.rows, "induction")
    named = ("induction", "duplicate", "previous")
    columns = _measured("induction", "induction", *named[1:])
    return Table(
        title=_title(
            style, _model(summary), f"{drawn.sequences} sequences, each {drawn.length} random tokens twice"
        ),
        what="heads",
        columns=(Column("head", "head", "text"), *columns),
        rows=tuple(_cells(row, [row.statistics[name] for name in named]) for row in rows[:top]),
        notes=tuple(_induction_notes(summary, rows, drawn, top)),
        cmap=style.cmap or "viridis",
        recipe=_drawn_recipe(summary, drawn, choice, style, view="induction", top=top),
    )


def sink_table(
    drawn: Summary, natural: Summary, how: Drawn, choice: Choice, style: Style, *, top: int | None = None
) -> Table:
    """A row a head: how much all others look at the first token, in random tokens and in texts."""
    texts = {row.head: row for row in natural.rows}
    rows = [row for row in _best(natural.rows, "first") if row.head in {each.head for each in drawn.rows}]
    random = {row.head: row.statistics["first"] for row in drawn.rows}
    shown = [_cells(row, [random[row.head], texts[row.head].statistics["first"]]) for row in rows[:top]]
    made = _drawn_recipe(drawn, how, choice, style, view="sink", top=top)
    texts_of = recipe("probe", natural.samples, choice, style).sample
    return Table(
        title=_title(
            style,
            _model(drawn),
            f"first token: {how.sequences} sequences of {how.length} random tokens, "
            f"{_texts(len(natural.samples))}",
        ),
        what="heads",
        columns=(Column("head", "head", "text"), *_measured("random", "random"), *_measured("text", "text")),
        rows=tuple(shown),
        notes=tuple(_sink_notes(drawn, natural, rows, how, top)),
        cmap=style.cmap or "viridis",
        recipe=replace(made, sample={**made.sample, "texts": texts_of}),
    )


def _measured(name: str, short: str, *others: str) -> tuple[Column, ...]:
    """The columns of a statistic with its interval and baseline, and of others beside it."""
    alike = (Column(f"{name}.baseline", "alike"),)
    return tuple(
        column
        for each, head, rest in ((name, short, alike), *((other, other, ()) for other in others))
        for column in (
            Column(each, head, tinted=True),
            Column(f"{each}.interval", f"{LEVEL * 100:.0f} %", "text", rank=0 if rest else 1),
            Column(f"{each}.low", "low", shown=False),
            Column(f"{each}.high", "high", shown=False),
            *(rest or (Column(f"{each}.baseline", "alike", shown=False),)),
        )
    )


def _cells(row: HeadRow, statistics: Sequence[Statistic]) -> tuple[Cell, ...]:
    numbers = [
        (each.value, _interval(each.low, each.high), each.low, each.high, each.baseline)
        for each in statistics
    ]
    return (row.head.name, *(cell for cells in numbers for cell in cells))


def _interval(low: float, high: float) -> str:
    return "-" if low != low else f"{low:.2f}-{high:.2f}"  # noqa: PLR0124 - NaN


def _best(rows: Sequence[HeadRow], name: str) -> list[HeadRow]:
    """Those that have the statistic, the largest first."""
    there = [row for row in rows if row.statistics[name].samples]
    return sorted(there, key=lambda row: -row.statistics[name].value)


def _induction_notes(
    summary: Summary, rows: Sequence[HeadRow], drawn: Drawn, top: int | None
) -> Iterator[str]:
    yield (
        "induction: mean weight from a token of the second half to the one after its first occurrence; "
        "duplicate: to that occurrence; alike: of a head that looks at all it sees alike"
    )
    yield from _common(summary, rows, drawn, top)


def _sink_notes(
    drawn: Summary, natural: Summary, rows: Sequence[HeadRow], how: Drawn, top: int | None
) -> Iterator[str]:
    yield (
        "mean weight on the first token from all after it; alike: of a head that looks at all it sees alike, "
        "which depends on the length"
    )
    if how.first:
        yield f"the first token is {how.first}, the model's own, before random tokens and texts alike"
    else:
        yield "the first token is a random one, or one of the text: the model has none of its own there"
    yield from _common(drawn, rows, how, top)
    told = dict.fromkeys(note for sample in natural.samples for note in sample.notes)
    yield from list(told)[:_TOLD]


def _common(summary: Summary, rows: Sequence[HeadRow], drawn: Drawn, top: int | None) -> Iterator[str]:
    count = len(summary.rows)
    shown = len(rows) if top is None else min(top, len(rows))
    if shown < count:
        yield f"{shown} of {count} heads, the largest first"
    if len(rows) < count:
        yield f"{count - len(rows)} heads are left out: their rows never see what is asked for"
    if drawn.sequences >= FEWEST_SAMPLES:
        yield (
            f"{LEVEL * 100:.0f} %: percentile bootstrap, {RESAMPLES:,} times as many sequences drawn again, "
            f"seed {drawn.seed}"
        )
    else:
        yield f"no intervals: they take at least {FEWEST_SAMPLES} sequences"
    yield from dict.fromkeys(note for sample in summary.samples for note in sample.notes)


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"


def _title(style: Style, model: str, what: str) -> str:
    return printable(style.title if style.title is not None else f"{model}  {what}")


def _model(summary: Summary) -> str:
    return summary.samples[0].model.name


def _drawn_recipe(
    summary: Summary, drawn: Drawn, choice: Choice, style: Style, *, view: str, top: int | None
) -> Recipe:
    sample: dict[str, Any] = {"sequences": drawn.sequences, "length": drawn.length, "times": drawn.times}
    made = _recipe(summary.samples[0], sample, choice, style, view=view, seed=drawn.seed)
    return replace(made, listing=Listing(top=top)) if top else made


def _recipe(
    capture: Capture, sample: dict[str, Any], choice: Choice, style: Style, *, view: str, seed: int
) -> Recipe:
    made = recipe("probe", capture, choice, style, view=view, reduction={"seed": seed})
    return replace(made, sample=sample)

"""The statistics of a head: their names, what they say, and the word for a head that follows from them.

A is one head's map, rows i (queries), columns j (keys). A statistic is the mean over its eligible rows: those
with more than one visible key (padding is never a row), and whatever ``rows`` adds; without any it is missing
(NaN), never 0. entropy, focus, confidence and distance are of the row divided by its sum.

Sources: Clark et al. 2019 (What Does BERT Look At?), Voita et al. 2019 (Analyzing Multi-Head Self-Attention),
Vig & Belinkov 2019 (Analyzing the Structure of Attention), Xiao et al. 2023 (Efficient Streaming Language
Models with Attention Sinks), Wang et al. 2022 (Interpretability in the Wild), Olsson et al. 2022 (In-context
Learning and Induction Heads).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Stacks = Literal["any", "self", "text", "text self", "sink"]


@dataclass(frozen=True)
class Metric:
    """One statistic.

    of_row:   what is averaged, as a formula
    rows:     which rows are eligible besides
    defined:  for attention of any kind, for self-attention, for keys that are text, for both, or for models
              whose softmax has a sink
    unit:     of the number, with its range
    baseline: whether it stands beside what a head that looks at all visible keys alike would have
    """

    name: str
    of_row: str
    rows: str
    defined: Stacks
    unit: str
    source: str
    baseline: bool = False


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("entropy", "-sum A_ij log2 A_ij", "", "any", "bits", "Clark et al. 2019"),
        Metric(
            "focus", "1 - entropy_i / log2(visible keys)", "", "any", "0 alike .. 1 one key", "normalised"
        ),
        Metric("confidence", "max_j A_ij", "", "any", "0 .. 1", "Voita et al. 2019"),
        Metric("distance", "sum_j A_ij |i-j|", "", "self", "tokens", "Vig & Belinkov 2019", baseline=True),
        Metric(
            "previous", "A_i,i-1", "that key is visible", "text self", "0 .. 1", "Clark et al. 2019", True
        ),
        Metric("next", "A_i,i+1", "that key is visible", "text self", "0 .. 1", "Clark et al. 2019", True),
        Metric("self", "A_ii", "that key is visible", "self", "0 .. 1", "", True),
        Metric("first", "A_i0", "i > 0, that key is visible", "self", "0 .. 1", "Xiao et al. 2023", True),
        Metric(
            "separator",
            "sum over special tokens other than position 0",
            "one is visible",
            "any",
            "0 .. 1",
            "Clark et al. 2019",
            True,
        ),
        Metric(
            "punctuation",
            "sum over punctuation tokens",
            "one is visible",
            "text",
            "0 .. 1",
            "Clark et al. 2019",
            True,
        ),
        Metric(
            "duplicate",
            "sum over j < i with token_j = token_i",
            "there is one, and it is visible",
            "text self",
            "0 .. 1",
            "Wang et al. 2022",
            True,
        ),
        Metric(
            "induction",
            "sum over j < i with token_(j-1) = token_i",
            "there is one, and it is visible",
            "text self",
            "0 .. 1",
            "Olsson et al. 2022",
            True,
        ),
        Metric(
            "positional",
            "1 where the largest weight lies at the head's commonest offset, else 0",
            "not flat; 20 of them at least",
            "text self",
            "0 .. 1",
            "Voita et al. 2019",
            True,
        ),
        Metric("sink_mass", "1 - sum_j A_ij", "", "sink", "0 .. 1", "Xiao et al. 2023"),
    )
}

PATTERNS = ("previous", "next", "self", "first", "separator", "punctuation", "duplicate", "induction")
"""The statistics that a head can be called after; of equal ones the first."""

ENOUGH = 0.4  # a head is called after a statistic of at least this
TIMES = 3.0  # and at least so many times its baseline
LOCAL = 0.5  # of a uniform head's distance: below it a head is local
BROAD = 0.1  # focus below it
GLOBAL = 0.4  # confidence from it on
FEWEST_ROWS = 20  # for the positional statistic


class Pattern(NamedTuple):
    """The word for a head, and the number that it was given for (NaN for mixed)."""

    name: str
    score: float


def pattern(values: Mapping[str, float], baselines: Mapping[str, float]) -> Pattern:
    """What a head does, in a word.

    The statistic of PATTERNS that is at least 0.4 and at least 3 times its baseline, the one with the largest
    ratio; else "local" (distance under half a uniform head's), "broad" (focus < 0.1), "global" (confidence
    >= 0.4), or "mixed". Missing values (NaN, or no entry) never decide.
    """

    def value(name: str) -> float:
        return values.get(name, math.nan)

    def base(name: str) -> float:
        return baselines.get(name, math.nan)

    ratios = {
        name: value(name) / base(name)
        for name in PATTERNS
        if value(name) >= ENOUGH and base(name) > 0 and value(name) >= TIMES * base(name)
    }
    if ratios:
        best = max(ratios, key=lambda name: ratios[name])  # of equal ones the first
        return Pattern(best, value(best))
    if value("distance") < LOCAL * base("distance"):
        return Pattern("local", value("distance"))
    if value("focus") < BROAD:
        return Pattern("broad", value("focus"))
    if value("confidence") >= GLOBAL:
        return Pattern("global", value("confidence"))
    return Pattern("mixed", math.nan)


def rules() -> list[str]:
    """The rules of ``pattern`` in sentences, with their thresholds."""
    return [
        f"{', '.join(PATTERNS)}: the statistic is at least {ENOUGH:g} and at least {TIMES:g} times that of a "
        "head that looks at all visible keys alike; the largest ratio wins",
        f"local: else, if the distance is under {LOCAL:g} times that of such a head",
        f"broad: else, if the focus is under {BROAD:g}",
        f"global: else, if the confidence is at least {GLOBAL:g}",
        "mixed: else",
    ]

"""Processes timed against a baseline, in alternating pairs: the machine's noise hits both alike."""

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

PAIRS = 7


@dataclass(frozen=True)
class Comparison:
    """One claim: ``ours`` takes at most ``limit`` times as long as ``baseline``.

    ours, baseline: commands; the whole process is timed, unless it prints its own ``{"seconds": ...}``
    pairs:          how often both are run
    above:          megabytes that the peak of ours may lie above the baseline's
    """

    claim: str
    ours: Sequence[str]
    baseline: Sequence[str]
    limit: float
    pairs: int = PAIRS
    above: float | None = None


class Cost(NamedTuple):
    """What one process took: seconds, and the peak of its memory where it tells."""

    seconds: float
    megabytes: float | None = None


@dataclass(frozen=True)
class Measured:
    """The cost of each pair, in the order in which they were run."""

    comparison: Comparison
    ours: tuple[Cost, ...]
    baseline: tuple[Cost, ...]

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.ours, self.baseline, strict=True)
        return [ours.seconds / baseline.seconds for ours, baseline in pairs]

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)

    @property
    def above(self) -> float | None:
        """Megabytes of the median peak above the baseline's, where both tell."""
        peaks = [[cost.megabytes for cost in costs if cost.megabytes] for costs in (self.ours, self.baseline)]
        return statistics.median(peaks[0]) - statistics.median(peaks[1]) if all(peaks) else None

    @property
    def held(self) -> bool:
        allowed = self.comparison.above
        fits = allowed is None or (self.above is not None and self.above <= allowed)
        return self.ratio <= self.comparison.limit and fits

    def row(self) -> str:
        """A row of the table that the README shows."""
        low, high = min(self.ratios), max(self.ratios)
        ours, baseline = (statistics.median(c.seconds for c in costs) for costs in (self.ours, self.baseline))
        seconds = f"{_shown(ours)} / {_shown(baseline)}"
        spread = f"{self.ratio:.2f} ({low:.2f}-{high:.2f})"
        limit = f"{self.comparison.limit:g}"
        if self.comparison.above is not None:
            spread += f", {self.above:+.0f} MB"
            limit += f", {self.comparison.above:g} MB"
        return f"| {self.comparison.claim} | {seconds} | {spread} | {limit} |"


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"


def measure(comparison: Comparison) -> Measured:
    """Runs both once unmeasured if that is not long, then in pairs, each time in the other order."""
    costs: dict[str, list[Cost]] = {"ours": [], "baseline": []}
    commands = {"ours": comparison.ours, "baseline": comparison.baseline}
    for command in commands.values() if comparison.pairs >= PAIRS else ():
        _cost(command)
    for pair in range(comparison.pairs):
        for name in sorted(commands, reverse=pair % 2 == 1):
            costs[name].append(_cost(commands[name]))
    return Measured(comparison, tuple(costs["ours"]), tuple(costs["baseline"]))


def _cost(command: Sequence[str]) -> Cost:
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    told = done.stdout.strip().rpartition("\n")[2]
    return Cost(**json.loads(told)) if told.startswith('{"seconds"') else Cost(seconds)


def machine() -> str:
    """What it was measured on: processor, cores, versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = f"{names[0]}, {len(names)} cores" if names else platform.processor() or platform.machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "matplotlib"))
    return f"{processor}; Python {platform.python_version()}, {libraries}"


def report(comparisons: Sequence[Comparison]) -> bool:
    """Prints the table, a row as soon as it is measured; whether every claim held."""
    print(f"Median of {PAIRS} ratios, of long runs 3 or 5 (lowest-highest); {machine()}.\n")
    print("| what | ours / baseline | ratio | at most |\n|---|---|---|---|")
    held = True
    for comparison in comparisons:
        measured = measure(comparison)
        print(measured.row(), flush=True)
        held &= measured.held
    return held


def python(statement: str) -> list[str]:
    return [sys.executable, "-c", statement]

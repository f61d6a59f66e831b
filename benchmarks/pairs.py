"""Whole processes timed against a baseline, in alternating pairs: the machine's noise hits both alike."""

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PAIRS = 7


@dataclass(frozen=True)
class Comparison:
    """One claim: ``ours`` takes at most ``limit`` times as long as ``baseline``."""

    claim: str
    ours: Sequence[str]
    baseline: Sequence[str]
    limit: float


@dataclass(frozen=True)
class Measured:
    """Seconds of each pair, in the order in which they were run."""

    comparison: Comparison
    ours: tuple[float, ...]
    baseline: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        return [ours / baseline for ours, baseline in zip(self.ours, self.baseline, strict=True)]

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)

    @property
    def held(self) -> bool:
        return self.ratio <= self.comparison.limit

    def row(self) -> str:
        """A row of the table that the README shows."""
        low, high = min(self.ratios), max(self.ratios)
        seconds = f"{statistics.median(self.ours):.2f} s / {statistics.median(self.baseline):.2f} s"
        spread = f"{self.ratio:.2f} ({low:.2f}-{high:.2f})"
        return f"| {self.comparison.claim} | {seconds} | {spread} | {self.comparison.limit} |"


def measure(comparison: Comparison, pairs: int = PAIRS) -> Measured:
    """Runs both once unmeasured, then in pairs, each time in the other order."""
    seconds: dict[str, list[float]] = {"ours": [], "baseline": []}
    commands = {"ours": comparison.ours, "baseline": comparison.baseline}
    for command in commands.values():
        _seconds(command)
    for pair in range(pairs):
        for name in sorted(commands, reverse=pair % 2 == 1):
            seconds[name].append(_seconds(commands[name]))
    return Measured(comparison, tuple(seconds["ours"]), tuple(seconds["baseline"]))


def _seconds(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def machine() -> str:
    """What it was measured on: processor, cores, versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = f"{names[0]}, {len(names)} cores" if names else platform.processor() or platform.machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "matplotlib"))
    return f"{processor}; Python {platform.python_version()}, {libraries}"


def report(comparisons: Sequence[Comparison]) -> bool:
    """Prints the table, a row as soon as it is measured; whether every claim held."""
    print(f"Median of {PAIRS} ratios of whole processes (lowest-highest); {machine()}.\n")
    print("| what | ours / baseline | ratio | at most |\n|---|---|---|---|")
    held = True
    for comparison in comparisons:
        measured = measure(comparison)
        print(measured.row(), flush=True)
        held &= measured.held
    return held


def python(statement: str) -> list[str]:
    return [sys.executable, "-c", statement]

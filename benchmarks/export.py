"""Figures for a paper beside the usual loop over ``plt.subplots``: one case a process, which prints seconds.

    python -m benchmarks.export atlas-png ours

"atlas-png" is a PNG of every head of MiniLM for each of some sentences, 24 inches wide at 150 dots an inch,
capturing included; "atlas-pdf" one PDF of 12 x 12 heads of 64 tokens, 12 inches wide, and "atlas-pdf-one-hot"
that of heads whose queries look at one key alone, which has the least room to be smaller. Models are loaded,
and one figure drawn, before the clock runs.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.capture import THREADS, gpt2, minilm, text

SENTENCES = 200
PNG_SIZE, PNG_DPI = (24, 12), 150
PDF_SIZE, PDF_TOKENS = (12, 12), 64
_WORDS = "the cat sat on a mat because it was tired and nobody in this old house had seen it".split()  # noqa: SIM905 - words

Weights = NDArray[np.float32]
Draw = Callable[[int, Path], None]
"""Draws the figure of that number into a file."""


def sentences(count: int) -> list[str]:
    """Sentences of 5 to 20 words."""
    return [
        " ".join(_WORDS[(number + place) % len(_WORDS)] for place in range(5 + 7 * number % 16))
        for number in range(count)
    ]


def our_pngs() -> Draw:
    from attnviz import api
    from attnviz.recipes import Style

    model, texts = api.load_model(str(minilm())), sentences(SENTENCES + 1)
    style = Style(width=PNG_SIZE[0], dpi=PNG_DPI)

    def draw(number: int, file: Path) -> None:
        seen = api.capture(texts[number], model=model, keep="all", statistics=False)
        api.save(api.heatmap(seen, style=style, view="atlas"), file, style=style)

    return draw


def usual_pngs() -> Draw:
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(minilm(), attn_implementation="eager").eval()
    tokenizer, texts = AutoTokenizer.from_pretrained(minilm()), sentences(SENTENCES + 1)

    def draw(number: int, file: Path) -> None:
        with torch.inference_mode():
            seen = model(**tokenizer(texts[number], return_tensors="pt"), output_attentions=True)
        _usual_figure([layer[0].numpy() for layer in seen.attentions], PNG_SIZE, file, dpi=PNG_DPI)

    return draw


def our_pdf(weights: Weights) -> Draw:
    from attnviz import api
    from attnviz.recipes import Style

    seen = api.from_arrays(weights, [str(token) for token in range(PDF_TOKENS)])
    style = Style(width=PDF_SIZE[0])

    def draw(_: int, file: Path) -> None:
        api.save(api.heatmap(seen, view="atlas"), file, style=style)

    return draw


def usual_pdf(weights: Weights) -> Draw:
    return lambda _, file: _usual_figure(list(weights), PDF_SIZE, file, interpolation="none")


def _usual_figure(
    layers: Sequence[Weights], size: tuple[int, int], file: Path, dpi: int = 100, **options: Any
) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(layers), len(layers[0]), figsize=size)
    for row, heads in enumerate(layers):
        for column, weights in enumerate(heads):
            axes[row, column].imshow(weights, vmin=0, vmax=1, **options)
            axes[row, column].set_title(f"{row}.{column}")
    figure.savefig(file, dpi=dpi)
    plt.close(figure)


def _weights() -> Weights:
    """Of random tokens, by a model of GPT-2 small's shape: ``[layers, heads, queries, keys]``."""
    model = gpt2(PDF_TOKENS)
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        seen = model(**text(PDF_TOKENS), output_attentions=True).attentions
    return torch.cat(seen).numpy()


def _one_hot() -> Weights:
    """Each query looks at one key, itself or any before it: ``[layers, heads, queries, keys]``."""
    sees = np.arange(PDF_TOKENS) + 1
    looked_at = np.random.default_rng(0).integers(0, sees, (12, 12, PDF_TOKENS))
    return np.eye(PDF_TOKENS, dtype=np.float32)[looked_at]


CASES: dict[str, tuple[str, int, dict[str, Callable[[], Draw]]]] = {
    "atlas-png": (".png", SENTENCES, {"ours": our_pngs, "baseline": usual_pngs}),
    "atlas-pdf": (
        ".pdf",
        1,
        {"ours": lambda: our_pdf(_weights()), "baseline": lambda: usual_pdf(_weights())},
    ),
    "atlas-pdf-one-hot": (
        ".pdf",
        1,
        {"ours": lambda: our_pdf(_one_hot()), "baseline": lambda: usual_pdf(_one_hot())},
    ),
}


def main(name: str, who: str, count: str = "") -> None:
    torch.set_num_threads(THREADS)
    suffix, figures, makers = CASES[name]
    draw = makers[who]()
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory) / f"{number}{suffix}" for number in range((int(count or figures)) + 1)]
        draw(0, files[0])
        start = time.perf_counter()
        for number, file in enumerate(files[1:], 1):
            draw(number, file)
        seconds = time.perf_counter() - start
        size = files[-1].stat().st_size / 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"the last file has {size:,.0f} kB", file=sys.stderr)
    print(json.dumps({"seconds": seconds, "megabytes": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])

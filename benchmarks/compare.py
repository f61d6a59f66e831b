"""What comparing two models costs beside capturing them: prints seconds and peak memory.

    python -m benchmarks.compare ours

The models are the real MiniLM and a copy with noise on its weights, the texts 200 sentences of 8 to 20 words
of the builtin language. Captures are made one at a time and not kept, with the comparison and without it; two
threads.
"""

import sys
import time
from collections.abc import Sequence
from itertools import islice

import torch
from transformers import AutoModel, AutoTokenizer

from attnviz.analysis.compare import compare
from attnviz.builtin.language import stories
from attnviz.captures import Capture, Captures
from attnviz.inputs import Sample, word_spans
from attnviz.models.base import Source
from attnviz.models.given import encoded, source_of
from attnviz.observe.run import observe
from attnviz.observe.words import WordMaps
from benchmarks.capture import THREADS, minilm, told

SENTENCES = 200
NOISE = 0.1  # of the spread of a weight matrix


def sentences() -> list[str]:
    """Stories of the language that are as long as a sentence; no two are the same."""
    texts = dict.fromkeys(story.text for story in islice(stories(0, split="test"), 50 * SENTENCES))
    return [text for text in texts if 8 <= len(word_spans(text)) <= 20][:SENTENCES]


def models() -> tuple[Source, Source]:
    """MiniLM, and a copy that is a little another model."""
    directory = minilm()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    one, other = (AutoModel.from_pretrained(directory).eval() for _ in range(2))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in other.parameters():
            if weight.dim() == 2:
                weight.add_(torch.randn_like(weight) * weight.std() * NOISE)
    return source_of(one, tokenizer), source_of(other, tokenizer)


def captures(source: Source, texts: Sequence[str]) -> Captures:
    """The maps of words of all heads, made when they are asked for."""
    samples = [Sample(text, name=f"text-{number}") for number, text in enumerate(texts, 1)]

    def look(place: int) -> Capture:
        return observe(source, encoded(source, samples[place], labels=None, truncate=False), [WordMaps()])

    return Captures(len(samples), look)


def main(who: str) -> None:
    torch.set_num_threads(THREADS)
    texts = sentences()
    first, second = (captures(source, texts) for source in models())
    for model in (first, second):
        _ = model[-1]  # what is done once is done
    start = time.perf_counter()
    if who == "ours":
        compare(first, second)
    else:
        for place in range(len(texts)):
            _ = first[place], second[place]
    print(told(time.perf_counter() - start))


if __name__ == "__main__":
    main(*sys.argv[1:])

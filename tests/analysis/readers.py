"""Small random models that read sentences, and what was seen of them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from transformers import AutoConfig, AutoModel

from attnviz.captures import Capture
from attnviz.inputs import Sample
from attnviz.models.given import encoded, source_of
from attnviz.observe.run import observe
from attnviz.observe.words import WordMaps
from tests.models.zoo import CONFIGS, VOCABULARY, byte_bpe, sharpen, unigram, wordpiece

SENTENCES = (
    "The cat sat on the mat because it was tired.",
    "A dog that nobody owned slept under the old wooden table.",
    "She put the lamp out and swept the stairs every morning.",
    "He asked whether he might write one line himself.",
    "Unbelievable things happen when the wind is strong.",
    "Two boats turned slowly and went back to the sea.",
    "Nobody could see a red flag in the dark.",
    "The keeper of the house had lived there for years.",
    "It had no light and it was too near to the rock.",
    "Marta counted its turns until the dark had closed behind it.",
    "Old ropes and pens were all that he was used to.",
    "When the glass rings she opens the book and reads.",
)

TOKENIZERS = {"wordpiece": wordpiece, "byte_bpe": byte_bpe, "unigram": unigram}


@cache
def tokenizer(kind: str) -> Any:
    return TOKENIZERS[kind]()


def reader(seed: int, family: str = "bert", **config: Any) -> Any:
    """A random model of 3 layers of 4 heads; its attention is far from flat."""
    torch.manual_seed(seed)
    made = AutoModel.from_config(
        AutoConfig.for_model(family, **{**CONFIGS[family], "vocab_size": VOCABULARY, **config})
    )
    sharpen(made)
    return made.eval()


def captured(model: Any, kind: str = "wordpiece", texts: Sequence[str] = SENTENCES) -> list[Capture]:
    """Maps of words of all heads, a capture a text."""
    source = source_of(model, tokenizer(kind))
    samples = [Sample(text, name=f"text-{number}") for number, text in enumerate(texts, 1)]
    batch = [encoded(source, sample, labels=None, truncate=False) for sample in samples]
    return [observe(source, each, [WordMaps()]) for each in batch]

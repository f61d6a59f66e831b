"""What the decoder has learnt: heads that look at the token before, and heads that go on as before.

Both are measured where no text helps: on random tokens, twice one after the other (Olsson et al. 2022). No
figure here was trained for. A head is chosen on one half of the sequences and reported on the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from attnviz.attention import Look
from attnviz.builtin import store
from attnviz.builtin.decoder.model import CausalLanguageModel
from attnviz.builtin.decoder.task import SPECIAL
from attnviz.builtin.outcome import Figure, mean
from attnviz.builtin.tokenizer import BEGIN
from attnviz.captures import Numbers
from attnviz.facts import head_name

SEED = 1_000_003
"""Of the random tokens."""

SEQUENCES, LENGTH = 100, 50

NEEDED = {"previous": 0.7, "induction": 0.4}
"""What the score of one head has to reach; the names are those of ``metrics.py``."""

Scores = Mapping[str, Numbers]
"""By a head's name: its score on each sequence, 0 to 1."""


@dataclass(frozen=True)
class Check:
    """All that was asked of a decoder."""

    figures: tuple[Figure, ...]


def check(directory: Path) -> Check:
    """Ask the model stored in a directory. Raises ModelError if it cannot be read."""
    stored = store.load(directory, CausalLanguageModel)
    return examine(stored.model, stored.tokenizer)


def examine(model: CausalLanguageModel, tokenizer: Tokenizer) -> Check:
    """Ask a model; beside it one of the same sizes that has learnt nothing."""
    torch.manual_seed(SEED)
    untrained = CausalLanguageModel(model.config).eval()
    ids = twice_random(tokenizer)
    learnt, born = (scores(each, ids) for each in (model, untrained))
    return Check(tuple(_figure(name, learnt[name], born[name]) for name in NEEDED))


def twice_random(tokenizer: Tokenizer) -> Tensor:
    """Different random tokens, twice one after the other, after [BEGIN]: ``[sequences, 1 + 2 length]``."""
    random = np.random.default_rng(SEED)
    plain = np.arange(len(SPECIAL), tokenizer.get_vocab_size())
    once = np.stack([random.choice(plain, LENGTH, replace=False) for _ in range(SEQUENCES)])
    begin = np.full((SEQUENCES, 1), BEGIN)
    return torch.from_numpy(np.concatenate((begin, once, once), axis=1))


def scores(model: CausalLanguageModel, ids: Tensor) -> dict[str, Scores]:
    """How much each head looks at the token before, and at the token after the first copy of this one."""
    found: dict[str, dict[str, Numbers]] = {name: {} for name in NEEDED}
    again = torch.arange(1 + LENGTH, 1 + 2 * LENGTH)
    for layer, weights in enumerate(_weights(model, ids)):
        before = weights.diagonal(-1, 2, 3).mean(-1)
        after_copy = weights[:, :, again, again - LENGTH + 1].mean(-1)
        for head in range(weights.shape[1]):
            name = head_name("", layer, head)
            found["previous"][name] = before[:, head].double().numpy()
            found["induction"][name] = after_copy[:, head].double().numpy()
    return dict(found)


@torch.no_grad()
def _weights(model: CausalLanguageModel, ids: Tensor) -> list[Tensor]:
    """What each layer attends to: ``[sequences, heads, tokens, tokens]``."""
    seen: list[list[Tensor]] = [[] for _ in range(model.config.layers)]

    def watch(_: str, layer: int) -> Look:
        return lambda rows: seen[layer].append(rows.weights)

    model(ids, watch=watch)
    return [torch.cat(parts, 2) for parts in seen]


def _figure(name: str, learnt: Scores, born: Scores) -> Figure:
    """The head with the highest score on the first half of the sequences, and its score on the second."""
    half = SEQUENCES // 2
    head = max(learnt, key=lambda head: float(learnt[head][:half].mean()))
    untrained = max(float(score[half:].mean()) for score in born.values())
    return Figure(name, mean(learnt[head][half:]), head, {"untrained": untrained}, NEEDED[name])

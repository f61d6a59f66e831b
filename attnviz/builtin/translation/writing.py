"""What a translator writes: always the likeliest token, until its end token or the last that fits."""

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attnviz.builtin.translation.model import Translator
from attnviz.builtin.translation.pieces import END, PAD, START

_BATCH = 128


@torch.no_grad()
def written(model: Translator, source: Tensor, most: int, *, begun: Tensor | None = None) -> list[list[int]]:
    """The ids that it writes, an end token the last, at most so many.

    source: ``[batch, keys]`` ids, padded
    begun:  ``[batch, length]`` what is written already; else the start token
    """
    real = source != PAD
    memory = model.read(source, real)
    target = torch.full((len(source), 1), START, device=source.device) if begun is None else begun
    first = target.shape[1]
    ended = torch.zeros(len(source), dtype=torch.bool, device=source.device)
    for _ in range(most):
        hidden = model.write(target, memory, real)[:, -1]
        chosen = model.scores(hidden).argmax(-1).masked_fill(ended, PAD)
        target = torch.cat((target, chosen[:, None]), dim=1)
        ended |= chosen == END
        if ended.all():
            break
    return [_until_end(ids) for ids in target[:, first:].tolist()]


def translations(model: Translator, tokenizer: Tokenizer, texts: Sequence[str]) -> list[str]:
    """What it makes of some texts."""
    encodings = tokenizer.encode_batch(list(texts))
    order = sorted(range(len(texts)), key=lambda text: len(encodings[text]))
    made: dict[int, str] = {}
    for first in range(0, len(order), _BATCH):
        group = order[first : first + _BATCH]
        ids = written(model, padded([encodings[text].ids for text in group]), model.config.positions - 1)
        made |= zip(group, map(str.strip, tokenizer.decode_batch(ids)), strict=True)
    return [made[text] for text in range(len(texts))]


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows of different lengths as one tensor."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)


def _until_end(ids: list[int]) -> list[int]:
    return ids[: ids.index(END) + 1] if END in ids else ids

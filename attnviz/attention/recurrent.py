"""Recurrent encoder-decoders, in which attention was invented: one text is read, another written.

Bahdanau et al. 2015 (Neural machine translation by jointly learning to align and translate) and Luong et al.
2015 (Effective approaches to attention-based neural machine translation), with gated recurrent units (Cho et
al. 2014). Their h_j or h_s are the annotations (here the memory), their s_i or h_t the decoder's states,
their alpha_ij or a_t the weights. A decoder hands these to a ``watch`` as "cross", layer 0, one head, as
those of ``stacks`` do: row i is the step that reads token i of the target and writes the one after it.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from attnviz.attention.masks import padding
from attnviz.attention.multihead import Look, Rows, Vectors
from attnviz.attention.scores import Additive, General
from attnviz.attention.stacks import Watch
from attnviz.attention.weights import attend, weights_of


class BidirectionalEncoder(nn.Module):
    """An annotation of each token, from what stands before it and after it. Bahdanau et al., 3.2."""

    def __init__(self, d_model: int, hidden: int) -> None:
        super().__init__()
        self.read = nn.GRU(d_model, hidden, batch_first=True, bidirectional=True)

    def forward(self, states: Tensor, real: Tensor) -> Tensor:
        """Annotations: the state of the one who reads forwards, then that of the one who reads backwards.

        states: ``[batch, length, d_model]``, embedded tokens
        real:   ``[batch, length]`` bool, False for the padding at the end of a text
        Returns ``[batch, length, 2 hidden]``, zeros for padding.
        """
        lengths = real.sum(1).cpu()
        packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
        annotations, _ = self.read(packed)
        return pad_packed_sequence(annotations, batch_first=True, total_length=states.shape[1])[0]


class RecurrentDecoder(nn.Module, ABC):
    """Writes a text while it looks at the annotations of another one.

    memory: width of the annotations, whose second half has read backwards
    hidden: width of the states
    """

    def __init__(self, memory: int, hidden: int) -> None:
        super().__init__()
        self.begin = nn.Linear(memory // 2, hidden)

    def forward(self, states: Tensor, memory: Tensor, real: Tensor, *, watch: Watch | None = None) -> Tensor:
        """What the next token is guessed from, after each one.

        states: ``[batch, length, d_model]``, embedded tokens of the target
        memory: ``[batch, keys, memory]``, annotations of the source
        real:   ``[batch, keys]`` bool, False for padding, which nobody may look at
        watch:  is asked for "cross", layer 0
        Returns ``[batch, length, d_model]``.
        """
        look = watch("cross", 0) if watch else None
        return self.written(states, memory, padding(real), look)

    @abstractmethod
    def written(self, states: Tensor, memory: Tensor, mask: Tensor, look: Look | None) -> Tensor:
        """As ``forward``; mask: ``[batch, 1, 1, keys]``; look: is shown the weights of all steps."""

    def first_state(self, memory: Tensor) -> Tensor:
        """``[batch, hidden]``, from the backward state of the first word. Bahdanau et al., A.2.2."""
        backward = memory[:, 0, memory.shape[-1] // 2 :]
        return torch.tanh(self.begin(backward))


class BahdanauDecoder(RecurrentDecoder):
    """Looks first, from the state before, and takes what it read into its next state. Bahdanau et al., 3.1.

    Scores are additive. The token is guessed by a maxout layer (their A.2.2, from the new state s_i as in
    their equation 4).
    """

    def __init__(self, d_model: int, memory: int, hidden: int, width: int) -> None:
        """width: of the network that scores"""
        super().__init__(memory, hidden)
        self.score = Additive(hidden, memory, width)
        self.step = nn.GRUCell(d_model + memory, hidden)
        self.readout = nn.Linear(hidden + d_model + memory, 2 * d_model)

    def written(self, states: Tensor, memory: Tensor, mask: Tensor, look: Look | None) -> Tensor:
        state, keys = self.first_state(memory), self.score.projected(memory)
        steps, rows, asking = [], [], []
        for token in states.unbind(1):
            scores = self.score.against(state[:, None], keys)
            asking.append((state[:, None], scores))
            weights = weights_of(scores, mask[:, 0])
            read = attend(weights, memory).squeeze(1)
            state = self.step(torch.cat((token, read), dim=-1), state)
            steps.append(torch.cat((state, token, read), dim=-1))
            rows.append(weights)
        if look is not None:
            query, scores = (torch.cat(parts, dim=1) for parts in zip(*asking, strict=True))
            vectors = Vectors(query, memory, memory, "additive", scores)
            look(_of_one_head(torch.cat(rows, dim=1), mask, vectors))
        one, other = self.readout(torch.stack(steps, dim=1)).chunk(2, dim=-1)
        return torch.maximum(one, other)


class LuongDecoder(RecurrentDecoder):
    """Steps first, then looks from its new state, and guesses from both: tanh(W [c; h]). Luong et al., 3.1.

    Scores are general. What was read does not enter the next step (no input feeding, their 3.3): so a text
    that is known is run through in one go.
    """

    def __init__(self, d_model: int, memory: int, hidden: int) -> None:
        super().__init__(memory, hidden)
        self.steps = nn.GRU(d_model, hidden, batch_first=True)
        self.score = General(hidden, memory)
        self.readout = nn.Linear(memory + hidden, d_model)

    def written(self, states: Tensor, memory: Tensor, mask: Tensor, look: Look | None) -> Tensor:
        hidden, _ = self.steps(states, self.first_state(memory)[None])
        scores = self.score(hidden, memory)
        weights = weights_of(scores, mask[:, 0])
        if look is not None:
            look(_of_one_head(weights, mask, Vectors(hidden, memory, memory, "general", scores)))
        return torch.tanh(self.readout(torch.cat((attend(weights, memory), hidden), dim=-1)))


def _of_one_head(weights: Tensor, mask: Tensor, vectors: Vectors) -> Rows:
    """All rows at once.

    weights: ``[batch, queries, keys]``; mask: ``[batch, 1, 1, keys]``; vectors: without an axis of heads
    """
    query, key, value, score, learnt = vectors
    scores = None if learnt is None else learnt[:, None]
    alone = Vectors(query[:, None], key[:, None], value[:, None], score, scores)
    return Rows(0, weights.shape[1], weights[:, None], mask, alone)

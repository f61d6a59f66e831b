"""Recurrent encoder-decoders against their equations, written out step by step."""

import pytest
import torch
from torch import Tensor

from attnviz.attention import Rows, weights_of
from attnviz.attention.recurrent import BahdanauDecoder, BidirectionalEncoder, LuongDecoder, RecurrentDecoder

D_MODEL, HIDDEN, WIDTH, KEYS, LENGTH = 6, 5, 7, 4, 3
MEMORY = 2 * HIDDEN


def decoder(kind: type[RecurrentDecoder]) -> RecurrentDecoder:
    torch.manual_seed(1)
    sizes = (D_MODEL, MEMORY, HIDDEN, WIDTH) if kind is BahdanauDecoder else (D_MODEL, MEMORY, HIDDEN)
    return kind(*sizes)


@pytest.fixture
def texts() -> tuple[Tensor, Tensor, Tensor]:
    """Target, memory, and which keys are real: two texts, of which the second has padding."""
    torch.manual_seed(2)
    real = torch.tensor([[True] * KEYS, [True, True, False, False]])
    return torch.randn(2, LENGTH, D_MODEL), torch.randn(2, KEYS, MEMORY), real


def watched(model: RecurrentDecoder, *texts: Tensor) -> tuple[Tensor, Rows]:
    shown: list[Rows] = []
    written = model(
        *texts, watch=lambda stack, layer: shown.append if (stack, layer) == ("cross", 0) else None
    )
    (rows,) = shown
    return written, rows


def gru(cell: torch.nn.Module, suffix: str, token: Tensor, state: Tensor) -> Tensor:
    """One step of a gated recurrent unit, Cho et al. 2014 (with PyTorch's reset gate)."""
    w, u, b, c = (
        getattr(cell, f"{name}{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    (r, z, n), (hr, hz, hn) = (w @ token + b).chunk(3), (u @ state + c).chunk(3)
    update = torch.sigmoid(z + hz)
    return (1 - update) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + update * state


@torch.no_grad()
def test_the_decoder_of_bahdanau_looks_from_the_state_before_its_step(texts) -> None:
    model = decoder(BahdanauDecoder)
    written, rows = watched(model, *texts)
    target, memory, _ = (tensor[0] for tensor in texts)
    state = torch.tanh(model.begin.weight @ memory[0, HIDDEN:] + model.begin.bias)
    for step, token in enumerate(target):
        scores = [
            model.score.score.weight[0]
            @ torch.tanh(model.score.query.weight @ state + model.score.key.weight @ h)
            for h in memory
        ]
        weights = torch.stack(scores).softmax(0)
        read = sum(weight * h for weight, h in zip(weights, memory, strict=True))
        state = gru(model.step, "", torch.cat((token, read)), state)
        pieces = model.readout.weight @ torch.cat((state, token, read)) + model.readout.bias
        torch.testing.assert_close(rows.weights[0, 0, step], weights)
        torch.testing.assert_close(written[0, step], torch.maximum(*pieces.chunk(2)))


@torch.no_grad()
def test_the_decoder_of_luong_looks_from_the_state_after_its_step(texts) -> None:
    model = decoder(LuongDecoder)
    written, rows = watched(model, *texts)
    target, memory, _ = (tensor[0] for tensor in texts)
    state = torch.tanh(model.begin.weight @ memory[0, HIDDEN:] + model.begin.bias)
    for step, token in enumerate(target):
        state = gru(model.steps, "_l0", token, state)
        weights = torch.stack([state @ model.score.turn.weight.T @ h for h in memory]).softmax(0)
        read = sum(weight * h for weight, h in zip(weights, memory, strict=True))
        attentional = torch.tanh(model.readout.weight @ torch.cat((read, state)) + model.readout.bias)
        torch.testing.assert_close(rows.weights[0, 0, step], weights)
        torch.testing.assert_close(written[0, step], attentional)


@pytest.mark.parametrize("kind", [BahdanauDecoder, LuongDecoder])
@torch.no_grad()
def test_nobody_looks_at_padding_and_nothing_changes_by_it(kind, texts) -> None:
    target, memory, real = texts
    written, rows = watched(decoder(kind), target, memory, real)
    assert rows.weights.shape == (2, 1, LENGTH, KEYS)
    assert (rows.first, rows.queries) == (0, LENGTH)
    assert rows.weights[1, 0, :, 2:].eq(0).all()
    assert rows.visible.expand_as(rows.weights)[1, 0, 0].tolist() == [True, True, False, False]
    alone = decoder(kind)(target[1:], memory[1:, :2], real[1:, :2])
    torch.testing.assert_close(written[1:], alone)


@torch.no_grad()
def test_an_annotation_is_both_ways_of_reading_put_together() -> None:
    torch.manual_seed(3)
    encoder = BidirectionalEncoder(D_MODEL, HIDDEN)
    text, padded = torch.randn(1, KEYS, D_MODEL), torch.full((1, 2, D_MODEL), 9.0)
    real = torch.tensor([[True] * KEYS + [False] * 2])
    annotations = encoder(torch.cat((text, padded), dim=1), real)
    assert annotations[0, KEYS:].eq(0).all()
    forward = backward = torch.zeros(HIDDEN)
    for token in text[0]:
        forward = gru(encoder.read, "_l0", token, forward)
    for token in text[0].flip(0):
        backward = gru(encoder.read, "_l0_reverse", token, backward)
    torch.testing.assert_close(annotations[0, KEYS - 1, :HIDDEN], forward)
    torch.testing.assert_close(annotations[0, 0, HIDDEN:], backward)


@torch.no_grad()
@pytest.mark.parametrize("kind", [BahdanauDecoder, LuongDecoder])
def test_queries_and_keys_that_are_shown_give_the_scores_and_these_the_weights(kind, texts) -> None:
    model = decoder(kind)
    _, rows = watched(model, *texts)
    query, key, value, name, learnt = rows.vectors
    assert name == {BahdanauDecoder: "additive", LuongDecoder: "general"}[kind]
    torch.testing.assert_close(model.score(query, key), learnt)
    torch.testing.assert_close(weights_of(learnt, rows.visible), rows.weights)
    torch.testing.assert_close(value[:, 0], texts[1])

"""Multi-head attention against PyTorch's own, with the same weights."""

import pytest
import torch

from attnviz.attention import MultiHeadAttention, ShapeError, causal, multihead, padding

BATCH, HEADS, QUERIES, KEYS, D_MODEL = 2, 3, 5, 7, 33


@pytest.fixture
def ours() -> MultiHeadAttention:
    torch.manual_seed(1)
    module = MultiHeadAttention(D_MODEL, HEADS)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.15)  # scores far enough apart for a mistake to show
    return module.eval()


@pytest.fixture
def theirs(ours) -> torch.nn.MultiheadAttention:
    module = torch.nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True)
    module.in_proj_weight.data = torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]).detach()
    module.in_proj_bias.data = torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]).detach()
    module.out_proj.load_state_dict(ours.output.state_dict())
    return module.eval()


REAL = torch.tensor([[1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 0]]).bool()


@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
@pytest.mark.parametrize("is_causal", [False, True], ids=["everything", "causal"])
@pytest.mark.parametrize("padded", [False, True], ids=["full", "padded"])
def test_output_and_weights_are_pytorchs(ours, theirs, cross, is_causal, padded) -> None:
    states = torch.randn(BATCH, QUERIES if cross else KEYS, D_MODEL)
    memory = torch.randn(BATCH, KEYS, D_MODEL) if cross else states
    order = causal(states.shape[1], KEYS)
    expected, expected_weights = theirs(
        states,
        memory,
        memory,
        attn_mask=~order if is_causal else None,
        key_padding_mask=~REAL if padded else None,
        average_attn_weights=False,
    )
    mask = torch.ones(1, 1, 1, 1, dtype=torch.bool)
    mask = mask & order if is_causal else mask
    mask = mask & padding(REAL) if padded else mask
    output, weights = ours.with_weights(states, memory if cross else None, mask)
    torch.testing.assert_close(output, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(weights, expected_weights, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours(states, memory, mask), expected, atol=1e-6, rtol=0)


def test_weights_come_a_few_rows_at_a_time(ours, monkeypatch) -> None:
    monkeypatch.setattr(multihead, "_TILE", BATCH * HEADS * KEYS * 3)
    states = torch.randn(BATCH, KEYS, D_MODEL)
    whole, weights = ours.with_weights(states, mask=causal(KEYS))
    seen = []
    torch.testing.assert_close(ours(states, mask=causal(KEYS), look=seen.append), whole)
    assert [rows.first for rows in seen] == [0, 3, 6]
    for rows in seen:
        part = slice(rows.first, rows.first + rows.weights.shape[2])
        assert torch.equal(rows.weights, weights[:, :, part])
        assert torch.equal(rows.visible, causal(KEYS)[None, None, part])


@pytest.mark.parametrize(
    ("mask", "shape"),
    [(None, (1, 1, 1, 1)), (padding(REAL), (BATCH, 1, 1, KEYS)), (REAL[0], (1, 1, 1, KEYS))],
    ids=["none", "padding", "keys"],
)
def test_what_may_be_seen_is_told_as_small_as_it_is(ours, mask, shape) -> None:
    seen = []
    ours(torch.randn(BATCH, KEYS, D_MODEL), mask=mask, look=seen.append)
    (rows,) = seen
    assert rows.visible.shape == shape
    assert rows.weights.masked_select(~rows.visible).eq(0).all()


def test_without_a_look_no_weights_are_made(ours, monkeypatch) -> None:
    monkeypatch.setattr(multihead, "attention_weights", lambda *_: pytest.fail("weights were made"))
    ours(torch.randn(BATCH, QUERIES, D_MODEL), mask=causal(QUERIES))


@pytest.mark.parametrize("heads", [0, 4])
def test_heads_that_do_not_divide_are_an_error_that_says_so(heads) -> None:
    with pytest.raises(ShapeError, match=f"d_model 33 cannot be divided into {heads} heads"):
        MultiHeadAttention(D_MODEL, heads)

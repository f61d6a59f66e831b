"""Attention within a window, beside full attention under a mask."""

import pytest
import torch

from attnviz.attention import ShapeError, attention, window, windowed_attention


@pytest.mark.parametrize("length", [1, 2, 7, 23])
@pytest.mark.parametrize("reach", [0, 1, 3, 5, 10**9])
def test_it_reads_what_full_attention_reads_under_a_mask(length: int, reach: int) -> None:
    torch.manual_seed(0)
    query, key = torch.randn(2, 3, 5, length, 11).unbind()
    value = torch.randn(3, 5, length, 13)
    expected = attention(query, key, value, window(length, reach))
    torch.testing.assert_close(windowed_attention(query, key, value, reach), expected)


@pytest.mark.parametrize(
    ("keys", "reach", "message"), [(6, 2, "over 5 queries and 6 keys"), (5, -1, "cannot reach -1 places")]
)
def test_sizes_that_do_not_go_together_are_refused(keys: int, reach: int, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        windowed_attention(torch.randn(5, 3), torch.randn(keys, 3), torch.randn(keys, 3), reach)

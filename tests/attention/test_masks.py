"""Masks: small ones written out, and how they are put together."""

import pytest
import torch

from attnviz.attention import ShapeError, blocks, causal, padding, tokens, window


def drawn(mask: torch.Tensor) -> list[str]:
    return ["".join(".#"[int(seen)] for seen in row) for row in mask]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (causal(3), ["#..", "##.", "###"]),
        (causal(2, 4), ["###.", "####"]),
        (window(5, 1), ["##...", "###..", ".###.", "..###", "...##"]),
        (window(3, 0), ["#..", ".#.", "..#"]),
        (window(2, 10**20), ["##", "##"]),
        (blocks(2, 10**20), ["##", "##"]),
        (tokens(4, [1, 3]), [".#.#", "####", ".#.#", "####"]),
        (blocks(5, 2, first=0, random=0, reach=0), ["##...", "##...", "..##.", "..##.", "....#"]),
        (blocks(5, 2, random=0, reach=0), ["#####", "#####", "####.", "####.", "##..#"]),
        (causal(4) & (window(4, 1) | tokens(4, [0])), ["#...", "##..", "###.", "#.##"]),
        ((causal(3) & padding(torch.tensor([[1, 0, 1]])))[0, 0], ["#..", "#..", "#.#"]),
    ],
)
def test_masks_written_out(mask, expected) -> None:
    assert drawn(mask) == expected


def test_blocks_by_lot_are_new_ones_whole_and_of_the_seed() -> None:
    without = blocks(35, 3, random=0)
    drawn_twice = [blocks(35, 3, random=2, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(drawn_twice[0], drawn_twice[1])
    assert not torch.equal(drawn_twice[0], drawn_twice[2])
    added = drawn_twice[0] & ~without
    assert not (without & ~drawn_twice[0]).any()
    assert torch.equal(added[3], added[5])  # rows of one block
    starts = added[3::3, ::3]  # a pair of each of two blocks
    assert starts.sum(-1).tolist() == [2] * len(starts)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: window(5, -1), "reach -1 positions"),
        (lambda: tokens(5, [7]), "no position 7 of 5: they are 0 to 4"),
        (lambda: tokens(5, [-1]), "no position -1 of 5"),
        (lambda: blocks(5, 0), "a block cannot have 0 positions"),
    ],
)
def test_what_no_mask_can_be_is_an_error_that_says_so(make, message) -> None:
    with pytest.raises(ShapeError, match=message):
        make()

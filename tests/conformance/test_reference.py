"""What counts as a model's own weights: small tensors, made by hand."""

import torch
from torch import Tensor, nn

from tests.conformance.reference import Own, is_distribution


def rows(*shape: int) -> Tensor:
    """Random distributions."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(3)).softmax(-1)


def test_shares_of_keys_among_groups_are_no_weights() -> None:
    weights = rows(2, 7, 5)
    assert is_distribution(weights)
    assert is_distribution(weights * 0.5)  # the rest is a sink's
    assert not is_distribution(weights.transpose(1, 2) * 1)


def test_parts_that_lie_side_by_side_are_counted_and_not_their_whole() -> None:
    whole = rows(1, 2, 3, 11)
    own = Own(returned=[("self", whole[..., :4]), ("cross", whole[..., 4:])], called=[("Merged", whole)])
    assert [name for name, _ in own.layers()] == ["self", "cross"]


def test_of_what_was_cut_off_the_whole_counts() -> None:
    whole = rows(1, 2, 7, 7)
    own = Own(returned=[("attentions.0", whole[..., 3:, 3:])], softmaxes=[("softmax", whole)])
    ((_, counted),) = own.layers()
    assert counted.shape == (1, 2, 7, 7)


def test_rows_that_a_mask_leaves_nothing_to_see_are_zeros_and_counted_once() -> None:
    weights, mask = rows(1, 2, 3, 3), torch.zeros(1, 1, 3, 3)
    mask[..., 0, :] = torch.finfo(mask.dtype).min
    own = Own(returned=[("attentions.0", weights.clone())])
    own.note(nn.Identity(), weights, mask)
    ((_, counted),) = own.layers()
    assert not counted[:, :, 0].any()
    assert torch.equal(counted[:, :, 1:], weights[:, :, 1:])

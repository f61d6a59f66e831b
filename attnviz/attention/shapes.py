"""What is said of sizes that do not fit together."""

from torch import Tensor


class ShapeError(ValueError):
    """Sizes that do not fit together."""


def check_head_dim(query: Tensor, key: Tensor) -> None:
    """Raises ShapeError if the head_dim, their last axis, of query and key differ."""
    if query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            f"a query of head_dim {query.shape[-1]} cannot meet a key of head_dim {key.shape[-1]}"
        )

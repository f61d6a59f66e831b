"""Where the patches of an image lie: rows and columns of what a model made of its pixels."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from attnviz.captures import Axis, Grid

Axes = Mapping[str, tuple[Axis, Axis]]

LOOKING = ("", "encoder", "vision")
"""Stacks that attend to an image, in a model that is given one."""

OWN = 2
"""Tokens that a model puts before the patches, beside registers: for its class, and its teacher's."""


def pictured(axes: Axes, tensors: Mapping[str, Any], config: Any) -> Axes:
    """The axes of a model's input, with patches for what it made of an image's pixels.

    They have a grid where the sizes of the image and of its patches say how they lie.
    """
    pixels = tensors.get("pixel_values")
    if not isinstance(pixels, Tensor):
        return axes
    grids = list(_grids(pixels, config))
    own = OWN + (getattr(_patched(config), "num_register_tokens", 0) or 0)

    def seen(axis: Axis) -> Axis:
        fits = (Grid(len(axis) - r * c, r, c) for r, c in grids if 0 <= len(axis) - r * c <= own)
        return replace(axis, unit="patch", grid=next(fits, None)) if axis.unit == "position" else axis

    return {
        name: (seen(queries) if _stack(name) in LOOKING else queries, seen(keys) if _looks(name) else keys)
        for name, (queries, keys) in axes.items()
    }


def _looks(name: str) -> bool:
    """Whether the keys of a stack, or of one of its layers, may be patches."""
    return _stack(name) in (*LOOKING, "cross")


def _stack(name: str) -> str:
    """The stack that axes are of: they are called as it is, or as one of its layers ("vision.3", "3")."""
    head = name.rpartition(".")[0]
    return head if head else "" if name.isdecimal() else name


def _grids(pixels: Tensor, config: Any) -> Iterator[tuple[int, int]]:
    """Rows and columns of patches: of the image as it is cut first, then of each stage that merges four."""
    patched = _patched(config)
    if pixels.ndim != 4 or pixels.shape[0] != 1 or patched is None:
        return
    size = patched.patch_size
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2:  # one for each stage (Florence 2's tower)
        return
    down, along = sides
    rows, columns = pixels.shape[2] // down, pixels.shape[3] // along
    for _ in getattr(patched, "depths", None) or (1,):
        yield rows, columns
        rows, columns = -(-rows // 2), -(-columns // 2)


def _patched(config: Any) -> Any:
    """The configuration, of the model or of its part for images, that tells the size of a patch."""
    parts = (config, *(getattr(config, name, None) for name in ("vision_config", "encoder")))
    return next((part for part in parts if getattr(part, "patch_size", None)), None)

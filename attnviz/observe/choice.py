"""Which heads an observer is after."""

from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from attnviz.facts import LayerFacts
from attnviz.observe.base import Axes, sizes
from attnviz.observe.tiles import Tile

Choice = Mapping[str, Sequence[int]] | None
"""Numbers of heads by the name of their layer: ``{"3": (5, 7), "cross.0": (1,)}``; None for all there are."""


def chosen(choice: Choice, layer: LayerFacts) -> tuple[int, ...]:
    """The heads of a layer that are in the choice, in their order."""
    return tuple(range(layer.heads)) if choice is None else tuple(sorted(set(choice.get(layer.name, ()))))


def spanned(choice: Choice, layer: LayerFacts) -> range | None:
    """The shortest range of heads that holds the chosen ones of a layer; None if there are none."""
    heads = chosen(choice, layer)
    return range(heads[0], heads[-1] + 1) if heads else None


def places(heads: Sequence[int], tile: Tile) -> tuple[list[int], list[int]]:
    """Where those of the heads that are in a tile stand: among the heads, and in the tile."""
    found = [(place, tile.heads.index(head)) for place, head in enumerate(heads) if head in tile.heads]
    return [place for place, _ in found], [place for _, place in found]


def picked(values: Tensor, places: Sequence[int]) -> Tensor:
    """Some entries of the first axis; no copy where they lie side by side in their order."""
    side_by_side = bool(places) and list(places) == list(range(places[0], places[-1] + 1))
    if side_by_side and len(places) == len(values):
        return values
    return values[places[0] : places[-1] + 1] if side_by_side else values[list(places)]


def masks_of(heads: Sequence[int], tile: Tile, mask: Tensor) -> int:
    """How many masks the heads of a layer need, going by the first tile of it: one where all are alike.

    A tile of one head cannot say whether the masks of others are like its own.
    """
    return 1 if mask.shape[0] == 1 and len(tile.heads) > 1 else len(heads)


def for_heads(mask: Tensor, places: Sequence[int]) -> Tensor:
    """The masks of some heads of a tile, by their places in it; the one of all of them where it has one."""
    return mask if mask.shape[0] == 1 else picked(mask, places)


def map_bytes(layers: Iterable[LayerFacts], choice: Choice, axes: Axes) -> int:
    """How much memory whole maps of the chosen heads take: 4 bytes a weight, and two a pair for the masks."""
    return sum(
        queries * keys * (4 * len(heads) + 2)
        for layer, (queries, keys) in sizes(layers, axes)
        if (heads := chosen(choice, layer))
    )

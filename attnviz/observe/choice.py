"""Which heads an observer is after."""

from collections.abc import Iterable, Mapping, Sequence

from attnviz.captures import LayerFacts
from attnviz.observe.base import Axes
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


def map_bytes(layers: Iterable[LayerFacts], choice: Choice, axes: Axes) -> int:
    """How much memory whole maps of the chosen heads take: 4 bytes a weight, and one a pair for the mask."""
    total = 0
    for layer in layers:
        heads = chosen(choice, layer)
        queries, keys = axes[layer.stack]
        total += len(queries) * len(keys) * (4 * len(heads) + 1) if heads else 0
    return total

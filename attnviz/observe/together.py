"""Several observers of one sample as one."""

from collections.abc import Sequence

from attnviz.facts import LayerFacts
from attnviz.observe.base import Observer
from attnviz.observe.tiles import Tile


class Together:
    """Several observers as one: what any of them wants is computed once."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self.observers = observers
        self._known: dict[LayerFacts, tuple[range | None, list[Observer]]] = {}

    def wanted(self, layer: LayerFacts) -> range | None:
        return self._looking(layer)[0]

    def see(self, tile: Tile) -> None:
        for observer in self._looking(tile.layer)[1]:
            observer.see(tile)

    def _looking(self, layer: LayerFacts) -> tuple[range | None, list[Observer]]:
        """The heads of a layer that are wanted, and by whom: asked once."""
        known = self._known.get(layer)
        if known is None:
            asked = [(heads, observer) for observer in self.observers if (heads := observer.wanted(layer))]
            known = self._known[layer] = _spanned([heads for heads, _ in asked]), [one for _, one in asked]
        return known


def _spanned(ranges: Sequence[range]) -> range | None:
    """The shortest range that holds them all; None for none."""
    if len(ranges) < 2:
        return ranges[0] if ranges else None
    return range(min(each.start for each in ranges), max(each.stop for each in ranges))

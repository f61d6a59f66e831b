"""Several observers of one sample as one."""

from collections.abc import Sequence

from attnviz.captures import LayerFacts
from attnviz.observe.base import Observer
from attnviz.observe.tiles import Tile


class Together:
    """Several observers as one: what any of them wants is computed once."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def wanted(self, layer: LayerFacts) -> range | None:
        ranges = [heads for observer in self._observers if (heads := observer.wanted(layer))]
        return range(min(r.start for r in ranges), max(r.stop for r in ranges)) if ranges else None

    def see(self, tile: Tile) -> None:
        for observer in self._observers:
            if observer.wanted(tile.layer):
                observer.see(tile)

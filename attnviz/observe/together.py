"""Several observers of one sample as one."""

from collections.abc import Sequence

from attnviz.captures import LayerFacts
from attnviz.observe.base import Observer
from attnviz.observe.tiles import Tile


class Together:
    """Several observers as one: what any of them wants is computed once."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers
        self._looking: dict[LayerFacts, list[Observer]] = {}

    def wanted(self, layer: LayerFacts) -> range | None:
        ranges = [heads for observer in self._observers if (heads := observer.wanted(layer))]
        return range(min(r.start for r in ranges), max(r.stop for r in ranges)) if ranges else None

    def see(self, tile: Tile) -> None:
        if tile.layer not in self._looking:
            self._looking[tile.layer] = [one for one in self._observers if one.wanted(tile.layer)]
        for observer in self._looking[tile.layer]:
            observer.see(tile)

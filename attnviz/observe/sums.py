"""What the rows of each layer sum to."""

from attnviz.captures import Capture
from attnviz.facts import LayerFacts
from attnviz.observe.memory import Need
from attnviz.observe.tiles import Tile


class RowSums:
    """Observer of one sample: how far from 1 a row of each layer sums at most.

    away: by the name of the layer; a sink takes its share of a row, so that beside one only more is wrong
    """

    def __init__(self) -> None:
        self.away: dict[str, float] = {}

    def start(self, axes: object) -> None:
        del axes
        self.away = {}

    def needs(self, layers: object, axes: object) -> Need:
        del layers, axes
        return Need(0, "sums of rows", "leave them out")

    def wanted(self, layer: LayerFacts) -> range | None:
        return range(layer.heads) if layer.heads else None

    def see(self, tile: Tile) -> None:
        sums = tile.weights.float().sum(-1) - 1
        away = (sums if tile.sink else sums.abs()).masked_fill(~tile.visible.any(-1), 0)
        self.away[tile.layer.name] = max(float(away.max()), self.away.get(tile.layer.name, 0.0))

    def added_to(self, capture: Capture) -> Capture:
        return capture

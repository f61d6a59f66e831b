"""Kept maps, looked at again by an observer: no model runs."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from attnviz.captures import Capture, LayerMaps
from attnviz.facts import LayerFacts
from attnviz.observe.statistics import HeadStatistics
from attnviz.observe.tiles import Tile

ROWS = 64  # of all heads of a layer that are looked at together
SUNK = 0.97  # a row that sees keys and sums to less has given to a sink; half precision is off by less


def with_statistics(capture: Capture) -> Capture:
    """The capture with the statistics of all layers of which the maps of every head were kept.

    They are those of the run itself, but for the random heads that "positional" is compared with. Where only
    some layers were kept whole, a note says so; where none was, the capture is returned as it is.
    """
    facts = {layer.name: layer for layer in capture.model.layers}
    whole = [maps for maps in capture.maps if maps.heads == tuple(range(facts[maps.name].heads))]
    if not whole:
        return capture
    observer = HeadStatistics()
    observer.start({maps.name: (maps.queries, maps.keys) for maps in whole})
    for maps in whole:
        for tile in _tiles(facts[maps.name], maps):
            observer.see(tile)
    there = {maps.name for maps in whole}
    missing = any(layer.heads and layer.name not in there for layer in facts.values())
    listed = f"layer{'s' if len(whole) > 1 else ''} {', '.join(maps.name for maps in whole)}"
    notes = (
        (f"statistics of {listed} alone: of others not all heads have whole maps here",) if missing else ()
    )
    return replace(observer.added_to(capture), notes=(*capture.notes, *notes))


def _tiles(layer: LayerFacts, maps: LayerMaps) -> Iterator[Tile]:
    """The maps of a layer, some rows of all heads at a time."""
    queries, keys = maps.weights.shape[1:]
    sink = _has_sink(maps)
    for start in range(0, queries, ROWS):
        rows = range(start, min(start + ROWS, queries))
        yield Tile(
            layer=layer,
            heads=range(layer.heads),
            rows=rows,
            columns=range(keys),
            size=(queries, keys),
            weights=torch.from_numpy(np.array(maps.weights[:, rows.start : rows.stop], np.float32)),
            visible=_part(maps.visible, maps, rows),
            computed=_part(maps.computed, maps, rows),
            sink=sink,
        )


def _part(mask: np.ndarray, maps: LayerMaps, rows: range) -> torch.Tensor:
    """Some rows of a mask, of one head where all are alike: ``[1 or heads, rows, keys]``."""
    heads = mask.shape[0] if mask.ndim == len(maps.weights.shape) else 1
    whole = np.broadcast_to(mask, (heads, *maps.weights.shape[1:]))
    return torch.from_numpy(np.array(whole[:, rows.start : rows.stop], bool))


def _has_sink(maps: LayerMaps) -> bool:
    sums = maps.weights.sum(-1, dtype=np.float64)
    return bool(((sums > 0) & (sums < SUNK)).any())

"""The maps of an atlas side by side on one sheet, so that they are drawn at one go."""

import numpy as np

from attnviz.captures import Floats
from attnviz.render.pooling import several, thumbnail
from attnviz.render.views import Atlas


def mosaic(atlas: Atlas, heads: range, size: int, gaps: tuple[int, int] = (1, 1)) -> Floats:
    """The weights of all small maps of some heads, layers downwards, NaN between them and where not painted.

    size: cells on a side of each map; gaps: cells between two layers, and between two heads
    """
    down, across = size + gaps[0], size + gaps[1]
    shape = (len(atlas.layers) * down - gaps[0], len(heads) * across - gaps[1])
    sheet = np.full(shape, np.nan, np.float32)
    for row, head, heatmap in atlas.maps:
        if head in heads:
            top, left = row * down, (head - heads.start) * across
            sheet[top : top + size, left : left + size] = thumbnail(heatmap, size, size)
    return sheet


def longest(atlas: Atlas) -> int:
    """How many queries or keys the largest of its maps has."""
    return max((max(heatmap.weights.shape) for _, _, heatmap in atlas.maps), default=1)


def thumbnail_size(atlas: Atlas, most: int, merged: int = 1) -> int:
    """At most so many cells on a side: for small maps as many as repeat each of theirs equally often.

    merged: rows of cells that are painted as one; where there is room, these are of one query
    """
    side = longest(atlas)
    step = next((step for step in (side * merged, side) if step <= most), most)
    return most // step * step


def thumbnail_note(atlas: Atlas, size: int, merged: int = 1) -> str:
    """How much of a map is in one cell of its small picture; empty where nothing was put together.

    merged: rows of cells that are painted as one
    """
    side = longest(atlas)
    unit = next((heatmap.unit for _, _, heatmap in atlas.maps), "token")
    keys, queries = max(side / size, 1), max(side * merged / size, 1)
    if keys == queries:
        return f"{keys:.2g} {several(unit)} to a cell" if keys > 1 else ""
    return f"{keys:.2g} {unit if keys == 1 else several(unit)} across and {queries:.2g} down to a cell"

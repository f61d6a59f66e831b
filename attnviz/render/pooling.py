"""Maps made smaller without losing weight: neighbours are put together, never cut off.

A cell of a pooled map says how much of its attention an average query of the group spends on all keys of
the other group together: mean over queries, sum over keys. So rows sum to what they summed to before.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from attnviz.captures import Booleans, Floats
from attnviz.render.views import Heatmap, Page


@dataclass(frozen=True)
class Room:
    """How many cells a picture can show on a side.

    cells:  the most that can be drawn
    pooled: how many to draw where that is not enough: fewer, so that what must be pooled is at least
            easy to see
    """

    cells: int
    pooled: int


def fitted(page: Page, room: Room) -> Page:
    """The page with all maps that are larger than the room pooled, and a note that says so."""
    if all(max(heatmap.weights.shape) <= room.cells for heatmap in page.heatmaps):
        return page
    heatmaps = tuple(
        pooled(heatmap, room.pooled) if max(heatmap.weights.shape) > room.cells else heatmap
        for heatmap in page.heatmaps
    )
    notes = [pooling_note(before, after) for before, after in zip(page.heatmaps, heatmaps, strict=True)]
    return replace(page, heatmaps=heatmaps, notes=(*page.notes, *dict.fromkeys(filter(None, notes))))


def pooled(heatmap: Heatmap, size: int) -> Heatmap:
    """The map with equally many neighbours put together until no side is longer than ``size``.

    Queries that see nothing are left out of the mean. A cell can be seen, or was computed, if any pair in
    it can be, or was. A group is labelled by its first and last member: ``The…mat``.
    """
    queries, keys = (group_size(length, size) for length in heatmap.weights.shape)
    if queries == keys == 1:
        return heatmap
    across_queries = _groups(heatmap.weights.shape[0], queries)
    across_keys = _groups(heatmap.weights.shape[1], keys)
    visible = across_queries @ heatmap.visible @ across_keys.T > 0
    return replace(
        heatmap,
        weights=_put_together(heatmap, across_queries, across_keys),
        visible=visible,
        computed=_any_painted(heatmap, across_queries, across_keys) | ~visible,
        query_labels=_group_labels(heatmap.query_labels, queries),
        key_labels=_group_labels(heatmap.key_labels, keys),
        query_positions=heatmap.query_positions[::queries],
        key_positions=heatmap.key_positions[::keys],
        unit="group",
    )


def group_size(length: int, size: int) -> int:
    """How many neighbours go into one of at most ``size`` cells."""
    return -(-length // size)


def pooling_note(before: Heatmap, after: Heatmap) -> str:
    """What the reader of a pooled map must know; empty where nothing was pooled."""
    sizes = [group_size(*lengths) for lengths in zip(before.weights.shape, after.weights.shape, strict=True)]
    if sizes == [1, 1]:
        return ""
    unit = "groups" if before.unit == "group" else f"{before.unit}s"
    cells = f"{sizes[0]} {unit}" if sizes[0] == sizes[1] else f"{sizes[0]} x {sizes[1]} {unit}"
    return f"pooled: {cells} to a cell (mean over queries, sum over keys)"


def thumbnail(heatmap: Heatmap, rows: int, columns: int) -> Floats:
    """The map in exactly so many rows and columns, for pictures too small for labels; NaN where not painted.

    Where there are more cells than that they are put together as in ``pooled``, those on the border of two
    in proportion; where there are fewer, they are repeated.
    """
    height, width = heatmap.weights.shape
    across_queries, across_keys = _shares(height, rows), _shares(width, columns)
    weights = _put_together(heatmap, across_queries, across_keys)
    weights[~_any_painted(heatmap, across_queries, across_keys)] = np.nan
    return weights


def _put_together(heatmap: Heatmap, across_queries: Floats, across_keys: Floats) -> Floats:
    """The pooled weights.

    across_queries, across_keys: ``[cells, length]``: what part of each member belongs to a cell
    """
    weights = np.where(heatmap.painted, heatmap.weights, 0).astype(np.float32)
    seeing = across_queries @ heatmap.painted.any(1)
    mean = across_queries / np.where(seeing > 0, seeing, 1)[:, None]
    return np.asarray(mean @ weights @ across_keys.T, np.float32)


def _any_painted(heatmap: Heatmap, across_queries: Floats, across_keys: Floats) -> Booleans:
    return np.asarray(across_queries @ heatmap.painted @ across_keys.T > 0, np.bool_)


@cache
def _shares(length: int, cells: int) -> Floats:
    """Each member given away to the cells in equal parts; with fewer members than cells, repeated whole."""
    if length <= cells:
        return np.eye(length, dtype=np.float32)[np.arange(cells) * length // cells]
    borders = np.linspace(0, length, cells + 1)
    members = np.arange(length)
    overlap = np.minimum(borders[1:, None], members + 1) - np.maximum(borders[:-1, None], members)
    return np.asarray(np.clip(overlap, 0, 1), np.float32)


def _groups(length: int, group: int) -> Floats:
    """Each member given whole to the cell of its group."""
    cells = np.arange(-(-length // group))
    return np.asarray(np.arange(length) // group == cells[:, None], np.float32)


def _group_labels(labels: tuple[str, ...], group: int) -> tuple[str, ...]:
    groups = [labels[start : start + group] for start in range(0, len(labels), group)]
    return tuple(members[0] if len(members) == 1 else f"{members[0]}…{members[-1]}" for members in groups)

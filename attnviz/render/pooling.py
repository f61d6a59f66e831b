"""Maps made smaller without losing weight: neighbours are put together, never cut off.

A cell of a pooled map says how much of its attention an average query of the group spends on all keys of
the other group together: mean over queries, sum over keys. So rows sum to what they summed to before.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Booleans, Floats
from attnviz.render.views import Heatmap, Page

Borders = tuple[NDArray[np.floating], NDArray[np.floating]]  # of cells, among queries and among keys
_TINY = 1e-6  # what is left of 0 after sums and differences


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
    """The page with all maps that are larger than the room pooled; its notes and its recipe say so."""
    if all(max(heatmap.weights.shape) <= room.cells for heatmap in page.heatmaps):
        return page
    heatmaps = tuple(
        pooled(heatmap, room.pooled) if max(heatmap.weights.shape) > room.cells else heatmap
        for heatmap in page.heatmaps
    )
    pairs = list(zip(page.heatmaps, heatmaps, strict=True))
    notes = dict.fromkeys(filter(None, (pooling_note(before, after) for before, after in pairs)))
    sizes = {before.name: _sizes(before, after) for before, after in pairs}
    recipe = page.recipe and replace(page.recipe, reduction={**page.recipe.reduction, "pooled": sizes})
    return replace(page, heatmaps=heatmaps, recipe=recipe).noted(*notes)


def _sizes(before: Heatmap, after: Heatmap) -> list[int]:
    """How many queries and keys of the one make a cell of the other."""
    return [group_size(*lengths) for lengths in zip(before.weights.shape, after.weights.shape, strict=True)]


def pooled(heatmap: Heatmap, size: int) -> Heatmap:
    """The map with equally many neighbours put together until no side is longer than ``size``.

    Queries that see nothing are left out of the mean. A cell can be seen, or was computed, if any pair in
    it can be, or was. A group is labelled by its first and last member: ``The…mat``. Of what is not
    additive a cell has the largest value. No cell of it is marked.
    """
    lengths = heatmap.weights.shape
    queries, keys = (group_size(length, size) for length in lengths)
    if queries == keys == 1:
        return heatmap
    borders = _group_borders(lengths[0], queries), _group_borders(lengths[1], keys)
    weights, painted = _put_together(heatmap.weights, heatmap.painted, borders)
    if not heatmap.additive:
        weights = _largest(heatmap.weights, heatmap.painted, borders)
    visible = _summed(heatmap.visible, borders) > 0
    return replace(
        heatmap,
        weights=weights,
        visible=visible,
        computed=painted | ~visible,
        query_labels=_group_labels(heatmap.query_labels, queries),
        key_labels=_group_labels(heatmap.key_labels, keys),
        query_positions=heatmap.query_positions[::queries],
        key_positions=heatmap.key_positions[::keys],
        unit="group",
        sides=None,
        marked=(),
        divided=((), ()),
    )


def group_size(length: int, size: int) -> int:
    """How many neighbours go into one of at most ``size`` cells."""
    return -(-length // size)


def several(unit: str) -> str:
    """What more than one of these are called."""
    return "patches" if unit == "patch" else f"{unit}s"


def pooling_note(before: Heatmap, after: Heatmap) -> str:
    """What the reader of a pooled map must know; empty where nothing was pooled."""
    sizes = _sizes(before, after)
    if sizes == [1, 1]:
        return ""
    unit = several(before.unit)
    cells = f"{sizes[0]} {unit}" if sizes[0] == sizes[1] else f"{sizes[0]} x {sizes[1]} {unit}"
    how = "mean over queries, sum over keys" if before.additive else "the largest of them is shown"
    return f"pooled: {cells} to a cell ({how})"


def thumbnail(heatmap: Heatmap, rows: int, columns: int) -> Floats:
    """The map in exactly so many rows and columns, for pictures too small for labels; NaN where not painted.

    Where it has more they are put together as in ``pooled``, those on the border of two cells in proportion;
    where it has fewer they are repeated.
    """
    height, width = heatmap.weights.shape
    members = np.ix_(_repeated(height, rows), _repeated(width, columns))
    borders = _even_borders(max(height, rows), rows), _even_borders(max(width, columns), columns)
    weights, painted = _put_together(heatmap.weights[members], heatmap.painted[members], borders)
    return np.where(painted, weights, np.float32(np.nan))


def _put_together(weights: Floats, painted: Booleans, borders: Borders) -> tuple[Floats, Booleans]:
    """The pooled weights, and whether anything in a cell is painted."""
    seeing = _summed(painted.any(1).reshape(-1, 1), (borders[0], np.array([0.0, 1.0])))
    sums = _summed(np.where(painted, weights, np.float32(0)), borders)
    there = _summed(painted, borders) > _TINY
    return (sums / np.where(seeing > _TINY, seeing, 1)).astype(np.float32), there


def _largest(weights: Floats, painted: Booleans, borders: Borders) -> Floats:
    """The largest weight between whole borders."""
    rows, columns = (part[:-1].astype(np.intp) for part in borders)
    there = np.where(painted, weights, -np.inf)
    largest: Floats = np.maximum.reduceat(np.maximum.reduceat(there, rows, 0), columns, 1)
    return largest


def _summed(array: Floats | Booleans, borders: Borders) -> NDArray[np.float64]:
    """The sums of what is between borders; one that goes through a member gives either side its part of it.

    Not as a product of matrices: numpy starts threads for these, which take longer than the work itself.
    """
    sums = array.astype(np.float64)
    for axis in (0, 1):
        whole = np.floor(borders[axis]).astype(np.intp)
        part = np.expand_dims(borders[axis] - whole, 1 - axis)
        parts = sums.take(np.minimum(whole, sums.shape[axis] - 1), axis) * part
        sums = np.add.reduceat(sums, whole[:-1], axis) + np.diff(parts, axis=axis)
    return sums


def _even_borders(length: int, cells: int) -> NDArray[np.float64]:
    return np.linspace(0, length, cells + 1)


def _group_borders(length: int, group: int) -> NDArray[np.float64]:
    return np.append(np.arange(0, length, group), length).astype(np.float64)


def _repeated(length: int, cells: int) -> NDArray[np.intp]:
    """The members, each often enough to give every cell one."""
    return np.arange(max(length, cells)) * length // max(length, cells)


def _group_labels(labels: tuple[str, ...], group: int) -> tuple[str, ...]:
    groups = [labels[start : start + group] for start in range(0, len(labels), group)]
    return tuple(members[0] if len(members) == 1 else f"{members[0]}…{members[-1]}" for members in groups)

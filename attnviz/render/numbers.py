"""The numbers that a page draws, for scripts: a JSON document, a table of cells, or arrays.

A cell that is not painted (it may not be seen, or was never computed) is null, an empty field, or NaN; a
weight of 0 is 0. The weights are those of the model: scale and colours do not touch them. Of a difference
there are both maps as well; what one of them does not have is null, empty or NaN, its position -1 in arrays.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnviz.errors import UsageError
from attnviz.render.tablefiles import json_rows, plain
from attnviz.render.views import Heatmap, Page

SCHEMA = 1
MOST_CELLS = 1_000_000  # in text, which takes some twenty bytes for each
COLUMNS = (
    "layer",
    "head",
    "query_position",
    "query_label",
    "key_position",
    "key_label",
    "weight",
)
SIDES = ("first", "second")  # of a difference
DIFFERENCE_COLUMNS = (
    *COLUMNS[:-1],
    "difference",
    *(f"{side}_{column}" for side in SIDES for column in COLUMNS[2:]),
)


def numbers_bytes(page: Page, suffix: str) -> bytes:
    """The page's numbers as a file of that suffix: ``.json``, ``.csv`` or ``.npz``.

    Raises UsageError for more than a million cells in anything but ``.npz``.
    """
    cells = sum(heatmap.weights.size for heatmap in maps_of(page))
    if cells > MOST_CELLS and suffix != ".npz":
        raise UsageError(
            f"{cells:,} weights are too many for a {suffix} file (it holds {MOST_CELLS:,}): "
            "choose layers and heads with -l and -H, or write .npz"
        )
    return WRITERS[suffix](page)


def maps_of(page: Page) -> list[Heatmap]:
    """Every map on the page once: the labelled ones, then those of the atlas."""
    small = [heatmap for _, _, heatmap in page.atlas.maps] if page.atlas else []
    return list({heatmap.name: heatmap for heatmap in (*small, *page.heatmaps)}.values())


def json_bytes(page: Page) -> bytes:
    """One document: a ``schema`` number, the recipe, and a list of maps with their axes and weights."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "title": page.title,
        "notes": page.notes,
        "recipe": page.recipe.entries() if page.recipe else None,
        **plain(page.document),
        "maps": [_map_entry(heatmap) for heatmap in maps_of(page)],
    }
    if page.table is not None:
        document |= json_rows(page.table)
    return (json.dumps(document, allow_nan=False) + "\n").encode()


def csv_bytes(page: Page) -> bytes:
    """A line for each cell, under ``COLUMNS``, after a line with the recipe that begins with ``#``.

    Of differences they are ``DIFFERENCE_COLUMNS``; where cells are marked one says which, 1 or 0.

    All text is quoted and none is changed: a label such as ``=1+2`` or ``+ing`` is data, to be read back as
    it was. (A spreadsheet may take it for a formula; import such columns as text.)
    """
    file = io.StringIO(newline="")
    if page.recipe:
        file.write(f"# {page.recipe_json}\n")
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    heatmaps = maps_of(page)
    columns = DIFFERENCE_COLUMNS if any(heatmap.sides for heatmap in heatmaps) else COLUMNS
    marked = any(heatmap.marked for heatmap in heatmaps)
    writer.writerow((*columns, *(["marked"] if marked else [])))
    for heatmap in heatmaps:
        dots = _dots(heatmap) if marked else repeat(())
        writer.writerows((*row, *dot) for row, dot in zip(_rows(heatmap), dots, strict=False))
    return file.getvalue().encode()


def npz_bytes(page: Page) -> bytes:
    """Arrays, to be read with ``numpy.load``; none is pickled, and the same page gives the same bytes.

    ``schema``, ``title``, ``recipe``, ``names``; and of each map, behind its name: ``/weights`` (float32,
    queries x keys), ``/queries`` and ``/keys`` (labels), ``/query_positions`` and ``/key_positions``, and
    where cells are marked ``/marked`` (their queries and keys). Of a difference the same of both maps, behind
    ``/first`` and ``/second``.
    """
    heatmaps = maps_of(page)
    arrays: dict[str, NDArray[Any]] = {
        "schema": np.array(SCHEMA),
        "title": np.array(page.title),
        "recipe": np.array(page.recipe_json),
        "names": np.array([heatmap.name for heatmap in heatmaps], np.str_),
    }
    for heatmap in heatmaps:
        arrays |= _arrays(heatmap.name, heatmap)
        if heatmap.marked:
            arrays[f"{heatmap.name}/marked"] = np.array(heatmap.marked)
        for side, of in zip(SIDES, heatmap.sides or (), strict=False):
            arrays |= _arrays(f"{heatmap.name}/{side}", of)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _arrays(name: str, heatmap: Heatmap) -> dict[str, NDArray[Any]]:
    return {
        f"{name}/weights": np.where(heatmap.painted, heatmap.weights, np.float32(np.nan)),
        f"{name}/queries": np.array(heatmap.query_labels, np.str_),
        f"{name}/keys": np.array(heatmap.key_labels, np.str_),
        f"{name}/query_positions": np.array(heatmap.query_positions),
        f"{name}/key_positions": np.array(heatmap.key_positions),
    }


WRITERS: dict[str, Callable[[Page], bytes]] = {".json": json_bytes, ".csv": csv_bytes, ".npz": npz_bytes}


def _map_entry(heatmap: Heatmap) -> dict[str, Any]:
    layer, head = _layer_and_head(heatmap)
    return {
        "name": heatmap.name,
        "layer": layer,
        "head": head,
        "title": heatmap.title,
        "unit": heatmap.unit,
        **_labelled(heatmap),
        **plain(heatmap.facts),
        **{side: _labelled(of) for side, of in zip(SIDES, heatmap.sides or (), strict=False)},
    }


def _labelled(heatmap: Heatmap) -> dict[str, Any]:
    (query_positions, queries), (key_positions, keys) = _entries(heatmap)
    return {
        "queries": queries,
        "keys": keys,
        "query_positions": query_positions,
        "key_positions": key_positions,
        "weights": _readable(heatmap).tolist(),
    }


def _entries(heatmap: Heatmap) -> list[tuple[list[int | None], list[str | None]]]:
    """Positions and labels of the queries and of the keys; None where there is none in this map."""
    sides = (
        (heatmap.query_positions, heatmap.query_labels),
        (heatmap.key_positions, heatmap.key_labels),
    )
    return [
        (
            [position if position >= 0 else None for position in positions],
            [label if position >= 0 else None for position, label in zip(positions, labels, strict=True)],
        )
        for positions, labels in sides
    ]


def _rows(heatmap: Heatmap) -> Iterator[tuple[Any, ...]]:
    name = _layer_and_head(heatmap)
    cells = [_cells(of) for of in (heatmap, *(heatmap.sides or ()))]
    for of_all in zip(*cells, strict=True):
        yield *name, *(field for cell in of_all for field in cell)


def _dots(heatmap: Heatmap) -> Iterator[tuple[int]]:
    """Whether each cell is marked, row by row."""
    for cell in np.ndindex(heatmap.weights.shape):
        yield (int(cell in heatmap.marked),)


def _cells(heatmap: Heatmap) -> Iterator[tuple[Any, ...]]:
    """Each cell with its query and its key, row by row."""
    queries, keys = (list(zip(*side, strict=True)) for side in _entries(heatmap))
    for query, row in zip(queries, _readable(heatmap).tolist(), strict=True):
        for key, weight in zip(keys, row, strict=True):
            yield *query, *key, weight


def _layer_and_head(heatmap: Heatmap) -> tuple[str, str]:
    """Of "cross.3.5": "cross.3" and "5"; of "3.mean": "3" and "mean"; of "mean": "" and "mean".

    What a head's weights were made into is told with the head: "5/scaled@0.1".
    """
    name, mark, variant = heatmap.name.partition("/")
    layer, _, head = name.rpartition(".")
    return layer, f"{head}{mark}{variant}"


def _readable(heatmap: Heatmap) -> NDArray[np.object_]:
    """The weights as the shortest decimals that are theirs in float32; None where nothing is painted."""
    shortest = heatmap.weights.astype(np.str_).astype(np.float64)
    readable = shortest.astype(np.object_)
    readable[~heatmap.painted] = None
    return readable

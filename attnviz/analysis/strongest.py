"""The head that is looked at where none was named by its number."""

import numpy as np

from attnviz.analysis.queries import row_of, stands_in
from attnviz.captures import Capture, Head, LayerMaps, Numbers


def strongest(capture: Capture, word: str | None = None) -> tuple[Head, float]:
    """Of the heads that were kept the one that looks hardest at a token beyond its neighbours, and how hard.

    That is its largest weight on a token that is neither special, nor the query itself, nor next to it: in
    the row of the word, or on the mean over all rows that are not special. Of equals the first: of a text so
    short that there is no such token it looks at it with a weight of 0.
    Raises SelectionError if the word stands in none of the texts that the heads ask from.
    """
    asking = [maps for maps in capture.maps if word is None or stands_in(maps.queries, word)]
    if word is not None and not asking:
        row_of(capture.maps[0].queries, word)
    found = [
        (Head(maps.stack, maps.layer, head), float(strength))
        for maps in asking
        for head, strength in zip(maps.heads, _strengths(maps, word), strict=True)
    ]
    return max(found, key=lambda one: one[1])


def _strengths(maps: LayerMaps, word: str | None) -> Numbers:
    """Of each head the largest weight on a token beyond the neighbours, ``[heads]``."""
    queries, keys = maps.queries, maps.keys
    away = np.abs(np.array(queries.positions)[:, None] - np.array(keys.positions)) > 1
    counted = (away | (queries != keys)) & ~np.array(keys.special, bool)
    largest: Numbers = np.where(counted, maps.weights, 0).max(-1).astype(np.float64)
    if word is not None:
        return largest[:, row_of(queries, word)[0]]
    plain = ~np.array(queries.special, bool)
    mean: Numbers = largest[:, plain if plain.any() else slice(None)].mean(-1)
    return mean

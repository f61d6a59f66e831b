"""Sub-tokens put together to words, by the characters that they stand for.

Weights are summed over the keys of a word (how much of the query's attention falls on it) and averaged
over its queries, so that rows keep their sums.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Axis, Booleans, Floats, LayerMaps
from attnviz.inputs import Span, hull, printable

Groups = NDArray[np.int64]


def by_words(maps: LayerMaps) -> LayerMaps:
    """The maps with sub-tokens put together to words; the model's own tokens stay apart."""
    return regrouped(
        maps, word_groups(maps.queries), word_groups(maps.keys), word_axis(maps.queries), word_axis(maps.keys)
    )


def word_groups(axis: Axis) -> Groups:
    """For each entry the place of its word among the axis's words, tokens without a word apart."""
    place: dict[tuple[str, int], int] = {}
    keys = [("word", word) if word >= 0 else ("token", entry) for entry, word in enumerate(axis.words)]
    return np.array([place.setdefault(key, len(place)) for key in keys], np.int64)


def word_axis(axis: Axis) -> Axis:
    """The axis of words: labelled by the text they cover. One without words (of patches) stays as it is."""
    if all(word < 0 for word in axis.words):
        return axis
    members: list[list[int]] = []
    for entry, group in enumerate(word_groups(axis)):
        if group == len(members):
            members.append([])
        members[group].append(entry)
    firsts = [entries[0] for entries in members]
    spans = [hull([axis.spans[entry] for entry in entries]) for entries in members]
    return Axis(
        labels=tuple(_word_label(axis, entries, span) for entries, span in zip(members, spans, strict=True)),
        positions=tuple(axis.positions[first] for first in firsts),
        spans=tuple(spans),
        words=tuple(axis.words[first] for first in firsts),
        special=tuple(axis.special[first] for first in firsts),
        texts=axis.texts,
        unit="word",
    )


def regrouped(
    maps: LayerMaps, query_groups: Groups, key_groups: Groups, queries: Axis, keys: Axis
) -> LayerMaps:
    """The maps with queries averaged and keys summed by group, on the axes given for the groups."""

    def mask(flags: Booleans) -> Booleans:
        whole = np.broadcast_to(flags, (*flags.shape[:-2], *maps.weights.shape[1:]))
        return _grouped(_grouped(whole, key_groups, len(keys), -1), query_groups, len(queries), -2) > 0

    summed = _grouped(_grouped(maps.weights, key_groups, len(keys), -1), query_groups, len(queries), -2)
    sizes = np.bincount(query_groups, minlength=len(queries)).astype(np.float32)
    return replace(
        maps,
        weights=(summed / sizes[:, None]).astype(np.float32),
        visible=mask(maps.visible),
        computed=mask(maps.computed),
        queries=queries,
        keys=keys,
    )


def _grouped(array: Floats | Booleans, groups: Groups, count: int, axis: int) -> Floats:
    """The array summed by group along an axis."""
    shape = list(array.shape)
    shape[axis] = count
    out = np.zeros(shape, np.float32)
    np.add.at(np.moveaxis(out, axis, 0), groups, np.moveaxis(array, axis, 0))
    return out


def _word_label(axis: Axis, entries: list[int], span: Span | None) -> str:
    if span is None or axis.words[entries[0]] < 0 or span.text >= len(axis.texts):
        return axis.labels[entries[0]]
    text = axis.texts[span.text][span.start : span.stop]
    return printable(text.strip(" \t\xa0") or text)

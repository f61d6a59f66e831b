"""The common ground of two captures of one text: maps of both models over the same words.

What is compared are distributions over keys that both models have: sub-tokens are put together to words,
what only one of the two has is left out, and by default so is every pair that only one of them may see or
computes. What is left of a row is divided by its sum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from attnviz.analysis.entries import Entry, Named, common_entries, distinct_axes
from attnviz.analysis.select import MOST, check_weights
from attnviz.analysis.words import by_words
from attnviz.captures import Axis, Booleans, Capture, Floats, Head, Integers, LayerMaps, Numbers
from attnviz.errors import InputError
from attnviz.inputs import printable

Entries = tuple[Entry, ...]


@dataclass(frozen=True)
class Block:
    """The maps of heads that see the same pairs of the same entries.

    heads:   ``[heads]``: their places among all heads of the model
    weights: ``[heads, queries, keys]``
    totals:  ``[heads, queries]``: what each row holds, with what is not among the keys
    seen:    bool ``[queries, keys]``: the query may see the key, and the model computed the pair
    """

    heads: Integers
    weights: Floats
    totals: Floats
    seen: Booleans
    queries: Entries
    keys: Entries


@dataclass(frozen=True)
class Ground:
    """One text as two models saw it, on entries that both have; words are how many of these they share."""

    first: tuple[Block, ...]
    second: tuple[Block, ...]
    words: int


class Shared(NamedTuple):
    """Rows of two blocks side by side, of queries that see more than one key.

    first:  float64 ``[heads, rows, keys]``, rows summing to 1, or to 0 where no weight is left
    second: likewise, of the second block's heads
    seen:   bool ``[rows, keys]``: what both may see; all else is 0 in both
    hidden: weight of the first's rows and of the second's that is left out, and what they held in all
    """

    first: Numbers
    second: Numbers
    seen: Booleans
    hidden: Numbers


def places(capture: Capture) -> dict[Head, int]:
    """The place of each head among all heads of the model."""
    heads = (
        Head(layer.stack, layer.layer, head) for layer in capture.model.layers for head in range(layer.heads)
    )
    return {head: place for place, head in enumerate(heads)}


def ground(first: Capture, second: Capture) -> Ground:
    """What two models' maps of one text have in common.

    Raises InputError if they have no entries in common, or keep no maps that could be put on words.
    """
    maps = _word_maps(first), _word_maps(second)
    axes = distinct_axes(maps[0]), distinct_axes(maps[1])
    try:
        named = common_entries(*axes, first.sample)
    except ValueError as error:
        raise InputError(f"no comparison of {_named(first, second)}: {error}") from error
    sides = [
        tuple(_blocks(places(capture), layers, distinct, names))
        for capture, layers, distinct, names in zip((first, second), maps, axes, named, strict=True)
    ]
    if not sides[0] or not sides[1]:
        raise InputError(_nothing_common(first, second, axes))
    words = len({entry for side in named for names in side for entry in names if entry and entry[0] != "own"})
    return Ground(sides[0], sides[1], words)


def beside(first: Block, second: Block, *, as_is: bool = False) -> Shared | None:
    """Two blocks on the queries and keys that both have; None if no query has two keys to compare.

    as_is: keys that only one of the two may see are compared, too
    """
    picks = _both(first.queries, second.queries), _both(first.keys, second.keys)
    (rows, columns), (their_rows, their_columns) = zip(*picks, strict=True)
    seen = first.seen[rows][:, columns] & second.seen[their_rows][:, their_columns]
    seen = np.ones_like(seen) if as_is else seen
    eligible = seen.sum(1) > 1
    if not eligible.any():
        return None
    seen = seen[eligible]
    one, left = _rows(first, rows[eligible], columns, seen)
    other, their_left = _rows(second, their_rows[eligible], their_columns, seen)
    return Shared(one, other, seen, np.array([left, their_left]))


def _rows(
    block: Block, rows: Integers, columns: Integers, seen: Booleans
) -> tuple[Numbers, tuple[float, float]]:
    """Chosen rows and keys of a block, as distributions; the weight left out, and the weight in all."""
    weights = np.where(seen, block.weights[:, rows[:, None], columns], 0).astype(np.float64)
    sums = weights.sum(-1, keepdims=True)
    held = float(block.totals[:, rows].sum(dtype=np.float64))
    np.divide(weights, sums, out=weights, where=sums > 0)
    return weights, (max(0.0, held - float(sums.sum())), held)


def _both(first: Entries, second: Entries) -> tuple[Integers, Integers]:
    """Where the entries stand that are in both, in the first's order: there, and in the second."""
    if first == second:
        every = np.arange(len(first))
        return every, every
    theirs = {entry: place for place, entry in enumerate(second)}
    found = [(place, theirs[entry]) for place, entry in enumerate(first) if entry in theirs]
    one, other = np.array(found, np.int64).reshape(-1, 2).T
    return one, other


def _word_maps(capture: Capture) -> list[LayerMaps]:
    """Maps of words of single heads. Raises InputError if none were kept, or what was is no attention."""
    kept = [maps for maps in capture.words or capture.maps if not maps.mean]
    if not kept:
        raise InputError(
            f"no maps of {printable(capture.sample.name)} by {printable(capture.model.name)} were kept: "
            "capture it again with --keep all"
        )
    for maps in kept:
        if not 0 <= maps.weights.min(initial=0) <= maps.weights.max(initial=0) <= MOST:
            check_weights(maps)
    return kept if capture.words else [by_words(maps) for maps in kept]


def _blocks(
    numbers: dict[Head, int], layers: Sequence[LayerMaps], axes: Sequence[Axis], named: Sequence[Named]
) -> Iterator[Block]:
    """The maps of one model by what they see, on entries that the other model has as well."""
    groups: dict[Any, list[tuple[int, Floats]]] = {}
    masks: dict[Any, Booleans] = {}
    for layer in layers:
        both = axes.index(layer.queries), axes.index(layer.keys)
        for heads, seen in _sights(layer):
            key = (*both, seen.tobytes())
            masks[key] = seen
            groups.setdefault(key, []).extend(
                (numbers[Head(layer.stack, layer.layer, layer.heads[head])], layer.weights[head])
                for head in heads
            )
    for key, members in groups.items():
        queries, keys = _Grouping.of(named[key[0]]), _Grouping.of(named[key[1]])
        if queries.entries and keys.entries:
            yield _block(members, masks[key], queries, keys)


def _sights(layer: LayerMaps) -> Iterator[tuple[Sequence[int], Booleans]]:
    """What heads see, ``[queries, keys]``, and which of the layer's: all at once where they see the same."""
    seen = layer.visible & layer.computed
    seen = np.broadcast_to(seen, (seen.shape[0] if seen.ndim == 3 else 1, *layer.weights.shape[1:]))
    if len(seen) == 1:
        yield range(len(layer.heads)), seen[0]
    else:
        yield from (([head], sight) for head, sight in enumerate(seen))


def _block(
    members: Sequence[tuple[int, Floats]], seen: Booleans, queries: "_Grouping", keys: "_Grouping"
) -> Block:
    weights = np.stack([maps for _, maps in members])
    return Block(
        heads=np.array([number for number, _ in members]),
        weights=queries.mean(keys.total(weights)),
        totals=queries.mean(weights.sum(-1, keepdims=True))[:, :, 0],
        seen=queries.mean(keys.total(seen[None].astype(np.float32)))[0] > 0,
        queries=queries.entries,
        keys=keys.entries,
    )


class _Grouping(NamedTuple):
    """How entries of an axis become those that are compared: ``groups[i]`` is the place of entry i, or -1."""

    entries: Entries
    groups: Integers

    @classmethod
    def of(cls, named: Named) -> "_Grouping":
        place: dict[Entry, int] = {}
        groups = [-1 if entry is None else place.setdefault(entry, len(place)) for entry in named]
        return cls(tuple(place), np.array(groups, np.int64))

    def total(self, weights: Floats) -> Floats:
        """``[heads, queries, keys]`` summed over the keys of each group."""
        if len(self.entries) == len(self.groups):
            return weights
        there = self.groups >= 0
        if there.sum() == len(self.entries):
            return weights[:, :, there]
        total: Floats = weights @ self._members()
        return total

    def mean(self, weights: Floats) -> Floats:
        """``[heads, queries, keys]`` averaged over the queries of each group."""
        if len(self.entries) == len(self.groups):
            return weights
        there = self.groups >= 0
        if there.sum() == len(self.entries):
            return weights[:, there]
        members = self._members()
        mean: Floats = (members / members.sum(0)).T @ weights
        return mean

    def _members(self) -> Floats:
        """``[entries before, entries after]``: 1 where one belongs to the other."""
        members: Booleans = self.groups[:, None] == np.arange(len(self.entries))
        return members.astype(np.float32)


def _nothing_common(first: Capture, second: Capture, axes: Sequence[Sequence[Axis]]) -> str:
    """Why two captures cannot be compared: no words, or something else than words."""
    kinds = [_kinds(side) for side in axes]
    if kinds[0].isdisjoint(kinds[1]):
        told = " and ".join(" and ".join(sorted(kind)) for kind in kinds)
        return (
            f"no comparison of {_named(first, second)}: they see {told}; give two models that read the same"
        )
    return f"no comparison of {_named(first, second)}: they have no words in common; give a longer text"


def _kinds(axes: Sequence[Axis]) -> set[str]:
    return {"words" if any(word >= 0 for word in axis.words) else f"{axis.unit}es" if axis.unit == "patch"
            else f"{axis.unit}s" for axis in axes}  # fmt: skip


def _named(first: Capture, second: Capture) -> str:
    name, models = first.sample.name, (first.model.name, second.model.name)
    return f"{printable(name)} by {printable(models[0])} and by {printable(models[1])}"

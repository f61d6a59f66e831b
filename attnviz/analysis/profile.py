"""Where a head looks whatever it reads: its mean weight by the place of the key, seen from the query.

A key counts by its offset from the query in words; the first key of all, and each of the model's own tokens
as key or as query, counts for itself, as a key at three entries' distance as at any farther one.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from attnviz.analysis.common import Block, Entries
from attnviz.analysis.entries import Entry
from attnviz.captures import Booleans, Integers, Numbers

_Bin = tuple[Entry, Entry, int]
FIRST: Entry = ("first",)
FAR = 3  # entries


class Profile:
    """Mean weights of all heads of a model by the place of the key, over all samples added."""

    def __init__(self, heads: int) -> None:
        self._numbers: dict[_Bin, int] = {}
        self._sums = np.zeros((heads, 0))
        self._pairs = np.zeros((heads, 0))

    def add(self, block: Block) -> None:
        """The weights of a sample, of the pairs that these heads see."""
        sums, pairs = self._counted(block)
        self._sums[block.heads] += sums
        self._pairs[block.heads] += pairs

    def maps(
        self, heads: Integers, queries: Entries, keys: Entries, *, without: Block | None = None
    ) -> Numbers:
        """What the heads would look at if place were all: ``[heads, queries, keys]``, rows not rescaled.

        without: a sample of these heads that was added and is not to count, as when it is to be told from
                 the rest; 0 at places that no other has
        """
        bins = self._bins(queries, keys)
        sums, pairs = self._sums[heads], self._pairs[heads]
        if without is not None:
            its, count = self._counted(without)
            order = np.argsort(without.heads)
            sums -= its[order[np.searchsorted(without.heads, heads, sorter=order)]]
            pairs -= count
        means = np.divide(sums, pairs, out=np.zeros_like(sums), where=pairs > 0).clip(min=0)
        profile: Numbers = means[:, bins]
        return profile

    def _counted(self, block: Block) -> tuple[Numbers, Integers]:
        """The sums of a sample's weights ``[heads, bins]``, and of how many pairs ``[bins]``."""
        places = self._bins(block.queries, block.keys)[block.seen]
        count = self._sums.shape[1]
        sums = [np.bincount(places, weights, count) for weights in block.weights[:, block.seen]]
        summed: Numbers = np.array(sums, np.float64).reshape(-1, count)
        pairs: Integers = np.bincount(places, minlength=count).astype(np.int64)
        return summed, pairs

    def _bins(self, queries: Entries, keys: Entries) -> Integers:
        """The number of each pair's bin: ``[queries, keys]``; there is room for all."""
        found, codes = _offsets(queries, keys)
        numbers = [self._numbers.setdefault(each, len(self._numbers)) for each in found]
        missing = len(self._numbers) - self._sums.shape[1]
        if missing > 0:
            room = ((0, 0), (0, missing + len(self._numbers)))
            self._sums, self._pairs = np.pad(self._sums, room), np.pad(self._pairs, room)
        return np.array(numbers, np.int64)[codes]


class _Side(NamedTuple):
    """The entries of an axis.

    kinds: which kinds there are; kind: the number of each entry's; place: where it stands among those
    alone: whether it is the only one of its kind
    """

    kinds: tuple[Entry, ...]
    kind: Integers
    place: Integers
    alone: Booleans

    @classmethod
    def of(cls, entries: Entries, first: Entry | None = None) -> "_Side":
        """first: what the first entry is called, if it is to be alone."""
        kinds = [entry if entry[0] == "own" else entry[:-1] for entry in entries]
        if first is not None and entries[0][0] != "own":
            kinds[0] = first
        number = {kind: place for place, kind in enumerate(dict.fromkeys(kinds))}
        return cls(
            kinds=tuple(number),
            kind=np.array([number[kind] for kind in kinds]),
            place=np.array([int(entry[-1]) for entry in entries]),
            alone=np.array([kind[0] in ("own", *FIRST) for kind in kinds]),
        )


@lru_cache(maxsize=64)
def _offsets(queries: Entries, keys: Entries) -> tuple[list[_Bin], Integers]:
    """The bins of all pairs, and for each pair ``[queries, keys]`` which one is its own.

    Seen from one of the model's own tokens a key's place is counted in entries, not in words.
    """
    one, other = _Side.of(queries), _Side.of(keys, FIRST)
    steps = np.arange(len(keys)) - np.arange(len(queries))[:, None]
    offsets = np.where(one.alone[:, None], steps, other.place - one.place[:, None])
    offsets[:, other.alone] = np.clip(steps[:, other.alone], -FAR, FAR)
    reach = int(np.abs(offsets).max())
    codes = (one.kind[:, None] * len(other.kinds) + other.kind) * (2 * reach + 1) + offsets + reach
    found, inverse = np.unique(codes, return_inverse=True)
    kinds, places = np.divmod(found, 2 * reach + 1)
    bins = [
        (one.kinds[kind // len(other.kinds)], other.kinds[kind % len(other.kinds)], place - reach)
        for kind, place in zip(kinds.tolist(), places.tolist(), strict=True)
    ]
    return bins, inverse.reshape(codes.shape)

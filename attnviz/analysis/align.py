"""Two sequences laid side by side: what stands in both, what was replaced, what is in one of them alone.

By edit distance (Levenshtein 1966): as few entries as possible are put in, left out or replaced. Where that
leaves a choice, as many as possible are the same; where that does, too, these stay together in as few runs as
possible.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Booleans

_Costs = NDArray[np.int64]
_NEVER = 2**60  # dearer than any alignment
_RUN = 1  # what it costs to begin a run of same entries


class Pair(NamedTuple):
    """An entry of the first sequence and the one of the second that it stands beside, by their places.

    same: they are equal; else one was replaced by the other, or is in one sequence alone
    """

    first: int | None
    second: int | None
    same: bool = False

    @property
    def common(self) -> bool:
        """Whether it has an entry in either sequence."""
        return self.first is not None and self.second is not None


def aligned(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    kinds: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
) -> tuple[Pair, ...]:
    """The entries of both, side by side, in order: each is in one pair.

    kinds: of the entries of both: one is replaced only by another of its kind; None: by any other
    Takes time and memory as the product of both lengths.
    """
    same = _equal(first, second)
    costs = _Table.of(same, np.ones_like(same) if kinds is None else _equal(*kinds))
    return costs.pairs()


class _Table(NamedTuple):
    """The least cost of aligning the first i entries of one sequence with the first j of the other.

    same, alike: ``[first, second]``: the entries are equal; they may replace each other
    equal:       ``[first + 1, second + 1]`` where the last two stand beside each other and are equal
    edited:      likewise, where they are not
    edit:        what one edit costs: more than can be saved otherwise
    more:        what it costs more if it is a replacement: more than all runs together
    """

    same: Booleans
    alike: Booleans
    equal: _Costs
    edited: _Costs
    edit: int
    more: int

    @classmethod
    def of(cls, same: Booleans, alike: Booleans) -> "_Table":
        rows, columns = same.shape
        more = _RUN * (min(rows, columns) + 1)
        edit = more * (min(rows, columns) + 1)
        steps = edit * np.arange(columns + 1)
        equal = np.full((rows + 1, columns + 1), _NEVER)
        edited = np.full((rows + 1, columns + 1), _NEVER)
        edited[0] = steps
        for row in range(rows):
            least = np.minimum(equal[row], edited[row])
            going_on = np.minimum(equal[row, :-1], edited[row, :-1] + _RUN)
            equal[row + 1, 1:] = np.where(same[row], going_on, _NEVER)
            left_out = least + edit
            replaced = np.where(alike[row], least[:-1] + edit + more, _NEVER)
            left_out[1:] = np.minimum(left_out[1:], replaced)
            runs = np.minimum.accumulate(np.minimum(left_out, equal[row + 1]) - steps) + steps
            edited[row + 1] = left_out
            edited[row + 1, 1:] = np.minimum(left_out[1:], runs[:-1] + edit)
        return cls(same, alike, equal, edited, edit, more)

    def pairs(self) -> tuple[Pair, ...]:
        """One of the alignments that cost least, found from its end."""
        row, column = self.same.shape
        found = []
        after_equal = False
        while row or column:
            pair = self._last(row, column, after_equal=after_equal)
            found.append(pair)
            after_equal = pair.same
            row -= pair.first is not None
            column -= pair.second is not None
        return tuple(reversed(found))

    def _last(self, row: int, column: int, *, after_equal: bool) -> Pair:
        """The last pair of the first ``row`` and ``column`` entries.

        after_equal: the pair after it is of equal entries: no new run begins there if this is one too
        """
        if self.equal[row, column] <= self.edited[row, column] + _RUN * after_equal:
            return Pair(row - 1, column - 1, same=True)
        cost = self.edited[row, column] - self.edit
        replaced = row > 0 and column > 0 and self.alike[row - 1, column - 1]
        if replaced and cost - self.more == self._least(row - 1, column - 1):
            return Pair(row - 1, column - 1)
        if row and cost == self._least(row - 1, column):
            return Pair(row - 1, None)
        return Pair(None, column - 1)

    def _least(self, row: int, column: int) -> int:
        return int(min(self.equal[row, column], self.edited[row, column]))


def _equal(first: Sequence[Hashable], second: Sequence[Hashable]) -> Booleans:
    """``[first, second]``: which entries are equal."""
    numbers: dict[Hashable, int] = {}
    one, two = (
        np.array([numbers.setdefault(entry, len(numbers)) for entry in entries], np.int64)
        for entries in (first, second)
    )
    return np.asarray(one[:, None] == two)

"""Which head of one model goes with which of another."""

import numpy as np

from attnviz.analysis.comparison import Matching
from attnviz.captures import Integers, Numbers

APART = -1.0  # less than any similarity: of heads that cannot be compared


def matched(similarity: Numbers, matching: Matching) -> tuple[Integers, Integers]:
    """The heads of the first that have a match, in order, and which of the second each one's is.

    similarity: ``[first, second]``; NaN is never matched
    "one-to-one": the assignment with the largest sum (the Hungarian method); "nearest": each one's largest
    """
    known = np.nan_to_num(similarity, nan=APART)
    rows, columns = _one_to_one(known) if matching == "one-to-one" else _nearest(known)
    there = ~np.isnan(similarity[rows, columns])
    return rows[there], columns[there]


def _nearest(similarity: Numbers) -> tuple[Integers, Integers]:
    return np.arange(len(similarity)), similarity.argmax(1)


def _one_to_one(similarity: Numbers) -> tuple[Integers, Integers]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return np.asarray(rows, np.int64), np.asarray(columns, np.int64)

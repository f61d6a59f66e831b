"""Word alignment: which word of a source each word of its translation was written from.

Sources: Och & Ney 2003 (A Systematic Comparison of Various Statistical Alignment Models), 4, for the error;
Pharaoh's format ("0-0 1-2": source-target, from 0) is that of Koehn et al. 2005.
"""

import math
from collections.abc import Hashable, Iterable, Set
from typing import NamedTuple

import numpy as np

from attnviz.captures import Floats


class Link(NamedTuple):
    """A word of the source and one of the target, by their places among its words, from 0."""

    source: int
    target: int


def links_of(weights: Floats, threshold: float | None = None) -> tuple[Link, ...]:
    """The links that weights make, in the order of the source.

    weights:   ``[target words, source words]``
    threshold: the least weight that makes a link; None: none does by itself
    Each word of the target is linked to the source word with the largest weight in its row, the first of
    equals; to none, where all are 0.
    """
    linked = weights >= (math.inf if threshold is None else threshold)
    if weights.size:
        rows = np.arange(len(weights))
        linked[rows, weights.argmax(1)] = True
    targets, sources = np.nonzero(linked & (weights > 0))
    return tuple(sorted(Link(*pair) for pair in zip(sources.tolist(), targets.tolist(), strict=True)))


def pharaoh(links: Iterable[Link]) -> str:
    """Links as "0-0 1-2 2-1": source-target, in the order of the source."""
    return " ".join(f"{link.source}-{link.target}" for link in sorted(links))


def alignment_error(
    found: Set[Hashable], sure: Set[Hashable], possible: Set[Hashable] = frozenset()
) -> float:
    """The alignment error rate, 0 to 1: ``1 - (|A & S| + |A & P|) / (|A| + |S|)`` of Och & Ney 2003.

    found:    A, the links to be judged
    sure:     S, those that must be found
    possible: P, those that may be; the sure ones are among them, whether given or not
    The links of many sentences are judged together: put the sentence's number into each, such as
    ``(sentence, link)``. NaN where nothing was found and nothing is sure.
    """
    if not found and not sure:
        return math.nan
    right = len(found & sure) + len(found & (sure | possible))
    return 1 - right / (len(found) + len(sure))

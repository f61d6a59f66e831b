"""What a comparison of two models' heads has found: the records that tables, figures and scripts read."""

import math
from dataclasses import dataclass, field
from typing import Literal

from attnviz.captures import Head, ModelFacts, Numbers
from attnviz.inputs import Sample

Measure = Literal["js", "cka"]
Matching = Literal["one-to-one", "nearest"]
Verdict = Literal["match", "position", "chance", "untested"]


@dataclass(frozen=True)
class Estimate:
    """A mean over samples with its 95 % interval; NaN where it is missing, or with fewer than ten samples.

    samples: how many have a value
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    samples: int = 0


@dataclass(frozen=True)
class Match:
    """A head of the first model, the head of the second that is most like it, and how sure that is.

    similarity: 0 to 1, the mean over samples
    null:       the 95 % point of what is found where there is nothing to find: the first head's map of one
                sample beside the maps of another, the largest over all heads of the second model
    floor:      the similarity that the first head's positional profile, which knows no content, has
    q:          the share of false ones among matches as sure as this (Benjamini & Hochberg 1995)
    verdict:    "match": it beats the null, and the floor by 0.01; "position": it does not beat the floor,
                which half of what chance finds does not beat either; "chance": else; "untested": there are
                too few samples for a null
    """

    first: Head
    second: Head
    similarity: Estimate
    null: float
    floor: float
    q: float
    verdict: Verdict


@dataclass(frozen=True)
class Change:
    """One head in both of two models of the same architecture: 1 - similarity, 0 for no change."""

    head: Head
    change: Estimate


@dataclass(frozen=True)
class Comparison:
    """Every head of one model beside every head of another, over some samples.

    models:     the first and the second
    samples:    what both read, without the maps
    measure:    "js": 1 - Jensen-Shannon distance in bits, row by row; "cka": linear CKA of the maps
    matching:   "one-to-one" by the Hungarian method, or each head's "nearest"
    as_is:      nothing was restricted to the keys that both models may see
    first, second: their heads, in the models' order
    similarity: ``[first, second]``, the mean over samples; NaN where two heads have no axis in common
    matches:    one a head of the first that has one, in the model's order
    changes:    head by head, where both have the same layers and heads; else empty
    hidden:     the share of the first's and of the second's weight that lies on what is not compared
    notes:      what a reader of any number of it must know
    """

    models: tuple[ModelFacts, ModelFacts]
    samples: tuple[Sample, ...] = field(repr=False)
    measure: Measure
    matching: Matching
    as_is: bool
    seed: int
    first: tuple[Head, ...] = field(repr=False)
    second: tuple[Head, ...] = field(repr=False)
    similarity: Numbers = field(repr=False)
    matches: tuple[Match, ...] = field(repr=False)
    changes: tuple[Change, ...] = field(default=(), repr=False)
    hidden: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict, repr=False)

"""What two models saw of the same samples, gone through once and put aside on common ground."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from attnviz.analysis.common import Ground, ground, places
from attnviz.analysis.profile import Profile
from attnviz.analysis.shelf import Shelf
from attnviz.analysis.sights import RESTRICTED, sight, told
from attnviz.captures import Capture, Head, Integers
from attnviz.errors import InputError
from attnviz.facts import ModelFacts
from attnviz.inputs import Sample, printable
from attnviz.stored.textless import digests

FEWEST_COMPARED = 2


@dataclass
class Gathered:
    """Two models' maps of some samples, and where they are on the shelf.

    samples:  what both read
    texts:    which text each is; "" where that is not known
    words:    how many words, or other entries, both have of each
    heads:    of each model all there are, by place
    kept:     the shelf's number for the first model's blocks of each sample, and for the second's
    present:  of each model the places of heads with maps
    sights:   of each model what its queries see
    profile:  where the first model's heads look by place alone
    """

    models: tuple[ModelFacts, ModelFacts]
    versions: dict[str, str]
    heads: tuple[tuple[Head, ...], tuple[Head, ...]]
    profile: Profile
    samples: list[Sample] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    kept: list[tuple[int, int]] = field(default_factory=list)
    present: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    sights: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))

    def add(self, capture: Capture, common: Ground, shelf: Shelf) -> None:
        """One more sample."""
        self.samples.append(capture.sample)
        self.texts.append(" ".join(sorted(digests(capture))))
        self.words.append(common.words)
        self.kept.append((shelf.put(common.first), shelf.put(common.second)))
        for present, sights, blocks in zip(
            self.present, self.sights, (common.first, common.second), strict=True
        ):
            present.update(head for block in blocks for head in block.heads.tolist())
            sights.update(sight(block.seen, alike=block.queries == block.keys) for block in blocks)
        for block in common.first:
            self.profile.add(block)

    def places(self) -> tuple[Integers, Integers]:
        """The places of each model's heads that have maps, in the model's order."""
        one, other = (np.array(sorted(present), np.int64) for present in self.present)
        return one, other

    def notes(self, *, as_is: bool) -> list[str]:
        """What a reader must know of what was compared."""
        return [*self._restriction(as_is=as_is), *self._unknown()]

    def _restriction(self, *, as_is: bool) -> Iterator[str]:
        if self.sights[0] != self.sights[1]:
            sees = told([model.name for model in self.models], self.sights, all_too=as_is)
            yield f"{'compared as they are' if as_is else RESTRICTED}: {sees}"

    def _unknown(self) -> Iterator[str]:
        unknown = self.texts.count("")
        if unknown:
            yield (
                f"what was read is not known of {unknown} samples: taken to be the same by their place in "
                "the sequence"
            )


def check_numbers(first: Sequence[Capture], second: Sequence[Capture]) -> None:
    """Raises InputError unless there are as many samples of one model as of the other, and more than one."""
    if len(first) != len(second):
        raise InputError(
            f"{len(first)} captures of one model and {len(second)} of the other: they are compared sample by "
            "sample, so capture the same texts with both"
        )
    if len(first) < FEWEST_COMPARED:
        raise InputError(
            "one sample tells no likeness from chance: give several texts, or see what one shows of two "
            "models with attnviz diff -m A -m B TEXT"
        )


def gathered(first: Sequence[Capture], second: Sequence[Capture], shelf: Shelf) -> Gathered:
    """All samples put aside, each capture asked for once.

    Raises InputError for samples that are not the same, captures of several models in one sequence, and what
    two models have nothing in common in.
    """
    everything: Gathered | None = None
    for one, other in _pairs(first, second):
        everything = everything or _empty(one, other)
        _check(one, other, everything.models)
        everything.add(one, ground(one, other), shelf)
    if everything is None:
        raise InputError("no captures to compare: give some of each model")
    return everything


def _pairs(first: Sequence[Capture], second: Sequence[Capture]) -> Iterator[tuple[Capture, Capture]]:
    for place in range(len(first)):
        yield first[place], second[place]


def _empty(one: Capture, other: Capture) -> Gathered:
    heads = tuple(places(one)), tuple(places(other))
    return Gathered(
        (one.model, other.model), {**other.versions, **one.versions}, heads, Profile(len(heads[0]))
    )


def _check(one: Capture, other: Capture, models: tuple[ModelFacts, ModelFacts]) -> None:
    """Raises InputError unless both captures are of the same text, and of the models that came first."""
    for capture, model in zip((one, other), models, strict=True):
        if (capture.model.name, capture.model.fingerprint) != (model.name, model.fingerprint):
            raise InputError(
                f"captures of {printable(model.name)} and of {printable(capture.model.name)} in one "
                "sequence: one model's heads are compared with another's, so give one sequence of each"
            )
    known, theirs = digests(one), digests(other)
    if known and theirs and known.isdisjoint(theirs):
        raise InputError(
            f"{printable(models[0].name)} has read {printable(one.sample.name)} where "
            f"{printable(models[1].name)} has read {printable(other.sample.name)}, another text: capture the "
            "same texts with both, in the same order"
        )

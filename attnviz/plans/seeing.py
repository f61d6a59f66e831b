"""Samples run through a model in batches, each looked at once for everything that will be drawn of it.

What is seen of a sample depends on the plan alone: a batch is always run as a whole and everybody looks, also
where some of its figures are there already. Else a batch taken up again would give other last digits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.captures import Capture
from attnviz.errors import AttnvizError
from attnviz.plans.kinds import Needs
from attnviz.plans.plan import ModelEntry, SampleEntry, Seen

if TYPE_CHECKING:
    from attnviz.models.base import Encoded, Source
    from attnviz.observe.base import Observer

MOST_SAMPLES = 16  # in a batch
MOST_CHARACTERS = 8_192  # of a batch, as if all were as long as the longest: about 2,000 tokens
SPREAD = 1.3  # how much longer the longest of a batch may be than the shortest

POOLED_ABOVE, POOLED_TO = 512, 256  # tokens; as the command line draws long texts


@dataclass(frozen=True)
class Batch:
    """Samples that a model reads at once."""

    model: ModelEntry
    samples: tuple[SampleEntry, ...]

    @property
    def seen(self) -> tuple[Seen, ...]:
        return tuple(Seen(self.model, sample) for sample in self.samples)


def batches(models: Sequence[ModelEntry], samples: Sequence[SampleEntry]) -> Iterator[Batch]:
    """All samples of each model, those of about the same length together.

    Lengths are in characters, so that batches are known before any tokenizer is.
    """
    order = sorted(range(len(samples)), key=lambda number: (_length(samples[number]), number))
    groups: list[list[SampleEntry]] = []
    for number in order:
        sample = samples[number]
        if not groups or not _fits(groups[-1], sample):
            groups.append([])
        groups[-1].append(sample)
    for model in models:
        yield from (Batch(model, tuple(group)) for group in groups)


def _length(entry: SampleEntry) -> int:
    return len(entry.sample.text) + len(entry.sample.pair or "")


def _fits(group: Sequence[SampleEntry], sample: SampleEntry) -> bool:
    """Whether a sample, at least as long as those of a group, may be read together with them."""
    first, length = group[0], _length(sample)
    alike = bool(sample.sample.pair) == bool(first.sample.pair) and not (
        sample.sample.generate or first.sample.generate
    )
    return (
        alike
        and len(group) < MOST_SAMPLES
        and (len(group) + 1) * length <= MOST_CHARACTERS
        and length <= SPREAD * _length(first) + 8
    )


Looked = Mapping[Seen, Capture | AttnvizError]
"""What was seen of each sample, or why nothing was."""


def look(source: "Source", batch: Batch, needs: Mapping[SampleEntry, Needs]) -> Looked:
    """What is seen of each sample of a batch.

    Where a batch cannot be run as a whole, each of its samples is run by itself.
    """
    found: dict[Seen, Capture | AttnvizError] = {}
    encoded: dict[Seen, Encoded] = {}
    for seen in batch.seen:
        try:
            encoded[seen] = source.encode(seen.entry.sample, truncate=seen.entry.truncate)
        except AttnvizError as error:
            found[seen] = error
    try:
        found |= _together(source, encoded, needs)
    except AttnvizError:
        for seen, alone in encoded.items():
            try:
                found |= _together(source, {seen: alone}, needs)
            except AttnvizError as error:
                found[seen] = error
    return {seen: found[seen] for seen in batch.seen}


def _together(
    source: "Source", encoded: "Mapping[Seen, Encoded]", needs: Mapping[SampleEntry, Needs]
) -> dict[Seen, Capture]:
    from attnviz.observe.run import observe_batch

    if not encoded:
        return {}
    looking = [observers(each, needs[seen.entry]) for seen, each in encoded.items()]
    return dict(zip(encoded, observe_batch(source, list(encoded.values()), looking), strict=True))


def observers(encoded: "Encoded", needs: Needs) -> "list[Observer]":
    """Whoever has to look at a sample: the statistics of all heads are kept of every one."""
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.pool import PoolMaps
    from attnviz.observe.rollout import Rollout
    from attnviz.observe.statistics import HeadStatistics

    looking: list[Observer] = [HeadStatistics()]
    length = max((len(axis) for axes in encoded.axes.values() for axis in axes), default=0)
    pooled = needs.overview and length > POOLED_ABOVE
    if pooled:
        looking.append(PoolMaps(POOLED_TO))
    if needs.whole or (needs.overview and not pooled):
        looking.append(KeepMaps(None if needs.overview and not pooled else needs.whole))
    if needs.rollout:
        looking.append(Rollout())
    return looking

"""What is to be kept of a run of a model, made into the samples and the observers of that run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.analysis import naming, reduce
from attnviz.captures import FEW
from attnviz.errors import InputError, UsageError
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample, check_texts
from attnviz.recipes import Choice

if TYPE_CHECKING:
    from torch import Tensor

    from attnviz.models.base import Encoded, Source
    from attnviz.observe.base import Observer

    Readable = str | Sample | Mapping[str, Tensor]

POOLED_ABOVE = 512  # tokens; above it the overview is drawn from pooled maps
POOLED_TO = 256

ALL, AUTO, WORDS = "all", "auto", "words"
"""What to keep: every map whole; what a picture needs; every map, with sub-tokens put together to words."""


@dataclass(frozen=True)
class Wishes:
    """What is to be kept of a run, as ``capture`` says. Raises UsageError for what cannot be understood."""

    keep: str | None
    choice: Choice
    pooled: int | None
    statistics: bool

    def __post_init__(self) -> None:
        naming.check(self.choice)
        reduce.check(self.choice)
        check_keep(self.keep)
        if self.pooled is not None and not (isinstance(self.pooled, int) and self.pooled > 0):
            raise UsageError(
                f"pooled={self.pooled!r} is no size: give the most rows and columns, such as 256"
            )


def several(
    sample: "Readable | Sequence[Readable]", labels: Sequence[str] | None
) -> "list[Sample | Mapping[str, Tensor]]":
    """The samples, of which none may be empty: that is said before a model is loaded."""
    alone = isinstance(sample, str | Sample | Mapping)
    samples = [sample] if isinstance(sample, str | Sample | Mapping) else sample
    if not isinstance(samples, Sequence):
        raise UsageError(
            f"a {type(sample).__name__} is no sample: give a text, a Sample, tensors, or a list of these"
        )
    if not samples:
        raise InputError("no samples: give one at least")
    if labels is not None and not alone:
        raise UsageError("labels are those of one sample, not of a list of them")
    named = [_named(each, "text" if alone else f"text-{number}") for number, each in enumerate(samples, 1)]
    check_texts([each for each in named if isinstance(each, Sample)])
    return named


def _named(sample: "Readable", name: str) -> "Sample | Mapping[str, Tensor]":
    """What can be read, a text with a name. Raises UsageError for anything else."""
    if isinstance(sample, str):
        return Sample(sample, name=name)
    if not isinstance(sample, Sample | Mapping):
        raise UsageError(
            f"{name} is of type {type(sample).__name__}, which is none: give a text, a Sample, or tensors"
        )
    if isinstance(sample, Sample) and sample.generate < 0:
        raise UsageError(f"generate={sample.generate} of {sample.name}: give how many tokens to write, or 0")
    return sample


def encoded_all(
    source: "Source",
    samples: "Sequence[Sample | Mapping[str, Tensor]]",
    labels: Sequence[str] | None = None,
    *,
    truncate: bool = False,
) -> "list[Encoded]":
    """The samples as the model reads them.

    Raises InputError for those that it cannot take, naming the first with the reason and the others; or with
    the reason alone, where it takes none and the reason is one and the same.
    """
    from attnviz.models.given import encoded

    found, refused, reasons = [], [], []
    for number, sample in enumerate(samples, 1):
        try:
            found.append(encoded(source, sample, labels=labels, truncate=truncate))
        except InputError as error:
            refused.append(sample.name if isinstance(sample, Sample) else f"sample {number}")
            reasons.append(error)
    whatever_it_is = len(refused) == len(samples) and len({str(reason) for reason in reasons}) == 1
    if len(refused) > 1 and not whatever_it_is:
        more = f" and {len(refused) - FEW - 1} more" if len(refused) > FEW + 1 else ""
        raise InputError(
            f"{reasons[0]} (nor can it take {', '.join(refused[1 : FEW + 1])}{more})"
        ) from reasons[0]
    if reasons:
        raise reasons[0]
    return found


def observers_of(source: "Source", encoded: "Encoded", wishes: Wishes) -> "list[Observer]":
    """Whoever has to look at a run for the wishes to come true."""
    from attnviz.observe.pool import PoolMaps

    keeper = _keeper(source, encoded, wishes)
    observers = [keeper] if keeper else []
    if wishes.pooled is not None:
        observers.append(PoolMaps(wishes.pooled))
    if wishes.statistics:
        from attnviz.observe.statistics import HeadStatistics

        observers.append(HeadStatistics())
    return observers


def _keeper(source: "Source", encoded: "Encoded", wishes: Wishes) -> "Observer | None":
    """Whole maps where they were asked for or the text is short, else pooled ones; or maps of words."""
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.pool import PoolMaps
    from attnviz.observe.words import WordMaps

    if wishes.keep is None:
        return None
    if wishes.keep == WORDS:
        return WordMaps()
    wanted = _wanted(source.facts.layers, wishes)
    length = max(len(axis) for axes in encoded.axes.values() for axis in axes)
    overview = wishes.keep == AUTO and wishes.choice == Choice(kind=wishes.choice.kind)
    if overview and length > POOLED_ABOVE:
        return None if wishes.pooled else PoolMaps(POOLED_TO, wanted)
    return KeepMaps(wanted)


def _wanted(layers: Sequence[LayerFacts], wishes: Wishes) -> naming.Wanted:
    """The heads whose maps are wanted, by layer."""
    if wishes.keep in (None, AUTO, ALL):
        return naming.wanted_heads(layers, wishes.choice if wishes.keep == AUTO else Choice())
    return naming.named_heads(layers, wishes.keep)


def check_keep(keep: str | None) -> None:
    """Raises UsageError if that is no way to say which maps to keep."""
    if keep is not None and not isinstance(keep, str):
        raise UsageError(f'keep={keep!r} is no text: write heads and layers in one, such as "3.5,7.1"')
    if keep not in (None, AUTO, ALL, WORDS):
        naming.check_named(keep)

"""What a model is probed with: maps of words of given texts, and statistics over random tokens."""

from collections.abc import Iterable, Iterator

import numpy as np

from attnviz.captures import Axis, Capture
from attnviz.errors import InputError
from attnviz.models.base import Encoded, Source
from attnviz.observe.choice import Choice
from attnviz.observe.progress import Report
from attnviz.observe.run import observe
from attnviz.observe.statistics import HeadStatistics
from attnviz.observe.words import WordMaps


def word_maps(
    source: Source, texts: Iterable[Encoded], heads: Choice, *, report: Report | None = None
) -> Iterator[Capture]:
    """Maps of words of some heads, text by text."""
    for encoded in texts:
        yield observe(source, encoded, [WordMaps(heads)], report=report)


def random_tokens(
    source: Source, sequences: int, length: int, *, times: int, seed: int, report: Report | None = None
) -> Iterator[Capture]:
    """The statistics of all heads over sequences of random tokens, one after the other.

    length: different tokens that are drawn for each, uniformly of all but the model's own; they stand in it
            ``times`` one after the other, between tokens of the model's own where it puts such around a text
    Raises InputError if the model reads no tokens, or not as many.
    """
    ids = np.array(source.plain_ids())
    if length > len(ids):
        raise InputError(
            f"no {length} different tokens can be drawn: {source.facts.name} knows {len(ids)} besides its "
            f"own; --length {len(ids)} fits"
        )
    _check_room(source, length, times, own=len(_keys(source.encode_ids(ids[:1].tolist()))) - 1)
    random = np.random.default_rng(seed)
    for _ in range(sequences):
        once = random.choice(ids, length, replace=False).tolist()
        yield observe(source, source.encode_ids(once * times), [HeadStatistics()], report=report)


def _check_room(source: Source, length: int, times: int, *, own: int) -> None:
    """Raises InputError if a sequence is longer than the model can read, with the length that fits.

    own: tokens that the model's template puts around a text
    """
    limit = source.facts.positions
    total = length * times + own
    if limit is not None and total > limit:
        fits = (limit - own) // times
        what = f"{times} times {length}" if times > 1 else f"{length}"
        around = f" and {own} of its own" if own else ""
        raise InputError(
            f"{what} tokens{around} are {total}, and {source.facts.name} reads at most {limit}: "
            f"--length {fits} fits"
        )


def first_of(source: Source) -> str:
    """The token of its own that the model reads first, before any text; "" if there is none.

    Raises InputError if it does not read text.
    """
    keys = _keys(source.encode_ids(source.plain_ids()[:1]))
    return keys.labels[0] if keys.special[0] else ""


def _keys(encoded: Encoded) -> Axis:
    """What is read."""
    return max((keys for _, keys in encoded.axes.values()), key=len)

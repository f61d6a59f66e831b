"""What the entries of two models' axes have in common: which word, special token or patch each one is.

A word is known by its place among the words of the text, which the text alone decides, not by its number on
one tokenizer's axis. Where one tokenizer has a token over two words (``...``, ``):``), the two are one for
both models. A token of the model's own is known by its label and by how many of that label came before, so
models that share a tokenizer share ``[CLS]``, and others do not. What else has no words (patches, positions)
is known by its place, among entries of the same unit and number; ids of which no text is known by their place
in the model's sequence.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from attnviz.captures import Axis, LayerMaps
from attnviz.inputs import Sample, Span, word_spans, words_touched

Entry = tuple[str | int, ...]
"""``("word", 0, 3)`` is the fourth common word of the first text, ``("own", "[CLS]", 0)`` the first [CLS]."""

Named = tuple[Entry | None, ...]
"""What each entry of an axis is; None for what the other model has nothing of."""

_Words = list[range]
_Place = int | Entry  # the number of a word in the text, or what else there is


def distinct_axes(layers: Iterable[LayerMaps]) -> list[Axis]:
    """The axes of some layers, each once."""
    distinct: list[Axis] = []
    for axis in (axis for layer in layers for axis in (layer.queries, layer.keys)):
        if axis not in distinct:  # mostly the same object: no hash is made of its thousands of entries
            distinct.append(axis)
    return distinct


def common_entries(
    first: Sequence[Axis], second: Sequence[Axis], sample: Sample
) -> tuple[list[Named], list[Named]]:
    """What the entries of two models' axes are, as far as both have them.

    Two entries of one axis that are the same word have to be put together.
    Raises ValueError if words without a text are numbered differently.
    """
    texts = _texts((*first, *second), sample)
    sides = [_words_of(axes, texts) for axes in _settled(first, second)]
    roots = _roots([words for side in sides for words in side])
    places = [
        [_places(axis, words, roots) for axis, words in zip(axes, side, strict=True)]
        for axes, side in zip((first, second), sides, strict=True)
    ]
    there = [{place for named in side for place in named} for side in places]
    common = _ranked(there[0] & there[1], len(word_spans(texts[0])))
    one, other = ([tuple(map(common.get, named)) for named in side] for side in places)
    return one, other


def _settled(first: Sequence[Axis], second: Sequence[Axis]) -> tuple[list[Axis], list[Axis]]:
    """The axes, all with the text that their words are of, or else all without it."""
    if all(_has_text(axis) for axis in (*first, *second)):
        return list(first), list(second)
    counts = [{max(axis.words, default=-1) for axis in side} - {-1} for side in (first, second)]
    if all(counts) and counts[0] != counts[1]:
        raise ValueError("the words of a text that was not kept are known by number alone, and differ")
    return [_textless(axis) for axis in first], [_textless(axis) for axis in second]


def _has_text(axis: Axis) -> bool:
    return all(
        word < 0 or (span is not None and span.text < len(axis.texts))
        for word, span in zip(axis.words, axis.spans, strict=True)
    )


def _textless(axis: Axis) -> Axis:
    return Axis(axis.labels, axis.positions, (None,) * len(axis), axis.words, axis.special, unit=axis.unit,
                grid=axis.grid)  # fmt: skip


def _words_of(axes: Sequence[Axis], texts: Sequence[str]) -> list[_Words]:
    """The words of the texts that each entry touches, by axis; by number where no text is known."""
    return [
        words_touched(_moved(axis, texts), texts)
        if any(axis.spans)
        else [range(word, word + 1) if word >= 0 else range(0) for word in axis.words]
        for axis in axes
    ]


def _texts(axes: Sequence[Axis], sample: Sample) -> list[str]:
    """What was read: of a sample that came without a text what its tokens stand for."""
    if not sample.text:
        return next((list(axis.texts) for axis in axes if axis.texts), [""])
    return [sample.text] if sample.pair is None else [sample.text, sample.pair]


def _moved(axis: Axis, texts: Sequence[str]) -> list[Span | None]:
    """The spans of an axis as spans of the sample's own texts, which a chat or generated text has inside."""
    found = [_found(read, texts) for read in axis.texts]
    return [
        _clipped(span, *found[span.text], texts) if span is not None and word >= 0 else None
        for span, word in zip(axis.spans, axis.words, strict=True)
    ]


def _found(read: str, texts: Sequence[str]) -> tuple[int, int]:
    """In which of the texts what was read begins, and where: (0, -5) if five characters come before it."""
    for number, text in enumerate(texts):
        if read == text:
            return number, 0
    for number, text in enumerate(texts):
        bare = text.strip()
        if bare in read:
            return number, text.index(bare) - read.index(bare)
    return -1, 0


def _clipped(span: Span, number: int, shift: int, texts: Sequence[str]) -> Span | None:
    if number < 0:
        return None
    start, stop = max(0, span.start + shift), min(len(texts[number]), span.stop + shift)
    return Span(number, start, stop) if start < stop else None


def _roots(sides: Sequence[_Words]) -> dict[int, int]:
    """Each word's first among those that somebody's token joins it with."""
    touched = [words for side in sides for words in side]
    joined = {word for words in touched for word in words[1:]}  # with the word before it
    roots: dict[int, int] = {}
    for word in sorted({word for words in touched for word in words}):
        roots[word] = roots[word - 1] if word in joined else word
    return roots


def _places(axis: Axis, words: _Words, roots: dict[int, int]) -> list[_Place]:
    """What each entry is, words by their numbers in the text."""
    before: Counter[str] = Counter()
    return [
        roots[touched[0]] if touched else _own(axis, number, before) for number, touched in enumerate(words)
    ]


def _own(axis: Axis, number: int, before: Counter[str]) -> Entry:
    """What an entry without a word is: by its place in an image or a sequence, else by its label."""
    grid = axis.grid
    if grid and grid.first <= number < grid.first + grid.rows * grid.columns:
        return "place", "patch", grid.rows, grid.columns, number - grid.first
    if axis.unit in ("patch", "position", "group") and not axis.special[number]:
        return "place", axis.unit, len(axis), number
    if not axis.special[number] and max(axis.words) < 0:
        return "place", axis.unit, axis.positions[number]
    label = axis.labels[number]
    before[label] += 1
    return "own", label, before[label] - 1


def _ranked(common: set[_Place], texts: int) -> dict[_Place, Entry]:
    """The common entries, words counted anew in each text: ``("word", text, rank)``.

    texts: how many words the first text has
    """
    words = sorted(place for place in common if isinstance(place, int))
    ahead = bisect_left(words, texts)
    ranks: dict[_Place, Entry] = {
        word: ("word", 0, rank) if rank < ahead else ("word", 1, rank - ahead)
        for rank, word in enumerate(words)
    }
    return ranks | {place: place for place in common if not isinstance(place, int)}

"""A capture without what was read: for texts that may not leave the machine."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import chain

from attnviz.captures import Axis, Capture, Layers
from attnviz.recipes import text_digest

_Change = Callable[[Axis], Axis]
_NOTE = "the text was not kept; its sha256 is "


def without_text(capture: Capture) -> Capture:
    """The capture with numbers in place of labels, without texts, spans and token ids.

    The model's own tokens (``[CLS]``) keep their names, and words and special tokens stay marked. A note
    says which text it was, by its digest.
    """
    textless = cache(_textless)
    digest = text_digest(capture.sample.text)
    return replace(
        capture,
        sample=replace(capture.sample, text="", pair=None),
        notes=(*capture.notes, _NOTE + digest),
        axes={name: (textless(queries), textless(keys)) for name, (queries, keys) in capture.axes.items()},
        maps=_on(textless, capture.maps),
        pooled=_on(textless, capture.pooled),
        means=_on(textless, capture.means),
        rollout=_on(textless, capture.rollout),
        words=_on(textless, capture.words),
    )


def digests(capture: Capture) -> frozenset[str]:
    """What tells which sample was read: the sha256 of its text, whether it was kept or not.

    Of tensors that came without a text there may be two: of the text that they stand for, and of their ids.
    Empty where nothing is known, as of images.
    """
    sample = capture.sample
    if sample.text:
        return frozenset([text_digest(sample.text) + (sample.pair or "")])
    said = {note.removeprefix(_NOTE) for note in capture.notes if note.startswith(_NOTE)}
    return frozenset(said - {text_digest("")}) or _of_axes(capture)


def _of_axes(capture: Capture) -> frozenset[str]:
    axes = list(chain.from_iterable(capture.axes.values()))
    known = {axis.texts for axis in axes if axis.texts}, {axis.ids for axis in axes if axis.ids}
    return frozenset(text_digest(repr(sorted(found))) for found in known if found)


def _on(change: _Change, layers: Layers) -> Layers:
    return Layers(replace(maps, queries=change(maps.queries), keys=change(maps.keys)) for maps in layers)


def _textless(axis: Axis) -> Axis:
    return replace(
        axis,
        labels=tuple(
            label if special else str(position)
            for label, special, position in zip(axis.labels, axis.special, axis.positions, strict=True)
        ),
        spans=(None,) * len(axis),
        ids=(),
        texts=(),
    )

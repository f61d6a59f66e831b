"""The head, and the token, that are looked at where none was named by its number."""

import re

import numpy as np

from attnviz.analysis.words import word_axis
from attnviz.captures import Axis, Capture, Head, LayerMaps, Numbers
from attnviz.errors import SelectionError
from attnviz.inputs import Span, printable

_FEW = 12  # tokens that a message lists


def strongest(capture: Capture, word: str | None = None) -> Head:
    """Of the heads whose maps were kept the one that looks hardest at a token beyond its neighbours.

    That is its largest weight on a token that is neither special, nor the query itself, nor next to it: in
    the row of the word, or on the mean over all rows that are not special. Of equals the first.
    Raises SelectionError if the word stands in none of the texts that the heads ask from.
    """
    asking = [maps for maps in capture.maps if word is None or _stands_in(word, maps.queries)]
    if word is not None and not asking:
        row_of(capture.maps[0].queries, word)
    found = [
        (float(strength), Head(maps.stack, maps.layer, head))
        for maps in asking
        for head, strength in zip(maps.heads, _strengths(maps, word), strict=True)
    ]
    return max(found, key=lambda one: one[0])[1]


def _strengths(maps: LayerMaps, word: str | None) -> Numbers:
    """Of each head the largest weight on a token beyond the neighbours, ``[heads]``."""
    queries, keys = maps.queries, maps.keys
    away = np.abs(np.array(queries.positions)[:, None] - np.array(keys.positions)) > 1
    counted = (away | (queries != keys)) & ~np.array(keys.special, bool)
    largest: Numbers = np.where(counted, maps.weights, 0).max(-1).astype(np.float64)
    if word is not None:
        return largest[:, row_of(queries, word)[0]]
    plain = ~np.array(queries.special, bool)
    mean: Numbers = largest[:, plain if plain.any() else slice(None)].mean(-1)
    return mean


def row_of(axis: Axis, word: str) -> tuple[int, str]:
    """Which entry a word means, and what the reader is told of it where it might mean another.

    A token by its label, or a word of the text by its first token; in this spelling, else in another case;
    the first where it stands several times; or a token by its number; or several words, or what is cut to
    several, by the first token.
    Raises SelectionError if there is none.
    """
    places = _places(axis, word)
    if not places:
        some = ", ".join(axis.labels[:_FEW]) + (", …" if len(axis) > _FEW else "")
        raise SelectionError(f"{printable(word)!r} is none of the tokens: there are {some}")
    first, label = places[0], axis.labels[places[0]]
    told = []
    if label.casefold() != word.casefold() and not word.isdecimal():
        told.append(f"{printable(word)}: the first of its tokens, {label}")
    if len(places) > 1:
        numbers = ", ".join(str(axis.positions[place]) for place in places)
        told.append(f"{printable(word)} stands at {numbers}: the first; a number chooses another")
    return first, "; ".join(told)


def _stands_in(word: str, axis: Axis) -> bool:
    return bool(_places(axis, word))


def _places(axis: Axis, word: str) -> list[int]:
    """The entries that a word may mean; those of the best kind alone."""
    words = word_axis(axis)
    firsts = {position: place for place, position in enumerate(axis.positions)}
    folded = word.casefold()
    for places in (
        [place for place, label in enumerate(axis.labels) if label == word],
        [firsts[words.positions[place]] for place, label in enumerate(words.labels) if label == word],
        [place for place, label in enumerate(axis.labels) if label.casefold() == folded],
        [
            firsts[words.positions[place]]
            for place, label in enumerate(words.labels)
            if label.casefold() == folded
        ],
        [firsts[int(word)]] if word.isdecimal() and int(word) in firsts else [],
        _runs(axis, word),
    ):
        if places:
            return places
    return []


def _runs(axis: Axis, piece: str) -> list[int]:
    """Where a piece of the text begins a token and ends one: the entries that it begins."""
    spans = [(entry, span) for entry, span in enumerate(axis.spans) if span is not None]
    begins = {_begin(axis, span): entry for entry, span in reversed(spans)}
    ends = {(span.text, span.stop) for _, span in spans}
    return [
        begins[text, found.start()]
        for text, whole in enumerate(axis.texts)
        for found in re.finditer(re.escape(piece), whole, re.IGNORECASE)
        if piece and (text, found.start()) in begins and (text, found.end()) in ends
    ]


def _begin(axis: Axis, span: Span) -> tuple[int, int]:
    """The text and the place in it where a token begins, but for blanks before it."""
    covered = axis.texts[span.text][span.start : span.stop]
    return span.text, span.stop - len(covered.lstrip())

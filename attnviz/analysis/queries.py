"""The query that a user means: which row of a map it is, and maps of that row alone."""

import re
from collections.abc import Sequence

import numpy as np

from attnviz.analysis.reduce import only
from attnviz.analysis.words import word_axis
from attnviz.captures import Axis, LayerMaps
from attnviz.errors import SelectionError
from attnviz.inputs import Span, printable

_FEW = 12  # tokens that a message lists


def row_of(axis: Axis, query: str) -> tuple[int, str]:
    """Which entry a query means, and what the reader is told where it might mean another.

    A token by its number; else by its label, or a word of the text by its first token, in this spelling or
    else in another case; or several words, or what is cut to several, by the first token. The first where it
    stands several times. (A number goes before texts: every token has one, so that each can be named.)
    Raises SelectionError if there is none.
    """
    places = _reading(axis, query)
    numbered = {str(position): entry for entry, position in enumerate(axis.positions)}
    if query in numbered:
        entry = numbered[query]
        others = [place for place in places if place != entry]
        told = f"{query} is token {query}, {axis.labels[entry]}: that text stands at {_at(axis, others)}"
        return entry, told if others else ""
    places = places or _runs(axis, query)
    if not places:
        some = ", ".join(axis.labels[:_FEW]) + (", …" if len(axis) > _FEW else "")
        raise SelectionError(f"{printable(query)!r} is none of the tokens: there are {some}")
    return places[0], "; ".join(_told(axis, query, places))


def stands_in(axis: Axis, query: str) -> bool:
    """Whether the query is one of these."""
    try:
        row_of(axis, query)
    except SelectionError:
        return False
    return True


def alone(layers: Sequence[LayerMaps], query: str) -> tuple[tuple[LayerMaps, ...], tuple[str, ...]]:
    """The maps with that query's row alone, and what the reader is told of it.

    Raises SelectionError if it is none of the queries of one of them.
    """
    cut, told = [], []
    for maps in layers:
        row, note = row_of(maps.queries, query)
        cut.append(only(maps, np.arange(len(maps.queries)) == row, np.ones(len(maps.keys), bool)))
        told += [f"query: “{maps.queries.labels[row]}”, token {maps.queries.positions[row]}"]
        told += [note] if note else []
    return tuple(cut), tuple(dict.fromkeys(told))


def _told(axis: Axis, query: str, places: Sequence[int]) -> list[str]:
    """That a query is a part of what it names, or one of several."""
    told, label = [], axis.labels[places[0]]
    if label.casefold() != query.casefold():
        told.append(f"{printable(query)}: the first of its tokens, {label}")
    if len(places) > 1:
        told.append(f"{printable(query)} stands at {_at(axis, places)}: the first; a number chooses another")
    return told


def _at(axis: Axis, places: Sequence[int]) -> str:
    return ", ".join(str(axis.positions[place]) for place in places)


def _reading(axis: Axis, query: str) -> list[int]:
    """The tokens and words that read so, those of the best kind alone: a word by its first token."""
    words = word_axis(axis)
    firsts = {axis.words[entry]: entry for entry, _ in reversed(_written(axis))}
    tokens = list(zip(axis.labels, range(len(axis)), strict=True))
    begun = [(words.labels[at], firsts[word]) for at, word in enumerate(words.words) if word in firsts]
    for same in (query.__eq__, lambda label: label.casefold() == query.casefold()):
        for named in (tokens, begun):
            if found := [entry for label, entry in named if same(label)]:
                return found
    return []


def _runs(axis: Axis, piece: str) -> list[int]:
    """Where a piece of the text begins a token and ends one: the entries that it begins."""
    written = _written(axis)
    begins = {_begin(axis, span): entry for entry, span in reversed(written)}
    ends = {(span.text, span.stop) for _, span in written}
    return [
        begins[text, found.start()]
        for text, whole in enumerate(axis.texts)
        for found in re.finditer(re.escape(piece), whole, re.IGNORECASE)
        if piece and (text, found.start()) in begins and (text, found.end()) in ends
    ]


def _written(axis: Axis) -> list[tuple[int, Span]]:
    """The entries that stand for more than blanks, with what they stand for."""
    spans = ((entry, span) for entry, span in enumerate(axis.spans) if span is not None)
    return [
        (entry, span) for entry, span in spans if not axis.texts[span.text][span.start : span.stop].isspace()
    ]


def _begin(axis: Axis, span: Span) -> tuple[int, int]:
    """The text and the place in it where a token begins, but for blanks before it."""
    covered = axis.texts[span.text][span.start : span.stop]
    return span.text, span.stop - len(covered.lstrip())

"""What a decoder wrote, word by word, beside what it looked at while it did: cross maps as alignments.

A decoder's row reads one token and writes the next. Here rows are those that write the words of the target,
labelled by the word that they write; columns are the words of the source and its special tokens. This is the
only place where rows are shifted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from attnviz.analysis.alignment import Link, links_of, pharaoh
from attnviz.analysis.average import heatmaps
from attnviz.analysis.reduce import kept, only, reduced
from attnviz.analysis.select import selected
from attnviz.analysis.words import by_words
from attnviz.captures import Axis, Capture, Floats, LayerMaps
from attnviz.errors import InputError, SelectionError
from attnviz.facts import LayerFacts
from attnviz.inputs import printable
from attnviz.recipes import Choice
from attnviz.render.views import Heatmap

CROSS = "cross"


@dataclass(frozen=True)
class Alignment:
    """One map and the links that it makes.

    heatmap: rows are the words of the target; its marked cells are the links
    weights: ``[target words, source words]``: how much of what was looked at to write a word fell on each
             word of the source; the rest fell on special tokens
    """

    heatmap: Heatmap
    weights: Floats
    links: tuple[Link, ...]

    @property
    def name(self) -> str:
        """As scripts call the map: "cross.3.5", or "cross.4.mean"."""
        return self.heatmap.name

    @property
    def pharaoh(self) -> str:
        """The links as "0-0 1-2": source-target, among the words from 0."""
        return pharaoh(self.links)


@dataclass(frozen=True)
class Aligned:
    """A source and its translation, and which words of them belong together.

    capture:      what was seen, with the maps of it
    choice:       which of them are shown
    threshold:    the least weight that makes a link by itself; None: none does
    source_words, target_words: what links are between, as they stand in the texts
    alignments:   one of each map that is shown
    hidden:       share of the weight that is on columns not shown, by why
    notes:        what a reader must know
    """

    capture: Capture
    choice: Choice
    threshold: float | None
    translation: str
    source_words: tuple[str, ...]
    target_words: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    hidden: dict[str, float]
    notes: tuple[str, ...]

    @property
    def source(self) -> str:
        """What was read."""
        return self.capture.sample.text

    @property
    def alignment(self) -> Alignment:
        """The only one. Raises SelectionError if several maps were chosen."""
        if len(self.alignments) > 1:
            raise SelectionError(
                f"{len(self.alignments)} maps make as many alignments: take them from alignments, choose one "
                "head, or average them with mean"
            )
        return self.alignments[0]

    @property
    def weights(self) -> Floats:
        """Those of the only alignment."""
        return self.alignment.weights

    @property
    def links(self) -> tuple[Link, ...]:
        """Those of the only alignment."""
        return self.alignment.links

    @property
    def pharaoh(self) -> str:
        """The only alignment as "0-0 1-2": source-target, among the words from 0."""
        return self.alignment.pharaoh


def usual(layers: Sequence[LayerFacts], best: str | None = None) -> Choice:
    """Which maps are shown where none are chosen.

    best: the head that is known to align best; else it is the mean over the heads of the last cross-attention
          but one, which was found to align best by Garg et al. 2019 (Jointly Learning to Align and Translate
          with Transformer Models), 4.2
    """
    if best is not None:
        return Choice(heads=best)
    cross = [layer.layer for layer in layers if layer.stack == CROSS and layer.heads]
    return Choice(layers=f"{CROSS}.{cross[-2:][0]}", mean="heads")


def aligned(capture: Capture, choice: Choice, threshold: float | None = None) -> Aligned:
    """The alignments that the chosen maps make of what a decoder wrote, or was made to write.

    Raises SelectionError if a map was chosen that is not there, InputError if no word was read or written.
    """
    whole = selected(capture, replace(choice, kind="cross")).maps
    _check_words(capture, whole[0])
    outcome = reduced(tuple(written(layer) for layer in whole), replace(choice, words=False))
    maps = tuple(by_words(layer) for layer in outcome.maps)
    target, source = maps[0].queries, maps[0].keys
    columns = [column for column, word in enumerate(source.words) if word >= 0]
    return Aligned(
        capture=capture,
        choice=choice,
        threshold=threshold,
        translation="".join(target.texts).strip(),
        source_words=tuple(source.labels[column] for column in columns),
        target_words=target.labels,
        alignments=tuple(_alignment(each, columns, threshold) for each in heatmaps(maps, choice.mean)),
        hidden=outcome.hidden,
        notes=(*capture.notes, *outcome.notes),
    )


def written(maps: LayerMaps) -> LayerMaps:
    """Only the rows that write a piece of a word, each under the token that is written from it.

    What is written from the last row is not there to be read, and so it is in no map.
    """
    queries, keys = worded(maps.queries), worded(maps.keys)
    writes = np.array([word >= 0 for word in queries.words[1:]] + [False], bool)
    rows = only(replace(maps, keys=keys), writes, np.ones(len(keys), bool))
    return replace(rows, queries=kept(queries, np.roll(writes, 1)))


def worded(axis: Axis) -> Axis:
    """The axis with words; where its tokenizer says of none where it stands, each token is one."""
    if any(word >= 0 for word in axis.words):
        return axis
    numbers = accumulate(not special for special in axis.special)
    words = (-1 if special else number - 1 for number, special in zip(numbers, axis.special, strict=True))
    return replace(axis, words=tuple(words))


def _check_words(capture: Capture, maps: LayerMaps) -> None:
    """Raises InputError unless there are words on both sides."""
    if all(word < 0 for word in worded(maps.queries).words):
        raise InputError(
            f"{printable(capture.model.name)} wrote no word of {capture.sample.name}: give a TARGET to be "
            "aligned with it"
        )
    if all(word < 0 for word in worded(maps.keys).words):
        raise InputError(f"{printable(capture.model.name)} attends to no words of {capture.sample.name}")


def _alignment(heatmap: Heatmap, columns: list[int], threshold: float | None) -> Alignment:
    """columns: those of the map that are words of the source"""
    weights = heatmap.weights[:, columns]
    links = links_of(weights, threshold)
    cells = tuple((link.target, columns[link.source]) for link in links)
    return Alignment(replace(heatmap, marked=cells), weights, links)

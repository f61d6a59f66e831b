"""Which ends of the relations of one text each head finds: see ``analysis.probe`` for what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from attnviz.analysis.links import Forms, Link, Links, links
from attnviz.analysis.relations import Related
from attnviz.analysis.select import check_weights
from attnviz.analysis.shares import nearest
from attnviz.analysis.words import by_words
from attnviz.captures import Axis, Booleans, Capture, Head, LayerMaps
from attnviz.errors import SelectionError
from attnviz.inputs import printable


@dataclass(frozen=True)
class Answers:
    """What the heads answered of one text.

    hits, seen, nearest: ``[links, heads]``: has found it; may see it, and another word; the nearest candidate
    that it may see is it
    """

    heads: tuple[Head, ...]
    links: tuple[Link, ...]
    lost: int
    hits: Booleans
    seen: Booleans
    nearest: Booleans


def answered(text: Related, capture: Capture, forms: Forms, lot: Random) -> Answers:
    """The answers of all heads of self-attention over the text's words.

    forms: the candidates where no category is known; lot: decides between two that are equally near
    Raises SelectionError if the capture has no such maps.
    """
    maps = [maps for maps in _word_maps(capture) if maps.queries == maps.keys]
    if not maps:
        raise SelectionError(
            f"no maps over the words of {printable(capture.sample.name)} are in its capture: relations are "
            "looked for in self-attention, by maps that were kept whole"
        )
    axes: Mapping[Axis, Links] = {axis: links(text, axis, forms) for axis in {each.keys for each in maps}}
    axis = max((each.keys for each in maps), key=lambda axis: len(axes[axis].links))  # where the text is read
    layers = [each for each in maps if each.keys == axis]
    guesses = _Guesses(axes[axis], lot)
    parts = [_layer(each, axes[axis], guesses) for each in layers]
    hits, seen, right = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
    heads = tuple(Head(each.stack, each.layer, head) for each in layers for head in each.heads)
    return Answers(heads, axes[axis].links, axes[axis].lost, hits, seen, right)


def _word_maps(capture: Capture) -> Sequence[LayerMaps]:
    """Those that were kept, else made of the whole maps; means over heads are none of a head."""
    if capture.words:
        return capture.words
    whole = [maps for maps in capture.maps if not maps.mean]
    for maps in whole:
        check_weights(maps)
    return [by_words(maps) if maps.keys.unit == "token" else maps for maps in whole]


class _Guesses:
    """Whether the nearest candidate is right, once for all layers that see alike."""

    def __init__(self, among: Links, lot: Random) -> None:
        self._among = among
        self._lot = lot
        self._known: dict[bytes, Booleans] = {}

    def right(self, seen: Booleans) -> Booleans:
        """seen: ``[links, words]`` what may be seen; returns ``[links]``."""
        name = seen.tobytes()
        if name not in self._known:
            rows = zip(self._among.links, seen, strict=True)
            self._known[name] = np.array([self._is_right(link, row) for link, row in rows], bool)
        return self._known[name]

    def _is_right(self, link: Link, seen: Booleans) -> bool:
        there = [place for place in link.candidates if seen[place]]
        return nearest(link.place, there, self._lot.random) in link.target


def _layer(maps: LayerMaps, among: Links, guesses: _Guesses) -> tuple[Booleans, Booleans, Booleans]:
    """What the heads of a layer answer: hits, seen and nearest as ``[links, heads]``."""
    looking, target = among.mask("looking"), among.mask("target")
    share = looking / np.maximum(looking.sum(1, keepdims=True), 1)
    rows = share.astype(np.float32) @ maps.weights  # [heads, links, words]
    visible = np.broadcast_to(maps.visible & maps.computed, (*_heads(maps), *maps.weights.shape[1:]))
    seen = (looking.astype(np.float32) @ visible.astype(np.float32) > 0) & among.words & ~looking
    inside, outside = (np.where(seen & part, rows, -1).max(-1, initial=-1) for part in (target, ~target))
    there = (seen & target).any(-1) & (seen & ~target).any(-1)
    hits = there & (inside > outside)
    right = guesses.right(np.logical_or.reduce(seen, axis=0))
    there = np.broadcast_to(there, hits.shape)
    return hits.T, there.T, np.broadcast_to(right[:, None], hits.T.shape)


def _heads(maps: LayerMaps) -> tuple[int]:
    """How many heads have masks of their own: 1 where all see alike."""
    mask = np.broadcast_shapes(maps.visible.shape, maps.computed.shape)
    return (mask[0] if len(mask) == 3 else 1,)

"""What differs between two captures: of one model and two texts, or of two models and one text.

Their tokens are laid side by side. How much a head changed is the Jensen-Shannon distance between its rows
(Lin 1991; Endres and Schindelin 2003), each divided by its sum over the keys that both may see: 0 for not at
all, 1 where it looks at other tokens altogether.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnviz.analysis.beside import (
    Beside,
    Places,
    beside,
    beside_by_entries,
    cut_differently,
    in_both,
    pairs_by_label,
    pairs_by_place,
    whole,
)
from attnviz.analysis.naming import wanted_heads
from attnviz.analysis.reduce import reduced, share_of
from attnviz.analysis.select import selected
from attnviz.analysis.sights import RESTRICTED, sight, told
from attnviz.analysis.similarity import divergences
from attnviz.captures import Booleans, Capture, Floats, Head, LayerMaps, Numbers
from attnviz.errors import InputError, SelectionError
from attnviz.inputs import Sample, printable
from attnviz.recipes import Choice


class Cell(NamedTuple):
    """One pair of a query and a key in both captures: their places among the pairs, and both weights."""

    query: int
    key: int
    first: float
    second: float


@dataclass(frozen=True)
class HeadChange:
    """How much one head changed.

    change: 0 to 1, the mean over the rows that both have; NaN without any
    rows:   how many that are: what sees a single key in common cannot choose, and does not count
    most:   where the weight itself changed most
    """

    head: Head
    change: float
    rows: int
    most: Cell | None


@dataclass(frozen=True)
class Difference:
    """What differs between two captures.

    layers:  of both, in the model's order, as the choice left them
    changes: of every head, the largest first
    alone:   the share of the weight of the first's common rows that lies on keys without one in the second,
             and the other way round
    one_model, one_text: whether that is the same in both
    hidden:  what the choice hid of each, as ``reduce.Reduced`` has it
    restricted: whether one may see keys that the other may not: neither changes nor differences are of these
    notes:   what a reader of any number of it must know
    """

    first: Capture = field(repr=False)
    second: Capture = field(repr=False)
    layers: tuple[Beside, ...] = field(repr=False)
    changes: tuple[HeadChange, ...] = field(repr=False)
    alone: tuple[float, float]
    one_model: bool
    one_text: bool
    hidden: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {})
    restricted: bool = False
    notes: tuple[str, ...] = ()


def difference(first: Capture, second: Capture, choice: Choice = Choice()) -> Difference:
    """What differs between two captures, of the maps that are chosen.

    Two texts are laid side by side token by token, or word by word where words are chosen. So are two models
    of one text, except that what cuts it into other tokens is compared by words.
    Raises SelectionError where the choice means other heads in the one than in the other, or maps that were
    not kept; InputError for captures that have nothing in common.
    """
    one_text = _read(first) == _read(second)
    one_model = _one_model(first, second, one_text=one_text)
    _check_one(first, second, one_model=one_model, one_text=one_text)
    _check_heads(first, second, choice)
    chosen = tuple(_whole(selected(seen, choice)) for seen in (first, second))
    notes = []
    if one_text and not choice.words and any(map(cut_differently, *(seen.maps for seen in chosen))):
        choice = replace(choice, words=True)
        notes.append("the models cut the text into other tokens: compared by words")
    one, two = (reduced(seen.maps, choice) for seen in chosen)
    if one_text and not one_model and choice.words:
        layers = _by_words(one.maps, two.maps, first.sample)
    else:
        layers = beside(one.maps, two.maps, pairs_by_place if one_text else pairs_by_label)
    _check_common(layers, first, second)
    restriction = _restriction(layers, () if one_model else (first.model.name, second.model.name))
    return Difference(
        first=first,
        second=second,
        layers=layers,
        changes=_ranked([change for layer in layers for change in changes(layer)]),
        alone=_alone(layers),
        one_model=one_model,
        one_text=one_text,
        hidden=(one.hidden, two.hidden),
        restricted=bool(restriction),
        notes=(*notes, *restriction, *_told((*first.notes, *one.notes), (*second.notes, *two.notes))),
    )


def changes(layer: Beside) -> Iterator[HeadChange]:
    """The change of each head of a layer."""
    rows, keys = in_both(layer.queries), in_both(layer.keys)
    one = _cut(layer.first.weights, rows[1], keys[1])
    two = _cut(layer.second.weights, rows[2], keys[2])
    seen = np.broadcast_to(_seen(layer, rows, keys), one.shape)
    for place, head in enumerate(layer.first.heads):
        distances = row_distance(one[place] * seen[place], two[place] * seen[place])
        counted = (seen[place].sum(-1) > 1) & ~np.isnan(distances)
        yield HeadChange(
            head=Head(layer.first.stack, layer.first.layer, head),
            change=float(distances[counted].mean()) if counted.any() else float("nan"),
            rows=int(counted.sum()),
            most=_most(one[place], two[place], seen[place], rows[0], keys[0]),
        )


def row_distance(first: Floats | Numbers, second: Floats | Numbers) -> Numbers:
    """The Jensen-Shannon distance between rows, the root of their divergence in bits.

    first, second: ``[..., rows, keys]``, not negative; each row is divided by its sum
    Returns ``[..., rows]``, 0 to 1; NaN where one of the rows has no weight.
    """
    one, two = (_normalised(np.asarray(rows, np.float64)) for rows in (first, second))
    return np.asarray(np.sqrt(np.minimum(divergences(one, two), 1)))


def _one_model(first: Capture, second: Capture, *, one_text: bool) -> bool:
    """Whether one model read both. Of weights that came without their model: if they are of two texts."""
    same = first.model.fingerprint == second.model.fingerprint
    known = bool(first.model.fingerprint) or first.model.name == second.model.name
    return same and (known or not one_text)


def _check_one(first: Capture, second: Capture, *, one_model: bool, one_text: bool) -> None:
    """Raises InputError where both model and text differ, and where nobody can know what was read."""
    if one_model and one_text:
        return
    if not one_model and not one_text:
        raise InputError(
            f"{first.model.name} and {second.model.name} read different texts: give two texts of one model, "
            "or one text of two models"
        )
    for seen in (first, second):
        if not seen.sample.text:
            raise InputError(
                f"the text of {seen.sample.name} was not kept, so its tokens cannot be laid beside those of "
                "another: capture it again without --no-text"
            )


def _check_heads(first: Capture, second: Capture, choice: Choice) -> None:
    """Raises SelectionError unless the choice means the same heads in both."""
    one, two = (wanted_heads(seen.model.layers, choice) for seen in (first, second))
    if one != two:
        raise SelectionError(
            f"{first.model.name} and {second.model.name} have other layers and heads: choose heads that both "
            "have, such as -H 3.5, or find what matches what with attnviz compare"
        )


def _whole(seen: Capture) -> Capture:
    """Raises SelectionError for pooled maps."""
    if any(axis.unit == "group" for maps in seen.maps for axis in (maps.queries, maps.keys)):
        raise SelectionError(
            f"of {seen.sample.name} pooled maps alone were kept, and tokens in groups cannot be laid side by "
            "side: capture it again with --keep all, or with the heads to be compared"
        )
    return seen


def _read(seen: Capture) -> tuple[object, ...]:
    """What was read. Of a text that was not kept the notes have the digest."""
    sample = seen.sample
    unkept = () if sample.text else tuple(note for note in seen.notes if "sha256" in note)
    return (sample.text, sample.pair, sample.chat, *unkept)


def _by_words(first: Sequence[LayerMaps], second: Sequence[LayerMaps], sample: Sample) -> tuple[Beside, ...]:
    """Raises InputError where nobody can know which words of the two models are the same."""
    try:
        return beside_by_entries(first, second, sample)
    except ValueError as error:
        raise InputError(f"no difference of {printable(sample.name)}: {error}") from error


def _check_common(layers: Sequence[Beside], first: Capture, second: Capture) -> None:
    """Raises InputError where nothing but special tokens is the same in both."""
    if not any(layer.common_text for layer in layers):
        unit = layers[0].first.keys.unit
        raise InputError(
            f"{first.sample.name} and {second.sample.name} have no {unit} in common: give texts that "
            "differ in a few words"
        )


def _told(first: Sequence[str], second: Sequence[str]) -> Iterator[str]:
    """The notes of both; those that only one has, with which."""
    yield from (note for note in dict.fromkeys(first) if note in second)
    yield from (f"first: {note}" for note in dict.fromkeys(first) if note not in second)
    yield from (f"second: {note}" for note in dict.fromkeys(second) if note not in first)


def _ranked(found: list[HeadChange]) -> tuple[HeadChange, ...]:
    return tuple(sorted(found, key=lambda change: -np.nan_to_num(change.change, nan=-1)))


def _cut(array: NDArray[Any], rows: Places, keys: Places) -> Any:
    return array[:, rows][:, :, keys]


def _seen(layer: Beside, rows: Sequence[Places], keys: Sequence[Places]) -> Booleans:
    """``[heads or 1, rows, keys]``: what can be seen, and was computed, in both."""
    one, two = (
        _cut(whole(maps.visible, maps) & whole(maps.computed, maps), rows[side], keys[side])
        for side, maps in ((1, layer.first), (2, layer.second))
    )
    return np.asarray(one & two)


def _restriction(layers: Sequence[Beside], names: Sequence[str]) -> tuple[str, ...]:
    """What is said where one may see keys that the other may not: of two models which of them."""
    seen = [_sights(layer) for layer in layers]
    if not any((one != two).any() for one, two in seen):
        return ()
    sights = [
        {sight(mask, alike=layer.queries == layer.keys) for layer, both in zip(layers, seen, strict=True)
         for mask in both[side]}
        for side in (0, 1)
    ]  # fmt: skip
    whose = f": {told(names, sights)}" if names else ""
    return (f"{RESTRICTED}{whose}; changes are of rows rescaled to these, maps show the weights as they are",)


def _sights(layer: Beside) -> list[Booleans]:
    """What common rows may see of common keys in the first and the second: ``[heads or 1, rows, keys]``."""
    rows, keys = in_both(layer.queries), in_both(layer.keys)
    return [
        _cut(whole(maps.visible, maps), rows[side], keys[side])
        for side, maps in ((1, layer.first), (2, layer.second))
    ]


def _most(first: Floats, second: Floats, seen: Booleans, queries: Places, keys: Places) -> Cell | None:
    """The cell of the common rows and keys, among those seen in both, whose weight changed most."""
    if not seen.any():
        return None
    apart = np.where(seen, np.abs(second - first), -1)
    row, key = np.unravel_index(apart.argmax(), apart.shape)
    return Cell(int(queries[row]), int(keys[key]), float(first[row, key]), float(second[row, key]))


def _normalised(rows: Numbers) -> Numbers:
    sums = rows.sum(-1, keepdims=True)
    return np.asarray(np.divide(rows, sums, out=np.full_like(rows, np.nan), where=sums > 0))


def _alone(layers: Sequence[Beside]) -> tuple[float, float]:
    sums = np.array([_sums(layer) for layer in layers]).sum(0)  # [first or second, common or whole]
    first, second = (share_of(whole - common, whole) for common, whole in sums)
    return first, second


def _sums(layer: Beside) -> list[list[float]]:
    """Of the first and of the second: the weight of the common rows, on common keys and on all."""
    rows, keys = in_both(layer.queries), in_both(layer.keys)
    return [
        [float(part.sum(dtype=np.float64)) for part in (maps.weights[:, rows[side]][:, :, keys[side]],
                                                        maps.weights[:, rows[side]])]
        for side, maps in ((1, layer.first), (2, layer.second))
    ]  # fmt: skip

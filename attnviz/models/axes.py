"""What the rows and columns of a model's maps stand for, stack by stack."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from attnviz.captures import Axis, numbered
from attnviz.errors import InputError
from attnviz.inputs import printable
from attnviz.models.census import Census
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.sides import Over
from attnviz.models.spelling import spelled

Axes = dict[str, tuple[Axis, Axis]]
Known = tuple[int | None, Axis] | None
"""The tokens of one side: how many the model was looked over with, and what stands there now."""


def stack_axes(census: Census, read: Axis | None, written: Axis | None = None) -> Axes:
    """The axes of each stack, and of single layers whose axes are others.

    What is over the tokens of a side, and as long as these were when the model was looked over, has their
    axis; the places of all else are numbered.
    """
    axes: Axes = {}
    behind = None if read is None else (census.reads, read)
    ahead = None if written is None else (census.writes, written)
    known: dict[Over, Known] = {"read": behind, "written": ahead, None: None}
    for met, facts in zip(census.met, census.facts, strict=True):
        queries, keys = census.over[facts]
        pair = _axis(known[queries], met.queries), _axis(known[keys], met.keys)
        if axes.setdefault(facts.stack, pair) != pair:
            axes[facts.name] = pair
    return axes


def _axis(known: Known, length: int) -> Axis:
    return known[1] if known is not None and known[0] == length else numbered(length)


def id_axis(ids: Tensor | range, tokenizer: Any, labels: Sequence[str] | None) -> Axis:
    """The axis of tokens made elsewhere, without padding; places, where they have no numbers.

    labels: what to call them; else the tokenizer's own pieces, else their numbers
    Raises InputError if there are not as many labels as tokens.
    """
    count = len(ids)
    if labels is not None and len(labels) != count:
        raise InputError(f"{len(labels)} labels for {count} tokens: give one for each, none for padding")
    if isinstance(ids, range):
        axis = numbered(count)
    else:
        numbers = [int(number) for number in ids]
        axis = token_axis(bare(numbers) if tokenizer is None else _read_back(numbers, tokenizer))
    return axis if labels is None else replace(axis, labels=tuple(printable(str(each)) for each in labels))


def bare(numbers: Sequence[int]) -> Tokens:
    """Tokens of which only the numbers are known."""
    count = len(numbers)
    return Tokens(
        ids=numbers,
        pieces=[str(number) for number in numbers],
        spans=[None] * count,
        special=[False] * count,
        segments=[0] * count,
        texts=(),
    )


def _read_back(numbers: Sequence[int], tokenizer: Any) -> Tokens:
    """Tokens with the text that they spell, as if it had been cut by their tokenizer."""
    own = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    special = [number in own for number in numbers]
    named = tokenizer.convert_ids_to_tokens(numbers)
    text, spans = spelled(numbers, special, tokenizer)
    return Tokens(
        ids=numbers,
        pieces=[  # a vocabulary may be larger than its tokenizer knows
            str(number) if piece is None else str(piece) for number, piece in zip(numbers, named, strict=True)
        ],
        spans=spans,
        special=special,
        segments=[0] * len(numbers),
        texts=(text,),
        unknown=tokenizer.unk_token,
        bytes=True,
    )


def prepared_axes(
    tensors: Mapping[str, Any], places: Mapping[str, range], tokenizer: Any, labels: Sequence[str] | None
) -> dict[str, Axis]:
    """The axes of what is read and written, by the names of their tensors.

    Raises InputError if there are not as many labels as tokens that are read.
    """
    return {
        name: id_axis(_ids(tensors.get(name), place), tokenizer, labels if name == "input_ids" else None)
        for name, place in places.items()
    }


def _ids(ids: Any, place: range) -> Tensor | range:
    """The tokens of a row by their numbers; where one is several numbers, or none, by their places."""
    if isinstance(ids, Tensor) and ids.ndim == 2:
        return ids[0, place.start : place.stop]
    return range(len(place))

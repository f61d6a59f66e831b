"""Parts of a text and special tokens left out of maps, and the weight that this hides.

Applied after the run, on whole maps: what the model read does not change.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from attnviz.analysis.words import by_words
from attnviz.captures import Axis, Booleans, Floats, LayerMaps
from attnviz.errors import SelectionError, UsageError
from attnviz.recipes import Choice

SHARE_DIGITS = 5
"""Of a share of weight, behind the point: further ones differ with what a text was read together with."""

SPECIAL_WAYS = ("show", "hide", "renorm", "hide:first", "renorm:first")

_TOKENS = re.compile(r"(?P<start>-?\d+)?:(?P<stop>-?\d+)?")


@dataclass(frozen=True)
class Reduced:
    """Maps after the choice.

    hidden: share of the shown rows' weight that lies on keys not shown, by why: {"special": 0.62}; of what
            an earlier choice left
    notes:  the same for the reader
    """

    maps: tuple[LayerMaps, ...]
    hidden: dict[str, float]
    notes: tuple[str, ...]


def check(choice: Choice) -> None:
    """Raises UsageError if the choice cannot be understood, whatever the text."""
    if choice.special not in SPECIAL_WAYS:
        raise UsageError(f"--special {choice.special!r} is none of {', '.join(SPECIAL_WAYS)}")
    if choice.tokens is not None and not _TOKENS.fullmatch(choice.tokens):
        raise UsageError(f"--tokens {choice.tokens!r} is no range: write 0:40, 10: or :-1")


def reduced(maps: tuple[LayerMaps, ...], choice: Choice) -> Reduced:
    """The maps with tokens, special tokens and words as chosen, in this order.

    Raises UsageError as ``check`` does, SelectionError if nothing would be left.
    """
    check(choice)
    if (choice.tokens or choice.special != "show" or choice.words) and _grouped(maps):
        raise SelectionError(
            "these maps were pooled while the model ran: --tokens, --special and --words need whole ones; "
            "capture with the same choice"
        )
    hidden: dict[str, float] = {}
    notes: list[str] = []
    if choice.tokens is not None:
        maps, hidden["tokens"] = _left_out(
            maps, lambda axis: _in_range(axis, choice.tokens or ":"), rescale=False
        )
        notes.append(
            f"tokens {choice.tokens}; {percent(hidden['tokens'])} of their weight lies on others, not shown"
            if hidden["tokens"]
            else f"tokens {choice.tokens}: none of their weight lies on others"
        )
    way, _, first = choice.special.partition(":")
    if way != "show":
        what = _first if first else _special
        labels = sorted({label for layer in maps for label in compress(layer.keys.labels, what(layer.keys))})
        maps, hidden["special"] = _left_out(maps, lambda axis: ~what(axis), rescale=way == "renorm")
        notes.append(_special_note(labels, hidden["special"], choice))
    if choice.words:
        maps = tuple(by_words(layer) for layer in maps)
        notes.append("sub-tokens put together to words: sum over keys, mean over queries")
    return Reduced(maps, hidden, tuple(notes))


def _grouped(maps: tuple[LayerMaps, ...]) -> bool:
    return any(axis.unit == "group" for layer in maps for axis in (layer.queries, layer.keys))


def _left_out(
    maps: tuple[LayerMaps, ...], keeps: Callable[[Axis], Booleans], *, rescale: bool
) -> tuple[tuple[LayerMaps, ...], float]:
    """The maps with only the kept entries of both axes, and the share of the kept rows' weight hidden."""
    pairs = [_without(layer, keeps(layer.queries), keeps(layer.keys), rescale=rescale) for layer in maps]
    left, whole = (sum(sums[side] for _, sums in pairs) for side in (0, 1))
    return tuple(layer for layer, _ in pairs), share_of(left, whole)


def share_of(part: float, whole: float) -> float:
    """The share of weight, of none 0, in as many digits as are the same alone and in a batch."""
    return round(float(part) / float(whole), SHARE_DIGITS) + 0.0 if whole else 0.0  # -0 is written as 0


def _without(
    layer: LayerMaps, queries: Booleans, keys: Booleans, *, rescale: bool
) -> tuple[LayerMaps, tuple[float, float]]:
    """The maps cut to the kept entries, and the sums of the kept rows' weights (on other keys, whole)."""
    if not (queries.any() and keys.any()):
        raise SelectionError(f"nothing is left of layer {layer.name}: all of its tokens would be hidden")
    rows = layer.weights[:, queries]
    left, whole = (float(part.sum(dtype=np.float64)) for part in (rows[:, :, ~keys], rows))
    cut = only(layer, queries, keys)
    return replace(cut, weights=_rescaled(cut.weights)) if rescale else cut, (left, whole)


def only(layer: LayerMaps, queries: Booleans, keys: Booleans) -> LayerMaps:
    """The maps of these queries and keys alone: ``[queries]`` and ``[keys]``, True for what is kept."""
    return replace(
        layer,
        weights=layer.weights[:, queries][:, :, keys],
        visible=_cut(layer.visible, queries, keys),
        computed=_cut(layer.computed, queries, keys),
        queries=kept(layer.queries, queries),
        keys=kept(layer.keys, keys),
    )


def _rescaled(weights: Floats) -> Floats:
    """Rows divided by their sums; rows of zeros stay zeros."""
    sums = weights.sum(-1, keepdims=True)
    scaled: Floats = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    return scaled


def _cut(mask: Booleans, queries: Booleans, keys: Booleans) -> Booleans:
    whole = np.broadcast_to(mask, (*mask.shape[:-2], len(queries), len(keys)))
    return whole[..., queries, :][..., keys]


def kept(axis: Axis, keep: Booleans) -> Axis:
    """The axis of the entries to be kept: ``[entries]``."""
    return replace(
        axis,
        labels=tuple(compress(axis.labels, keep)),
        positions=tuple(compress(axis.positions, keep)),
        spans=tuple(compress(axis.spans, keep)),
        words=tuple(compress(axis.words, keep)),
        special=tuple(compress(axis.special, keep)),
        ids=tuple(compress(axis.ids, keep)),
        masks=tuple(compress(axis.masks, keep)),
        grid=axis.grid if keep.all() else None,
    )


def _in_range(axis: Axis, tokens: str) -> Booleans:
    match = _TOKENS.fullmatch(tokens)
    assert match  # checked before
    start, stop = (int(match[side]) if match[side] else None for side in ("start", "stop"))
    keep = np.zeros(len(axis), bool)
    keep[start:stop] = True
    if not keep.any():
        raise SelectionError(f"--tokens {tokens} leaves none of the {len(axis)} tokens: they count from 0")
    return keep


def _special(axis: Axis) -> Booleans:
    return np.array(axis.special, bool)


def _first(axis: Axis) -> Booleans:
    return np.array([position == 0 for position in axis.positions], bool)


def _special_note(labels: list[str], share: float, choice: Choice) -> str:
    way, _, first = choice.special.partition(":")
    if not labels:
        return "the first token is not among these" if first else "there are no special tokens to hide"
    whole = "the weight left" if choice.tokens else "the weight"
    note = f"{percent(share)} of {whole} lies on {', '.join(labels)}, not shown"
    return note + ("; rows rescaled to sum to 1" if way == "renorm" else "")


def percent(share: float) -> str:
    """ "62 %", "0.3 %", "under 0.1 %"."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{share:.1%}".replace("%", " %") if share < 0.1 else f"{share:.0%}".replace("%", " %")

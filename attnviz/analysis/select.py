"""A capture with only those of its maps that a choice means."""

from collections.abc import Sequence
from dataclasses import replace

from attnviz.analysis.naming import Wanted, wanted_heads
from attnviz.captures import Capture, LayerMaps, Layers
from attnviz.errors import InputError, SelectionError
from attnviz.recipes import Choice

MOST = 1.05  # of a weight: a softmax in half precision is off by a little


def selected(capture: Capture, choice: Choice) -> Capture:
    """The capture with only the chosen maps in it: the whole ones, or if some were not kept the pooled ones.

    Raises SelectionError if a map was chosen that was kept neither way.
    """
    wanted = wanted_heads(capture.model.layers, choice)
    missing, kept = _fuller(wanted, capture)
    if missing:
        raise _not_kept(missing, kept)
    return _with_maps(capture, wanted, kept)


def at_hand(capture: Capture, choice: Choice) -> Capture:
    """As ``selected``, but without a choice of maps those that were kept will do: a note says which.

    Raises SelectionError if a map was chosen that was kept neither way, or none was kept.
    """
    wanted = wanted_heads(capture.model.layers, choice)
    missing, kept = _fuller(wanted, capture)
    there = _without(wanted, missing)
    if choice.maps or not missing or not there:
        return selected(capture, choice)
    note = f"only maps of {_shortened(_names(there))} were kept"
    return _with_maps(replace(capture, notes=(*capture.notes, note)), there, kept)


def _with_maps(capture: Capture, wanted: Wanted, kept: Layers) -> Capture:
    layers = {maps.name: maps for maps in kept}
    return replace(capture, maps=Layers(_picked(layers[name], heads) for name, heads in wanted.items()))


def _names(heads: Wanted) -> list[str]:
    return [f"{name}.{head}" for name, numbers in heads.items() for head in numbers]


def _missing(wanted: Wanted, kept: Layers) -> list[str]:
    """The names of the heads that are wanted and were not kept."""
    there = set(_names({maps.name: maps.heads for maps in kept}))
    return [name for name in _names(wanted) if name not in there]


def _without(wanted: Wanted, missing: Sequence[str]) -> Wanted:
    """The heads that are wanted and are not missing."""
    gone = set(missing)
    left = {
        name: tuple(head for head in heads if f"{name}.{head}" not in gone) for name, heads in wanted.items()
    }
    return {name: heads for name, heads in left.items() if heads}


def _fuller(wanted: Wanted, capture: Capture) -> tuple[list[str], Layers]:
    """Of whole and pooled maps those that hold more of what is wanted, after the names of what they lack."""
    return min(
        ((_missing(wanted, maps), maps) for maps in (capture.maps, capture.pooled)),
        key=lambda found: (len(found[0]), not found[1]),
    )


def _not_kept(missing: Sequence[str], kept: Layers) -> SelectionError:
    """What to say where neither whole nor pooled maps hold all that is chosen."""
    there = [f"{layer.name}.{head}" for layer in kept for head in layer.heads]
    if not there:
        return SelectionError(
            f"no map of head {missing[0]} was kept, nor of any other: capture it again, with --keep all"
        )
    return SelectionError(
        f"no map of head {missing[0]} was kept, but of {_shortened(there)}: choose of these with "
        "-H, or keep more with attnviz capture --keep all"
    )


def _picked(maps: LayerMaps, heads: tuple[int, ...]) -> LayerMaps:
    check_weights(maps)
    if heads == maps.heads:
        return maps
    places = [maps.heads.index(head) for head in heads]
    visible, computed = (
        mask if mask.ndim < 3 or mask.shape[0] == 1 else mask[places]
        for mask in (maps.visible, maps.computed)
    )
    return replace(maps, heads=heads, weights=maps.weights[places], visible=visible, computed=computed)


def check_weights(maps: LayerMaps) -> None:
    """Raises InputError for what cannot be attention weights: those of a file are first read here."""
    for head, weights in zip(maps.heads, maps.weights, strict=False):
        low, high = weights.min(initial=0), weights.max(initial=0)
        if not 0 <= low <= high <= MOST:  # nor is NaN
            raise InputError(
                f"the weights of head {maps.name}.{head} are no attention: they lie between {low:g} and "
                f"{high:g}, and should between 0 and 1"
            )


def _shortened(names: Sequence[str]) -> str:
    few = ", ".join(names[:8]) or "none"
    return f"{few}, ..." if len(names) > 8 else few

"""Maps as they are shown: one a head, or means over heads, layers or both."""

from collections.abc import Iterable, Sequence

import numpy as np

from attnviz.captures import Booleans, LayerMaps
from attnviz.errors import SelectionError
from attnviz.facts import head_name
from attnviz.recipes import Mean
from attnviz.render.views import Heatmap

_Part = tuple[LayerMaps, int]  # a layer, and the place of a head in it


def heatmaps(layers: Sequence[LayerMaps], mean: Mean | None = None) -> tuple[Heatmap, ...]:
    """One map a head, or the means asked for: "heads" one map a layer, "layers" one a head, "all" one.

    A pair that some of the averaged heads may not see counts as 0 for them.
    Raises SelectionError if maps with different tokens would be averaged.
    """
    parts = [(layer, place) for layer in layers for place in range(len(layer.heads))]
    if mean is None:
        return tuple(_single(part) for part in parts)
    return tuple(_mean(group, mean) for group in _groups(parts, mean))


def _groups(parts: list[_Part], mean: Mean) -> Iterable[list[_Part]]:
    groups: dict[object, list[_Part]] = {}
    for layer, place in parts:
        key = {"heads": layer.name, "layers": (layer.stack, layer.heads[place]), "all": layer.stack}[mean]
        groups.setdefault(key, []).append((layer, place))
    return groups.values()


def _single(part: _Part) -> Heatmap:
    layer, place = part
    head = layer.heads[place]
    stack = f"{layer.stack} " if layer.stack else ""
    return Heatmap(
        name=head_name(layer.stack, layer.layer, head),
        title=f"{stack}layer {layer.layer}, head {head}",
        weights=layer.weights[place],
        visible=_of(layer.visible, part),
        computed=_of(layer.computed, part),
        query_labels=layer.queries.labels,
        key_labels=layer.keys.labels,
        query_positions=layer.queries.positions,
        key_positions=layer.keys.positions,
        unit=layer.queries.unit,
    )


def _mean(parts: list[_Part], mean: Mean) -> Heatmap:
    first = parts[0][0]
    shape = (first.queries.labels, first.keys.labels)
    if any((layer.queries.labels, layer.keys.labels) != shape for layer, _ in parts):
        names = ", ".join(dict.fromkeys(layer.name for layer, _ in parts))
        raise SelectionError(
            f"no mean over layers {names}: they attend over different tokens; choose with -l"
        )
    name, title = _named(parts, mean)
    return Heatmap(
        name=name,
        title=title,
        weights=np.mean([layer.weights[place] for layer, place in parts], axis=0, dtype=np.float32),
        visible=np.any([_of(part[0].visible, part) for part in parts], axis=0),
        computed=np.any([_of(part[0].computed, part) for part in parts], axis=0),
        query_labels=first.queries.labels,
        key_labels=first.keys.labels,
        query_positions=first.queries.positions,
        key_positions=first.keys.positions,
        unit=first.queries.unit,
    )


def _of(mask: Booleans, part: _Part) -> Booleans:
    layer, place = part
    whole: Booleans = np.broadcast_to(mask, layer.weights.shape)[place]
    return whole


def _named(parts: list[_Part], mean: Mean) -> tuple[str, str]:
    layers = list(dict.fromkeys(layer.layer for layer, _ in parts))
    heads = sorted({layer.heads[place] for layer, place in parts})
    stack = parts[0][0].stack
    dot, space = (f"{stack}.", f"{stack} ") if stack else ("", "")
    if mean == "heads":
        return f"{dot}{layers[0]}.mean", f"{space}layer {layers[0]}, mean over {_listed('head', heads)}"
    if mean == "layers":
        return f"{dot}mean.{heads[0]}", f"{space}head {heads[0]}, mean over {_listed('layer', layers)}"
    if len(parts) < len(layers) * len(heads):
        exact = ", ".join(f"{layer.layer}.{layer.heads[place]}" for layer, place in parts)
        return f"{dot}mean", f"{space}mean over heads {exact}"
    return f"{dot}mean", f"{space}mean over {_listed('layer', layers)} and {_listed('head', heads)}"


def _listed(noun: str, numbers: list[int]) -> str:
    """ "head 3", "heads 0-11", "heads 0-3,5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text = ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"{noun}{'' if len(numbers) == 1 else 's'} {text}"

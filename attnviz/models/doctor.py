"""Whether a model is captured exactly: its weights against its own, and whether they are those that it uses.

Three things are looked at in every layer. The weights are compared with those that the model's own eager
attention returns. The rows are summed up. And the model runs once more with the softmax of that attention
replaced by one that weighs all it sees alike: if the output stays the same, these weights were never used.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from attnviz.captures import Capture, Floats, LayerMaps
from attnviz.facts import LayerFacts
from attnviz.models.diagnosis import Diagnosis, LayerReport, Needs
from attnviz.models.opened import Opened, Site
from attnviz.models.routes.frames import Frame, Frames


def examined(
    opened: Opened,
    seen: Capture,
    sums: Mapping[str, float],
    *,
    needs: tuple[Needs, ...] = (),
    unread: tuple[str, ...] = (),
) -> Diagnosis:
    """What is found out about a model.

    seen, sums: all maps of all layers, and how far from 1 their rows sum, from the same sample
    needs, unread: what longer texts take, and why others cannot be read
    """
    undisturbed = _numbers(opened.call())
    return Diagnosis(
        model=seen.model,
        sample=seen.sample,
        tokens=max((len(axis) for pair in seen.axes.values() for axis in pair), default=0),
        reference=opened.reference if opened.own else "",
        layers=tuple(
            _report(layer, opened, seen, sums=sums, undisturbed=undisturbed) for layer in seen.model.layers
        ),
        needs=needs,
        unread=unread,
    )


def _report(
    layer: LayerFacts, opened: Opened, seen: Capture, *, sums: Mapping[str, float], undisturbed: Tensor | None
) -> LayerReport:
    maps = next((maps for maps in seen.maps if maps.name == layer.name), None)
    site = opened.sites.get(layer.name)
    if maps is None:
        return LayerReport(layer)
    return LayerReport(
        layer,
        difference=_difference(maps, opened.own),
        sums=sums.get(layer.name),
        disturbed=_disturbed(opened, site, undisturbed) if site is not None and _chooses(maps) else None,
    )


def _difference(maps: LayerMaps, own: Mapping[str, Tensor]) -> float | None:
    """The largest one to the model's own weights, in rows that see anything."""
    theirs = own.get(maps.name)
    if theirs is None or tuple(theirs.shape) != maps.weights.shape:
        return None
    apart: Floats = np.abs(maps.weights - theirs.float().cpu().numpy())
    return float(np.where(_sees(maps), apart, 0).max())


def _sees(maps: LayerMaps) -> Any:
    """Which rows see anything: ``[heads or 1, queries, 1]``."""
    return np.broadcast_to(maps.visible, (*maps.visible.shape[:-1], len(maps.keys))).any(-1, keepdims=True)


# Disturbing


def _chooses(maps: LayerMaps) -> bool:
    """Whether some row sees more than one key: else there is nothing to be disturbed."""
    return bool(np.any(maps.visible.sum(-1) > 1)) or (maps.visible.shape[-1] == 1 < len(maps.keys))


def _disturbed(opened: Opened, site: Site, undisturbed: Tensor | None) -> float | None:
    """How much the output changes, of its largest number; None if nothing was there to be disturbed."""
    frames = Frames(opened.model)
    alike = Alike(frames, site)
    with frames.open(), alike:
        output = _numbers(opened.call())
    if not alike.done or output is None or undisturbed is None:
        return None
    return float((output - undisturbed).abs().max() / undisturbed.abs().max().clamp(min=1e-30))


class Alike(TorchFunctionMode):
    """Inside one attention of a model, whatever is seen is weighed alike.

    done: whether that came about
    """

    def __init__(self, frames: Frames, site: Site) -> None:
        super().__init__()
        self._frames = frames
        self._site = site
        self._passed = -1
        self._last: Frame | None = None
        self.done = False

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        options = dict(kwargs or {})
        if func in SOFTMAX and self._is_here():
            self.done = True
            return _alike(func(*args, **options))
        if func is functional.scaled_dot_product_attention and self._is_here():
            self.done = True
            return func(*_without_query(args), **options)
        return func(*args, **options)

    def _is_here(self) -> bool:
        """Whether the attention that is running is the one, counting how often its module has run."""
        frame = next((frame for frame in self._frames.running if frame.path == self._site.path), None)
        if frame is not None and frame is not self._last:
            self._last, self._passed = frame, self._passed + 1
        return frame is not None and self._passed == self._site.nth


SOFTMAX = (torch.softmax, Tensor.softmax, functional.softmax)


def _alike(weights: Tensor) -> Tensor:
    seen = (weights > 0).to(weights)
    return seen / seen.sum(-1, keepdim=True).clamp(min=1)


def _without_query(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A query of zeros fits all keys alike."""
    query, *others = args
    return torch.zeros_like(query), *others


def _numbers(output: Any) -> Tensor | None:
    """The first numbers of what a model returns: its scores, or its last hidden states."""
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() else None
    entries = (
        output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else ()
    )
    found = (_numbers(entry) for entry in entries)
    return next((numbers for numbers in found if numbers is not None), None)

"""The tap on a running model: its attention layers are listened to while it computes as always.

transformers finds the function of an attention layer by ``AttentionInterface.get_interface(name, eager)``,
where ``eager`` is the model's own function that also returns weights. While any run is tapped, another one
stands in its place. In a thread with a run of its own it answers with a function that takes the weights of
the wanted heads (see ``tiling``) and lets the model's own do its work, unless that came out on the way. In
every other thread, and for modules that belong to no run, the answer is what it always was.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface

from attnviz.captures import LayerFacts
from attnviz.errors import ModelError
from attnviz.models.calls import AttentionCall, Eager, Place
from attnviz.models.scratch import Scratch
from attnviz.models.tiling import tiles, tiles_and_output
from attnviz.observe.tiles import Tile, Watch

Attention = Callable[..., tuple[Tensor, Tensor | None]]


class Run:
    """One pass of a model that somebody watches.

    model:  its modules are the ones listened to
    layers: what the configuration says there is; those with heads must all come by, in their order
    places: where each sample's tokens lie in the batch
    watches: who looks at each sample
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[LayerFacts],
        places: Sequence[Place],
        watches: Sequence[Watch],
    ) -> None:
        self._name = type(model).__name__
        self._modules = frozenset(id(module) for module in model.modules())
        self._layers = {layer.layer: layer for layer in layers if layer.heads}
        self._places = places
        self._watches = watches
        self._seen: list[int] = []
        self._scratch = Scratch()

    def owns(self, module: nn.Module) -> bool:
        return id(module) in self._modules

    def take(self, call: AttentionCall, *, output: bool) -> Tensor | None:
        """Hand on the weights of one layer, as far as they are wanted.

        output: the layer's output may come from the same pass
        Returns ``[batch, queries, heads, value_dim]`` if it did.
        """
        layer = self._layer(call)
        wanted = [watch.wanted(layer) for watch in self._watches]
        if output and wanted == [range(call.heads)]:
            both = tiles_and_output(call, layer, self._places[0], self._scratch)
            if both is not None:
                self._hand_over(both[0], self._watches[0])
                return both[1]
        for heads, place, watch in zip(wanted, self._places, self._watches, strict=True):
            if heads:
                self._hand_over(tiles(call, layer, heads, place), watch)
        return None

    @staticmethod
    def _hand_over(tiles: Iterable[Tile], watch: Watch) -> None:
        for tile in tiles:
            watch.see(tile)

    def _layer(self, call: AttentionCall) -> LayerFacts:
        """Which layer is calling: the module's own number where numbers rise, else the next one.

        (They do not rise where one module is all layers, as in ALBERT; DistilBERT has none.)
        """
        last = self._seen[-1] if self._seen else -1
        own = getattr(call.module, "layer_idx", None)
        number = own if isinstance(own, int) and own > last else last + 1
        self._seen.append(number)
        layer = self._layers.get(number)
        if layer is None or layer.heads != call.heads:
            raise ModelError(
                f"layer {number} ({type(call.module).__name__}) has {call.heads} heads, the configuration "
                f"{layer.heads if layer else 'no such layer'}: this model cannot be captured exactly"
            )
        return layer

    def check_complete(self) -> None:
        """Raises ModelError unless every layer with attention came by once."""
        if self._seen != list(self._layers):
            raise ModelError(
                f"{len(self._seen)} of {len(self._layers)} layers of this {self._name} came through "
                "transformers' attention interface: it cannot be captured exactly yet"
            )


class _Runs(threading.local):
    """The runs that the present thread is inside of, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[Run] = []


_runs = _Runs()
_lock = threading.Lock()
_tapped = 0  # runs in all threads
_look_up = AttentionInterface.get_interface


@contextmanager
def tapped(run: Run) -> Iterator[None]:
    """Listen to what the present thread does inside the block.

    Raises ModelError at the end if not every layer came by.
    """
    _install()
    _runs.stack.append(run)
    try:
        yield
        run.check_complete()
    finally:
        _runs.stack.remove(run)
        _restore()


def _install() -> None:
    global _tapped, _look_up  # noqa: PLW0603 - what is replaced belongs to the process, not to an object
    with _lock:
        if not _tapped:
            _look_up = AttentionInterface.get_interface
            AttentionInterface.get_interface = _get_interface
        _tapped += 1


def _restore() -> None:
    global _tapped  # noqa: PLW0603
    with _lock:
        _tapped -= 1
        if not _tapped:
            AttentionInterface.get_interface = _look_up


def _get_interface(self: AttentionInterface, attn_implementation: str, default: Eager) -> Attention:
    """Stands in for ``AttentionInterface.get_interface`` while a run is tapped."""
    own: Attention = _look_up(self, attn_implementation, default)
    return _listening(own, default) if _runs.stack else own


def _listening(own: Attention, eager: Eager) -> Attention:
    """The model's own attention function, its calls handed to the run that owns the module."""

    def attention(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        **options: Any,
    ) -> tuple[Tensor, Tensor | None]:
        run = next((run for run in reversed(_runs.stack) if run.owns(module)), None)
        if run is not None:
            causal = own is not eager and _is_causal(module, query, attention_mask, options)
            said = {name: value for name, value in options.items() if name != "is_causal"}
            call = AttentionCall(module, eager, query, key, value, attention_mask, causal, said)
            output = run.take(call, output=own is not eager)
            if output is not None:
                return output, None
        return own(module, query, key, value, attention_mask, **options)

    return attention


def _is_causal(module: nn.Module, query: Tensor, mask: Tensor | None, options: dict[str, Any]) -> bool:
    """Whether transformers' sdpa takes the missing mask for a causal one (its own rule, word for word)."""
    flag = options.get("is_causal")
    flag = flag if flag is not None else getattr(module, "is_causal", True)
    return query.shape[2] > 1 and mask is None and bool(flag)

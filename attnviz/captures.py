"""What was seen of one sample: the record that everything after the model's run works on. No torch."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attnviz.errors import SelectionError
from attnviz.inputs import Sample, Span

Floats = NDArray[np.float32]
Booleans = NDArray[np.bool_]
Unit = Literal["token", "word", "group"]


@dataclass(frozen=True)
class Axis:
    """One side of a map: what its rows (queries) or columns (keys) stand for, in order.

    labels:    as a person reads them: ``+ing`` continues a word, ``<E4 BD>`` are bytes of no whole
               character; harmless to print (see ``inputs.printable``)
    positions: where each one starts in the model's own sequence, in tokens from 0
    spans:     the characters it stands for; None for tokens of the model's own (``[CLS]``)
    words:     number of the word that it belongs to; -1 for tokens of the model's own
    special:   whether it is one of the model's special tokens
    ids:       token ids; empty once tokens have been put together
    texts:     what the spans point into
    unit:      what one entry is; a group is several neighbours put together to fit a picture
    """

    labels: tuple[str, ...]
    positions: tuple[int, ...]
    spans: tuple[Span | None, ...]
    words: tuple[int, ...]
    special: tuple[bool, ...]
    ids: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    unit: Unit = "token"

    def __post_init__(self) -> None:
        for name in ("positions", "spans", "words", "special"):
            if len(getattr(self, name)) != len(self.labels):
                raise ValueError(
                    f"an axis of {len(self.labels)} labels has {len(getattr(self, name))} {name}"
                )

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class LayerFacts:
    """One layer of a model, as its configuration and modules say.

    stack:  "" for the self-attention of the only stack, else "encoder", "decoder", "cross", ...
    heads:  0 for a layer without attention
    window: keys that a row of this layer may see at most; None for all
    """

    stack: str
    layer: int
    heads: int
    window: int | None = None

    @property
    def name(self) -> str:
        return layer_name(self.stack, self.layer)


@dataclass(frozen=True)
class ModelFacts:
    """What is known of the model that was looked at.

    name:        as the user named it; of a directory only its last part
    family:      the architecture (``bert``), or ``builtin``
    fingerprint: hexadecimal digest of the weights
    positions:   tokens that fit, None where the model sets no limit
    """

    name: str
    family: str
    layers: tuple[LayerFacts, ...]
    fingerprint: str
    revision: str | None = None
    dtype: str = "float32"
    device: str = "cpu"
    positions: int | None = None


@dataclass(frozen=True)
class LayerMaps:
    """The maps kept of one layer.

    heads:    numbers of the heads kept, one a map
    weights:  ``[heads, queries, keys]`` float32; 0 where nothing was seen or computed
    visible:  bool, broadcastable to weights: the query may see the key
    computed: bool, likewise: the model computed this pair (bands and blocks leave some out)
    """

    stack: str
    layer: int
    heads: tuple[int, ...]
    weights: Floats
    visible: Booleans
    computed: Booleans
    queries: Axis
    keys: Axis

    def __post_init__(self) -> None:
        shape = (len(self.heads), len(self.queries), len(self.keys))
        if self.weights.shape != shape:
            raise ValueError(f"weights of shape {self.weights.shape} for heads, queries, keys {shape}")
        for mask in (self.visible, self.computed):
            if np.broadcast_shapes(mask.shape, shape) != shape:
                raise ValueError(f"a mask of shape {mask.shape} for weights of shape {shape}")

    @property
    def name(self) -> str:
        return layer_name(self.stack, self.layer)


@dataclass(frozen=True)
class Capture:
    """What was seen of one sample.

    maps:     the kept maps, a record a layer, in the model's order
    notes:    what a reader of any picture made of it must know ("cut to 512 of 713 tokens")
    versions: of what computed the weights: ``{"attnviz": ..., "torch": ...}``
    """

    model: ModelFacts
    sample: Sample
    maps: tuple[LayerMaps, ...]
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    @cached_property
    def layers(self) -> dict[str, LayerMaps]:
        """The kept maps by the name of their layer: "3", "cross.3"."""
        return {maps.name: maps for maps in self.maps}

    def map(self, head: str) -> Floats:
        """The weights of one head, such as "3.5": ``[queries, keys]``, rows summing to 1.

        Raises SelectionError if that head was not kept.
        """
        layer, _, number = head.rpartition(".")
        maps = self.layers.get(layer)
        if maps is None or not number.isdecimal() or int(number) not in maps.heads:
            raise SelectionError(
                f"no map of head {head} was kept: there are {', '.join(self.layers) or 'none'}"
            )
        weights: Floats = maps.weights[maps.heads.index(int(number))]
        return weights


def layer_name(stack: str, layer: int) -> str:
    """How a layer is called: "3" in the only stack, else "cross.3"."""
    return f"{stack}.{layer}" if stack else str(layer)


def head_name(stack: str, layer: int, head: int) -> str:
    """How a head is called: "3.5" in the only stack, else "cross.3.5"."""
    return f"{layer_name(stack, layer)}.{head}"

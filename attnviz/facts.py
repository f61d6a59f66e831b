"""What is known of a model before it is run, and how its layers and heads are called. No arrays."""

from dataclasses import dataclass


def layer_name(stack: str, layer: int) -> str:
    """How a layer is called: "3" in the only stack, else "cross.3"."""
    return f"{stack}.{layer}" if stack else str(layer)


def head_name(stack: str, layer: int, head: int) -> str:
    """How a head is called: "3.5" in the only stack, else "cross.3.5"."""
    return f"{layer_name(stack, layer)}.{head}"


@dataclass(frozen=True)
class LayerFacts:
    """One layer of a model, as its configuration and modules say.

    stack:     "" for the self-attention of the only stack, else "encoder", "decoder", "cross", ...
    heads:     0 for a layer without attention
    window:    keys that a row of this layer may see at most; None for all
    key_heads: heads with keys of their own, where several share them; None if unknown
    kind:      "attention", or what mixes tokens in its place: "mamba", "linear attention", "convolution"
    route:     how its weights are taken: "interface" (transformers' own), "hook" (from what the layer
               returns), "softmax" (as it is computed), "own" (our implementation); "" without attention
    """

    stack: str
    layer: int
    heads: int
    window: int | None = None
    key_heads: int | None = None
    kind: str = "attention"
    route: str = ""

    def __hash__(self) -> int:
        """Of what tells the layers of a model apart: it is asked for several times a tile."""
        return hash((self.stack, self.layer))

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
    best:        the head that was found to align best when a translator was trained ("cross.1.3"), if one was
    """

    name: str
    family: str
    layers: tuple[LayerFacts, ...]
    fingerprint: str
    revision: str | None = None
    dtype: str = "float32"
    device: str = "cpu"
    positions: int | None = None
    best: str | None = None

"""The layers and heads of a model as its configuration tells them, before its weights are read.

What a configuration does not say plainly is not guessed: then the model has to be loaded to know.
"""

import hashlib
from pathlib import Path
from typing import Any

from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.inputs import printable
from attnviz.models.checkpoint import SAFE, Checkpoint, Fingerprint, read_config, weight_files
from attnviz.models.families import HUB_NAME, find_checkpoint, is_own
from attnviz.models.known import directory_of
from attnviz.models.request import Request

OWN = (
    ("", "layers"),
    ("encoder", "encoder_layers"),
    ("decoder", "decoder_layers"),
    ("cross", "decoder_layers"),
)
"""Of our own models: what is said of the stacks that they may have."""

RECURRENT = ("attnviz-bahdanau", "attnviz-luong")
"""Those of our own that attend in one place alone."""

UNPLAIN = ("layers_block_type", "attn_layers", "block_sizes", "attention_types",
           "vision_config", "audio_config", "text_config", "is_heterogeneous")  # fmt: skip
"""Settings of models whose layers are not all alike, or that have several towers."""

ATTENTION = ("full_attention", "sliding_attention", "chunked_attention")
"""Types of layers that have heads, as many as the model says."""

SIDES = (
    ("encoder", ("encoder_layers", "num_layers"), ("encoder_attention_heads", "num_heads")),
    ("decoder", ("decoder_layers", "num_decoder_layers"), ("decoder_attention_heads", "num_heads")),
)
"""Of encoder-decoders: what two families of names call the layers and heads of both sides."""


def outline(request: Request) -> tuple[LayerFacts, ...] | None:
    """The layers of the model of this name; None where only the loaded model, or the hub, tells.

    Nothing is fetched. Raises ModelError if there is no such model, or no weights of it that may be read.
    """
    directory = directory_of(request.name, request.revision)
    if directory is None:
        if request.name.startswith("builtin:") or request.offline or not HUB_NAME.fullmatch(_bare(request)):
            find_checkpoint(request)  # says why not
        return None
    checkpoint = Checkpoint(directory, printable(request.name), request.revision)
    if is_own(checkpoint):
        return _own(directory)
    weight_files(directory, allow_pickle=request.allow_pickle)
    return _plain(checkpoint)


def fingerprint(request: Request) -> str | None:
    """The digest of a model's weights, as a loaded one tells it; None if they are not on this machine.

    Raises ModelError if there is no such model.
    """
    directory = directory_of(request.name, request.revision)
    if directory is None:
        return None
    if is_own(Checkpoint(directory, request.name)):
        return hashlib.sha256((directory / SAFE).read_bytes()).hexdigest()
    return str(Fingerprint(weight_files(directory, allow_pickle=request.allow_pickle)))


def _bare(request: Request) -> str:
    return request.name.partition("@")[0]


def _own(directory: Path) -> tuple[LayerFacts, ...]:
    config = read_config(directory)
    if config.get("architecture") in RECURRENT:
        return _stack("cross", 1, 1)
    numbers = {name: number for name, number in config.items() if isinstance(number, int)}
    if "heads" not in numbers or not any(layers in numbers for _, layers in OWN):
        raise ModelError(f"no model in {printable(str(directory))}: its config.json says no layers and heads")
    return tuple(
        layer for stack, layers in OWN for layer in _stack(stack, numbers.get(layers, 0), numbers["heads"])
    )


def _plain(checkpoint: Checkpoint) -> tuple[LayerFacts, ...] | None:
    """Of a model of transformers: one stack, or an encoder and a decoder."""
    from attnviz.models.pretrained import load_config

    config = load_config(checkpoint)
    if config is None or any(getattr(config, name, None) for name in UNPLAIN):
        return None
    if not set(getattr(config, "layer_types", None) or ()) <= set(ATTENTION):
        return None
    if config.is_encoder_decoder:
        return _two_sided(config)
    layers, heads = (_number(config, name) for name in ("num_hidden_layers", "num_attention_heads"))
    return _stack("", layers, heads) if layers and heads else None


def _two_sided(config: Any) -> tuple[LayerFacts, ...] | None:
    sides = [
        _stack(stack, *(max(_number(config, name) for name in names) for names in (layers, heads)))
        for stack, layers, heads in SIDES
    ]
    if not all(sides) or not all(layer.heads for side in sides for layer in side):
        return None
    encoder, decoder = sides
    return *encoder, *decoder, *_stack("cross", len(decoder), decoder[0].heads)


def _number(config: Any, name: str) -> int:
    value = getattr(config, name, None)
    return value if isinstance(value, int) else 0


def _stack(name: str, layers: int, heads: int) -> tuple[LayerFacts, ...]:
    return tuple(LayerFacts(name, layer, heads) for layer in range(layers))

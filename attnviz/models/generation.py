"""Text that a model writes itself, always the likeliest token, and its attention while it does so.

What is written is found out first, unwatched. Then the same tokens go through the model as they were written:
the text that was given in one pass, every token after it in a pass of its own that finds the keys of those
before it in the model's cache. Each pass sees some rows of the maps; put together they are what one pass over
everything would see.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from attnviz.captures import Axis
from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.models.base import Encoded
from attnviz.models.languages import Beginning
from attnviz.models.tokenizing import special_pieces
from attnviz.models.wrote import Speller
from attnviz.observe.tiles import Tile, Watch

Axes = Mapping[str, tuple[Axis, Axis]]

UNREAD = (
    *("temperature", "top_k", "top_p", "min_p", "typical_p", "early_stopping", "length_penalty"),
    *("max_length", "min_length", "forced_eos_token_id"),
)
"""Settings of a model for writing that only sampling and beams read; and lengths, which are given here."""


def check_writes(model: Any, name: str) -> None:
    """Raises ModelError unless the model writes text, from left to right."""
    if not model.can_generate():
        raise ModelError(f"{name} has no language head to write with: only decoders with one can generate")
    backwards = [m for m in model.modules() if getattr(m, "is_causal", True) is False]
    if backwards and not model.config.is_encoder_decoder:
        raise ModelError(f"{name} is an encoder: it reads a text, and only decoders write one")


def written(model: Any, tensors: Mapping[str, Tensor], count: int, begins: Beginning | None = None) -> Tensor:
    """The ids of a text and of what the model writes after it, at most so many tokens: ``[tokens]``.

    begins: how the decoder of an encoder-decoder does
    An end token is the last one; where it is not written in time, none is put there. Of an encoder-decoder
    they are all its decoder's, from the start token on.
    """
    config = copy.deepcopy(model.generation_config)
    for name in UNREAD:
        setattr(config, name, None)
    if begins is not None:
        config.decoder_start_token_id, config.forced_bos_token_id = begins.start, begins.forced
    config.do_sample, config.num_beams, config.max_new_tokens = False, 1, count
    config.use_cache, config.return_dict_in_generate = True, False
    cache = {}
    if (
        model.config.is_encoder_decoder
    ):  # one that transformers makes itself has as many layers as the encoder
        cache["past_key_values"] = EncoderDecoderCache(DynamicCache(), DynamicCache())
    with _settings(model, config):
        ids: Tensor = model.generate(**tensors, **cache, generation_config=config)[0]
    return ids


@contextmanager
def _settings(model: Any, config: Any) -> Iterator[None]:
    """Inside the block these are the model's own settings, from which transformers takes what is None."""
    before = model.generation_config
    model.generation_config = config
    try:
        yield
    finally:
        model.generation_config = before


def speller_of(tokenizer: Any) -> Speller:
    """What a tokenizer of transformers says of tokens."""
    text = partial(tokenizer.decode, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Speller(
        special_pieces(tokenizer), tokenizer.convert_ids_to_tokens, lambda ids: str(text(list(ids)))
    )


@dataclass(frozen=True)
class Pass:
    """One pass of a model over the next part of a text.

    past:    tokens that went before it
    tokens:  how many it reads
    tensors: what the model is called with
    """

    past: int
    tokens: int
    tensors: dict[str, Any]


def stepwise(tensors: Mapping[str, Tensor], count: int, run: Callable[[Pass], Any]) -> None:
    """Runs a model over a text as it was written: the last ``count`` tokens one by one, from its cache.

    tensors: of the whole text
    run:     one pass of the model; returns its output
    """
    total = tensors[_read(tensors)].shape[1]
    first = total - count
    output = run(Pass(0, first, _beginning(tensors, first)))
    for past in range(first, total):
        output = run(Pass(past, 1, _next(tensors, past, output)))


def _read(tensors: Mapping[str, Tensor]) -> str:
    """What holds the ids of the text that is written on."""
    return "decoder_input_ids" if "decoder_input_ids" in tensors else "input_ids"


def _beginning(tensors: Mapping[str, Tensor], count: int) -> dict[str, Any]:
    """The first tokens alone. (Those of an encoder are all there from the beginning.)"""
    ids = _read(tensors)
    length = tensors[ids].shape[1]
    along = {ids} if ids.startswith("decoder") else {n for n, t in tensors.items() if t.shape == (1, length)}
    cut = {name: tensor[:, :count] if name in along else tensor for name, tensor in tensors.items()}
    return {**cut, "use_cache": True, "return_dict": True}


def _next(tensors: Mapping[str, Tensor], past: int, output: Any) -> dict[str, Any]:
    """One token, and what the model remembers of those before it."""
    ids = _read(tensors)
    here = {
        ids: tensors[ids][:, past : past + 1],
        "past_key_values": output.past_key_values,
        "use_cache": True,
        "return_dict": True,
    }
    if ids.startswith("decoder"):
        mask = {name: tensors[name] for name in ("attention_mask",) if name in tensors}
        return {**here, **mask, "encoder_outputs": (output.encoder_last_hidden_state,)}
    along = {name for name, tensor in tensors.items() if tensor.shape == tensors[ids].shape} - {ids}
    beside = {name: tensors[name][:, past : past + 1] for name in along - {"attention_mask"}}
    return {**here, **beside, "attention_mask": tensors["attention_mask"][:, : past + 1]}


def axes_of(axes: Axes, layer: LayerFacts) -> tuple[Axis, Axis]:
    """Queries and keys of a layer."""
    return axes.get(layer.name) or axes[layer.stack]


def written_axis(encoded: Encoded) -> Axis:
    """The axis of the text that the model wrote on."""
    ids = tuple(encoded.tensors[_read(encoded.tensors)][0].tolist())
    return next(axis for axis, _ in encoded.axes.values() if axis.ids == ids)


class Continued:
    """The watch over a text, as the watch over one pass of it: what that sees is put in its place.

    watch:  over the whole text
    axes:   of the whole text
    text:   which axis of these is that of the text that is written on
    """

    def __init__(self, watch: Watch, axes: Axes, text: Axis, part: Pass) -> None:
        self._watch = watch
        self._axes = axes
        self._text = text
        self._part = part

    def wanted(self, layer: LayerFacts) -> range | None:
        return self._watch.wanted(layer)

    def see(self, tile: Tile) -> None:
        queries, keys = axes_of(self._axes, tile.layer)
        read = self._part.past + self._part.tokens
        down = self._part.past if queries is self._text else 0
        along = read - tile.size[1] if keys is self._text else 0  # a window's cache holds its last keys alone
        self._watch.see(
            replace(
                tile,
                rows=_shifted(tile.rows, down),
                columns=_shifted(tile.columns, along),
                size=(len(queries), len(keys)),
            )
        )


def _shifted(numbers: range, by: int) -> range:
    return range(numbers.start + by, numbers.stop + by)

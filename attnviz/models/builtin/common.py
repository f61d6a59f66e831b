"""What the Sources of our own models share: reading a text, and tiles of what a layer shows."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from attnviz import __version__
from attnviz.attention import Look, Rows
from attnviz.attention import Watch as LayerWatch
from attnviz.builtin.store import Stored
from attnviz.errors import InputError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span
from attnviz.models.encoding import texts_of
from attnviz.models.labels import Tokens
from attnviz.models.wrote import Speller
from attnviz.observe.tiles import Tile, Vectors, Watch

HOLE = "[MASK]"


def versions() -> Mapping[str, str]:
    """The versions of what computes the weights."""
    return {"attnviz": __version__, "torch": torch.__version__}


def layer_facts(stack: str, layers: int, heads: int) -> tuple[LayerFacts, ...]:
    """The layers of a stack: "" for a model with one, "encoder", "decoder" or "cross"."""
    return tuple(LayerFacts(stack, layer, heads, key_heads=heads, route="own") for layer in range(layers))


def model_facts(
    stored: Stored[Any], name: str, device: torch.device, layers: tuple[LayerFacts, ...], positions: int
) -> ModelFacts:
    """What is known of one of our models. positions: tokens that fit."""
    return ModelFacts(
        name=name,
        family="builtin",
        layers=layers,
        fingerprint=stored.fingerprint,
        device=str(device),
        positions=positions,
    )


def no_chat(sample: Sample, name: str) -> None:
    """Raises InputError for a chat: none of our models has a template."""
    if sample.chat:
        raise InputError(f"{name} has no chat template: leave --chat away")


def read_tokens(tokenizer: Tokenizer, sample: Sample, most: int | None) -> Tokens:
    """The tokens of a text or a pair, at most so many (None: all)."""
    texts, own = texts_of(sample), _own_pieces(tokenizer)
    # what is spelled like a token of the model's own is text; only a hole may be put into a text
    tokenizer.encode_special_tokens = any(piece in text for piece in own - {HOLE} for text in texts)
    tokenizer.no_truncation() if most is None else tokenizer.enable_truncation(most)
    letters = tokenizer.encode_special_tokens and HOLE in own and any(HOLE in text for text in texts)
    encoding = tokenizer.encode(texts[0], texts[1] if len(texts) > 1 else None)
    return Tokens(
        ids=encoding.ids,
        pieces=encoding.tokens,
        spans=[
            None if text is None else Span(text, *offsets)
            for text, offsets in zip(encoding.sequence_ids, encoding.offsets, strict=True)
        ],
        special=[flag == 1 for flag in encoding.special_tokens_mask],
        segments=encoding.type_ids,
        texts=texts,
        bytes=True,
        notes=(f"{HOLE} read as letters, like the other special tokens in the text",) if letters else (),
    )


def plain_ids(tokenizer: Tokenizer) -> Sequence[int]:
    """The numbers of all tokens but the model's own."""
    own = _own_numbers(tokenizer)
    return [number for number in range(tokenizer.get_vocab_size()) if number not in own]


def speller(tokenizer: Tokenizer) -> Speller:
    """What a tokenizer says of tokens that a model wrote."""
    return Speller(
        _own_numbers(tokenizer),
        lambda ids: [tokenizer.id_to_token(number) for number in ids],
        tokenizer.decode,
    )


def numbered_tokens(
    tokenizer: Tokenizer, before: Sequence[int], ids: Sequence[int], after: Sequence[int]
) -> Tokens:
    """Tokens by their numbers, between those of the model's own that are put around a text."""
    numbers = [*before, *ids, *after]
    return Tokens(
        ids=numbers,
        pieces=[tokenizer.id_to_token(number) or str(number) for number in numbers],
        spans=[None] * len(numbers),
        special=[*(True for _ in before), *(False for _ in ids), *(True for _ in after)],
        segments=[0] * len(numbers),
        texts=(),
        bytes=True,
    )


def looks(layers: Sequence[LayerFacts], watch: Watch) -> LayerWatch:
    """What a stack asks of its layers while it runs, for whoever watches: a tile of what each shows."""
    facts = {(layer.stack, layer.layer): layer for layer in layers}

    def look_at(stack: str, number: int) -> Look | None:
        layer = facts[stack, number]
        heads = watch.wanted(layer)
        return None if heads is None else lambda rows: watch.see(tile(layer, heads, rows))

    return look_at


def tile(layer: LayerFacts, heads: range, rows: Rows) -> Tile:
    """Some heads of the rows that a layer shows, of the only sample of a batch."""
    weights = rows.weights[0, heads.start : heads.stop]
    _, queries, keys = weights.shape
    return Tile(
        layer=layer,
        heads=heads,
        rows=range(rows.first, rows.first + queries),
        columns=range(keys),
        size=(rows.queries, keys),
        weights=weights,
        visible=rows.visible[0],  # the same for all heads
        computed=torch.ones(1, 1, 1, dtype=torch.bool, device=weights.device),
        vectors=partial(_vectors, rows),
    )


def _vectors(rows: Rows, head: int) -> Vectors:
    """What the weights of a head were made of."""
    query, key, value, score, learnt = rows.vectors
    return Vectors(
        query=query[0, head],
        key=key[0, head],
        value=value[0, head],
        scale=query.shape[-1] ** -0.5,
        score=score,
        learnt=None if learnt is None else learnt[0, head],
    )


def unseen(_stack: str, _layer: int) -> Look:
    """A watch that sees nothing, but keeps layers from their fused kernels: attention is plain products."""
    return lambda _: None


def in_double_precision(
    model: nn.Module, layers: Sequence[LayerFacts], call: Callable[[nn.Module, LayerWatch], object]
) -> dict[str, torch.Tensor]:
    """The weights of each layer, computed in float64: ``[heads, queries, keys]``.

    call: one pass of a model, watched
    """
    names = {(layer.stack, layer.layer): layer.name for layer in layers}
    seen: dict[str, list[torch.Tensor]] = {layer.name: [] for layer in layers}

    def look_at(stack: str, number: int) -> Look:
        return lambda rows: seen[names[stack, number]].append(rows.weights[0])

    with torch.inference_mode():
        call(copy.deepcopy(model).double(), look_at)
    return {name: torch.cat(parts, 1) for name, parts in seen.items()}


def _own_numbers(tokenizer: Tokenizer) -> set[int]:
    return {number for number, each in tokenizer.get_added_tokens_decoder().items() if each.special}


def _own_pieces(tokenizer: Tokenizer) -> set[str]:
    """How the model's own tokens are spelled."""
    return {each.content for each in tokenizer.get_added_tokens_decoder().values() if each.special}

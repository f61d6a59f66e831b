"""What the attentions of a model are called: stack and number, from their paths in the model."""

import re
from collections.abc import Sequence
from typing import NamedTuple

CROSS = re.compile(
    r"cross|encdec|encoder_attn|encoder_attention|enc_attn|src_attn|visual_attention|_to_(image|token|text)",
    re.I,
)
STACKS = (
    ("qformer", re.compile(r"q_?former|resampler|perceiver", re.I)),
    ("vision", re.compile(r"vis(ion|ual)|image|pixel|video|\bvit\b|\bvpm\b", re.I)),
    ("audio", re.compile(r"audio|speech|acoustic|sound|wav", re.I)),
    ("decoder", re.compile(r"decoder", re.I)),
    ("text", re.compile(r"text|language|\bllm?\b", re.I)),
    ("encoder", re.compile(r"encoder", re.I)),
)
"""Stacks by a word in the path of their layers, the first that is found."""


class Attention(NamedTuple):
    """One attention of a model, as far as its name depends on it: path, and queries and keys it had."""

    path: str
    queries: int
    keys: int


def named(
    attentions: Sequence[Attention], *, reads: int | None, writes: int | None, decodes: bool = False
) -> list[tuple[str, int]]:
    """The stack and number of each attention, in the order in which they came by.

    reads, writes: tokens that an encoder-decoder's two sides were given; None for other models
    decodes: the model is an encoder-decoder, though what its encoder made may have been given instead
    The number is the one that the model itself gives its layers, where that tells them apart, else they are
    counted as they come.
    """
    stacks = _told_apart([_stack(attention, reads, writes) for attention in attentions], decodes=decodes)
    numbers = [0] * len(attentions)
    for stack in set(stacks):
        places = [place for place, name in enumerate(stacks) if name == stack]
        for place, number in zip(places, _numbers([attentions[p].path for p in places]), strict=True):
            numbers[place] = number
    return list(zip(stacks, numbers, strict=True))


def _stack(attention: Attention, reads: int | None, writes: int | None) -> str:
    if CROSS.search(attention.path):
        return "cross"
    if reads is not None and writes is not None and reads != writes:
        sides = {(writes, reads): "cross", (writes, writes): "decoder", (reads, reads): "encoder"}
        if (side := sides.get((attention.queries, attention.keys))) is not None:
            return side
    before = re.split(r"\.\d+(\.|$)", attention.path)[0]
    return next((stack for stack, word in STACKS if word.search(before)), "")


def _told_apart(stacks: list[str], *, decodes: bool) -> list[str]:
    """The only stack of self-attention needs no name; of several, the one without is that of the text."""
    own = {stack for stack in stacks if stack != "cross"}
    halved = decodes and own == {"decoder"} and "cross" in stacks
    if len(own) == 1 and not halved:
        return ["cross" if stack == "cross" else "" for stack in stacks]
    unnamed = "text" if own & {"vision", "audio", "qformer"} else "other"
    return [stack or unnamed for stack in stacks]


def _numbers(paths: Sequence[str]) -> list[int]:
    """The number of each layer of a stack: what alone differs in their paths, if it does in all."""
    parts = [tuple(int(part) for part in path.split(".") if part.isdecimal()) for path in paths]
    if len({len(part) for part in parts}) == 1 and parts[0]:
        varying = [place for place, values in enumerate(zip(*parts, strict=True)) if len(set(values)) > 1]
        numbers = [part[varying[0] if varying else 0] for part in parts]
        if len(varying) <= 1 and len(set(numbers)) == len(numbers):
            return numbers
    return list(range(len(paths)))

"""Tokens that a model wrote itself, as a text of their own after those that it read."""

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import NamedTuple

from attnviz.inputs import Span
from attnviz.models.labels import Tokens

UNFINISHED = "\ufffd"
"""How tokenizers spell bytes that are no whole character yet."""


class Speller(NamedTuple):
    """What a tokenizer says of tokens by their numbers.

    own:    which of them are the model's own
    pieces: the vocabulary's strings; None for a number that it does not know
    text:   what they spell together, the model's own left out
    """

    own: Container[int]
    pieces: Callable[[Sequence[int]], Sequence[str | None]]
    text: Callable[[Sequence[int]], str]


def with_written(tokens: Tokens, ids: Sequence[int], speller: Speller) -> Tokens:
    """The tokens of a text, and after them others that a model wrote, as a text of their own."""
    special = [number in speller.own for number in ids]
    text, spans = _spelled(ids, special, speller, len(tokens.texts))
    last = "the last token was" if len(ids) == 1 else f"the last {len(ids)} tokens were"
    note = f"{last} written by the model (greedily)"
    pieces = [  # a vocabulary may be larger than its tokenizer knows
        str(number) if piece is None else piece
        for number, piece in zip(ids, speller.pieces(ids), strict=True)
    ]
    return replace(
        tokens,
        ids=[*tokens.ids, *ids],
        pieces=[*tokens.pieces, *pieces],
        spans=[*tokens.spans, *spans],
        special=[*tokens.special, *special],
        segments=[*tokens.segments, *([0] * len(ids))],
        texts=(*tokens.texts, text),
        notes=(*tokens.notes, note),
    )


def stopped(most: int) -> str:
    """What to say of a text that is not at its end."""
    return f"stopped after {most} tokens: --generate N lets it write more"


def _spelled(
    ids: Sequence[int], special: Sequence[bool], speller: Speller, number: int
) -> tuple[str, list[Span | None]]:
    """What tokens spell, and which characters of it each of them does; None for the model's own.

    number: of this text among those of the sample
    """
    texts = [speller.text(ids[:count]) for count in range(len(ids) + 1)]
    whole = [len(text.rstrip(UNFINISHED)) for text in texts]
    spans = [
        None if own else Span(number, start, max(start, stop + text.endswith(UNFINISHED)))
        for own, start, stop, text in zip(special, whole, whole[1:], texts[1:], strict=False)
    ]
    return texts[-1], spans

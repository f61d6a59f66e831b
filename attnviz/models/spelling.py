"""What tokens spell, where nobody kept the text that they were cut from."""

from collections.abc import Sequence
from typing import Any

from attnviz.inputs import Span
from attnviz.models.wrote import UNFINISHED

CONTEXT = 8
"""Tokens before one that decide how it is spelled: with a blank or none, or as the end of a character."""


def spelled(ids: Sequence[int], special: Sequence[bool], tokenizer: Any) -> tuple[str, list[Span | None]]:
    """The text of some tokens, and which characters of it each of them is; None for the model's own."""
    text = ""
    spans: list[Span | None] = []
    for place, own in enumerate(special):
        first = max(0, place - CONTEXT)
        before, after = (_decoded(tokenizer, ids[first:stop]) for stop in (place, place + 1))
        start = len(text)
        text += after.rstrip(UNFINISHED)[len(before.rstrip(UNFINISHED)) :]
        spans.append(None if own else Span(0, start, len(text) + after.endswith(UNFINISHED)))
    unfinished = any(span.stop > len(text) for span in spans if span)
    return text + UNFINISHED * unfinished, spans


def _decoded(tokenizer: Any, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

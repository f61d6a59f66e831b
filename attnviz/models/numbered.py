"""Tokens by their numbers: which a text can be made of, and what a model's template puts around them."""

from collections.abc import Sequence
from typing import Any

from attnviz.inputs import Sample
from attnviz.models.axes import bare
from attnviz.models.encoding import Reader, tokens_of
from attnviz.models.labels import Tokens
from attnviz.models.tokenizing import special_pieces

WORD = "a"
"""A text of which every tokenizer leaves something."""


def plain_ids(tokenizer: Any, vocabulary: int) -> list[int]:
    """The numbers of all tokens but the model's own; vocabulary: how many the model knows."""
    own = {*special_pieces(tokenizer), *tokenizer.all_special_ids}
    numbers = [number for number in range(min(len(tokenizer), vocabulary)) if number not in own]
    named = tokenizer.convert_ids_to_tokens(numbers)
    return [number for number, piece in zip(numbers, named, strict=True) if piece is not None]


def around(ids: Sequence[int], reader: Reader) -> Tokens:
    """Tokens where the model's template has a text, between those that it puts around one."""
    word = tokens_of(reader, Sample(WORD), truncate=False)
    return bare(between(ids, word.ids, word.special))


def between(ids: Sequence[int], template: Sequence[int], special: Sequence[bool]) -> list[int]:
    """The template with other ids in place of those in it that are not special."""
    places = [place for place, own in enumerate(special) if not own]
    return [*template[: places[0]], *ids, *template[places[-1] + 1 :]]

"""A sample as a model reads it: which tokens, how many, and what they stand for."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from attnviz.errors import InputError
from attnviz.inputs import Sample
from attnviz.models.chat import chat_tokens
from attnviz.models.labels import Tokens
from attnviz.models.languages import as_target
from attnviz.models.tokenizing import special_pieces, tokenized

LONE_SURROGATE = re.compile("[\ud800-\udfff]")

LEAST = 8
"""Tokens that are left of a text, however much is to be written after it."""


@dataclass(frozen=True)
class Reader:
    """Who reads: a tokenizer, the name of its model, and how many positions that has (None: any number)."""

    tokenizer: Any
    model: str
    positions: int | None


def tokens_of(reader: Reader, sample: Sample, *, truncate: bool) -> Tokens:
    """The tokens of a sample, as many as the model can read. Raises InputError as ``tokens_within`` does."""
    cut = partial(_cut, reader)
    return tokens_within(cut, sample, model=reader.model, positions=reader.positions, truncate=truncate)


def tokens_within(
    cut: Callable[[Sample, int | None], Tokens],
    sample: Sample,
    *,
    model: str,
    positions: int | None,
    truncate: bool,
) -> Tokens:
    """The tokens of a sample, at most as many as there are positions (None: any number).

    cut: the tokens of a sample without lone surrogates, at most so many (None: all)
    Raises InputError if nothing is left to read, or more than fits and it is not to be cut.
    """
    if not all(text.strip() for text in texts_of(sample)):
        raise InputError(f"{sample.name} is empty: give at least one word")
    if sample.languages is not None:
        raise InputError(f"{model} has no languages to choose from: leave out --languages")
    if sample.chat and sample.pair is not None:
        raise InputError(f"{sample.name} is a chat and a pair at once: a chat has one message")
    read, notes = _readable(sample)
    tokens = cut(read, None)
    if all(span is None or span.start == span.stop for span in tokens.spans) and not tokens.notes:
        raise InputError(f"the tokenizer of {model} leaves nothing of {sample.name}: {sample.text!r}")
    count = len(tokens.ids)
    if positions is not None and count > positions:
        if not truncate:
            raise InputError(
                f"{sample.name} has {count} tokens and {model} reads at most {positions}: --truncate cuts it"
            )
        tokens = cut(read, positions)
        notes = (*notes, f"cut to {len(tokens.ids)} of {count} tokens")
    texts = tokens.texts if sample.chat else texts_of(sample)  # with the lone surrogates that were typed
    return replace(tokens, texts=texts, notes=(*notes, *tokens.notes))


def room_to_read(sample: Sample, positions: int | None, *, truncate: bool) -> int | None:
    """How many tokens of a text fit (None: any number): with truncate beside what is written after it."""
    if positions is None or not truncate:
        return positions
    return min(positions, max(positions - sample.generate, LEAST))


def check_room(sample: Sample, begun: Tokens, *, model: str, positions: int | None) -> None:
    """Raises InputError if what is to be written after some tokens finds no positions."""
    count = len(begun.ids)
    if positions is not None and count + sample.generate > positions:
        raise InputError(
            f"{sample.name} has {count} tokens, and {model} has positions for {positions}: "
            f"{sample.generate} more do not fit, {positions - count} at most"
        )


def _cut(reader: Reader, sample: Sample, most: int | None) -> Tokens:
    if sample.chat:
        return chat_tokens(reader.tokenizer, sample, reader.model, most)
    return _text_tokens(reader.tokenizer, texts_of(sample), most)


def _text_tokens(tokenizer: Any, texts: tuple[str, ...], most: int | None) -> Tokens:
    """The tokens of a text or a pair, with the model's own around them.

    The text is data: what is spelled like a token of the model's own (``[SEP]``) is read as its letters. Only
    the mask token, which is made to stand in a text, keeps its meaning, unless others are spelled beside it.
    """
    spelled = {piece for piece in special_pieces(tokenizer).values() if any(piece in text for text in texts)}
    others = sorted(spelled - {tokenizer.mask_token})
    tokens = tokenized(tokenizer, texts, template=True, commands=bool(spelled) and not others, most=most)
    if others and tokenizer.mask_token in spelled:
        note = f"{tokenizer.mask_token} read as letters, like {', '.join(others)}"
        return replace(tokens, notes=(*tokens.notes, note))
    return tokens


def _readable(sample: Sample) -> tuple[Sample, tuple[str, ...]]:
    """The sample without lone surrogates, which tokenizers refuse, and what to say of them."""
    count = sum(len(LONE_SURROGATE.findall(text)) for text in texts_of(sample))
    if not count:
        return sample, ()
    text, *pair = (LONE_SURROGATE.sub("\ufffd", text) for text in texts_of(sample))
    note = f"{count} lone surrogate{'s' if count > 1 else ''} read as U+FFFD"
    return replace(sample, text=text, pair=pair[0] if pair else None), (note,)


def texts_of(sample: Sample) -> tuple[str, ...]:
    return (sample.text,) if sample.pair is None else (sample.text, sample.pair)


def target_of(reader: Reader, sample: Sample, *, start: int, truncate: bool) -> tuple[Tokens, Tokens]:
    """What the encoder of an encoder-decoder reads, and what its decoder does: the pair, if there is one.

    start: the token that the decoder begins with; without a pair it reads nothing else
    Raises InputError as ``tokens_within`` does.
    """
    source = tokens_of(reader, replace(sample, pair=None), truncate=truncate)
    begun = started(start, str(reader.tokenizer.convert_ids_to_tokens(start)))
    if sample.pair is None:
        return source, begun
    target = target_sample(sample, sample.pair)
    room = replace(reader, positions=None if reader.positions is None else reader.positions - 1)
    with as_target(reader.tokenizer):
        return source, decoded_after(begun, tokens_of(room, target, truncate=truncate))


def target_sample(sample: Sample, target: str) -> Sample:
    """The target of a sample as one by itself."""
    return Sample(target, name=f"the pair of {sample.name}")


def started(start: int, piece: str) -> Tokens:
    """The token that a decoder begins with, and nothing written yet."""
    return Tokens(ids=[start], pieces=[piece], spans=[None], special=[True], segments=[0], texts=("",))


def decoded_after(begun: Tokens, target: Tokens) -> Tokens:
    """What a decoder reads of a target: each token but the last of the model's own, after which it ends."""
    stop = len(target.ids) - bool(target.special[-1])
    return replace(
        target,
        ids=[*begun.ids, *target.ids[:stop]],
        pieces=[*begun.pieces, *target.pieces[:stop]],
        spans=[*begun.spans, *target.spans[:stop]],
        special=[*begun.special, *target.special[:stop]],
        segments=[0] * (len(begun.ids) + stop),
    )

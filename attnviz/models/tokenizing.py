"""Texts cut by a tokenizer of transformers, and where each token stands in them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from attnviz.inputs import Span
from attnviz.models.labels import Tokens

WRITTEN = re.compile(r"\S")
PREFIX = "▁"  # stands for a blank in the vocabularies of SentencePiece
BLANKS = re.compile("Ġ+")  # likewise where bytes are written as characters


def special_pieces(tokenizer: Any) -> dict[int, str]:
    """The tokens that command the model (``[SEP]``, ``<|im_end|>``), by their number."""
    return {
        number: added.content for number, added in tokenizer.added_tokens_decoder.items() if added.special
    }


def tokenized(
    tokenizer: Any, texts: tuple[str, ...], *, template: bool, commands: bool, most: int | None
) -> Tokens:
    """The tokens of one text, or of two that are read as a pair.

    template: with the tokens that the model's own template puts around them
    commands: what is spelled like a token of the model's own is that token, not its letters
    most:     cut to so many tokens; None for all
    """
    batch = tokenizer(
        *texts,
        add_special_tokens=template,
        split_special_tokens=not commands,
        truncation=most is not None,
        max_length=most,
        return_special_tokens_mask=not tokenizer.is_fast,
        verbose=False,
    )
    if not tokenizer.is_fast:
        return _aligned(tokenizer, texts, batch)
    (encoding,) = batch.encodings
    tokens = _located(tokenizer, texts, encoding)
    return tokens if commands else replace(tokens, notes=_confused(tokenizer, tokens))


def _located(tokenizer: Any, texts: tuple[str, ...], encoding: Any) -> Tokens:
    """The tokens of a tokenizer that says where each stands."""
    sequences, offsets = encoding.sequence_ids, encoding.offsets
    return Tokens(
        ids=encoding.ids,
        pieces=[
            tokenizer.unk_token if number == tokenizer.unk_token_id else piece
            for number, piece in zip(encoding.ids, encoding.tokens, strict=True)
        ],
        spans=[
            None if text is None else _span(text, place, piece, texts)
            for text, place, piece in zip(sequences, offsets, encoding.tokens, strict=True)
        ],
        special=[flag == 1 for flag in encoding.special_tokens_mask],
        segments=encoding.type_ids,
        texts=texts,
        unknown=tokenizer.unk_token,
        bytes="ByteLevel" in repr(tokenizer.backend_tokenizer.decoder),
    )


def _confused(tokenizer: Any, tokens: Tokens) -> tuple[str, ...]:
    """What to say if letters of the text were read as a token of the model's own after all.

    (Some vocabularies of SentencePiece hold ``</s>`` among the pieces of words.)
    """
    commands = special_pieces(tokenizer)
    commands.pop(tokenizer.unk_token_id, None)
    read = {number for number, own in zip(tokens.ids, tokens.special, strict=True) if not own}
    return tuple(
        f"{piece} in the text is read as the model's own: its tokenizer does not tell them apart"
        for number, piece in sorted(commands.items())
        if number in read
    )


def _span(number: int, offsets: tuple[int, int], piece: str, texts: tuple[str, ...]) -> Span:
    """Where a token stands; a blank that the tokenizer put there itself, before the text, covers nothing.

    Some tokenizers trim blanks from what a token covers, and leave nothing of one that is blanks alone.
    """
    start, stop = offsets
    if start == stop and BLANKS.fullmatch(piece) and texts[number][:stop][-len(piece) :].isspace():
        return Span(number, max(0, stop - len(piece)), stop)
    added = piece == PREFIX and not texts[number][start:stop].isspace()
    return Span(number, start, start if added else stop)


def _aligned(tokenizer: Any, texts: tuple[str, ...], batch: Any) -> Tokens:
    """The tokens of a tokenizer that does not say where they stand: found again in the text, one by one.

    If one cannot be found, none gets a place, and a note says so.
    """
    ids = batch["input_ids"]
    pieces = tokenizer.convert_ids_to_tokens(ids)
    special = [flag == 1 for flag in batch["special_tokens_mask"]]
    written = [
        None if own else tokenizer.convert_tokens_to_string([piece])
        for piece, own in zip(pieces, special, strict=True)
    ]
    spans = _found(written, texts)
    lost = "this tokenizer does not say where its tokens stand in the text: they are shown as it writes them"
    return Tokens(
        ids=ids,
        pieces=pieces,
        spans=spans or [None] * len(ids),
        special=special,
        segments=batch.get("token_type_ids", [0] * len(ids)),
        texts=texts,
        unknown=tokenizer.unk_token,
        notes=() if spans else (lost,),
    )


def _found(pieces: Sequence[str | None], texts: tuple[str, ...]) -> list[Span | None] | None:
    """Where each piece stands, case and blanks aside, reading on from the last; None if any does not."""
    spans: list[Span | None] = []
    number, stop = 0, 0
    for piece in pieces:
        if piece is None:
            spans.append(None)
            continue
        if number + 1 < len(texts) and not WRITTEN.search(texts[number], stop):
            number, stop = number + 1, 0
        text, bare = texts[number], piece.strip()
        written = WRITTEN.search(text, stop)
        start = written.start() if written and bare else stop
        stop = start + len(bare or piece)
        if text[start:stop].lower() != (bare or piece).lower():
            return None
        spans.append(Span(number, start, stop))
    return spans

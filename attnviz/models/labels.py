"""Labels a person can read: what each token covers of the text, without the marks of its tokenizer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attnviz.captures import Axis
from attnviz.inputs import Span, printable, words_of

BLANK = "\u2423"  # ␣
NEXT = "+"  # before a token that goes on with the word before it
BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(frozen=True)
class Tokens:
    """A sample as its tokenizer cut it; all lists are as long as there are tokens.

    ids:      numbers in the vocabulary
    pieces:   the vocabulary's own strings: ``Ġcat``, ``##ing``, ``▁mat``, ``<0xE4>``
    spans:    the characters each stands for; None for tokens of the model's own
    special:  added by the model's template, not by the text
    segments: which of two texts, as models with token types are told
    texts:    what the spans point into
    unknown:  the piece that stands for whatever the vocabulary lacks
    bytes:    the pieces are bytes written as characters, as in GPT-2
    notes:    what a reader must know
    """

    ids: Sequence[int]
    pieces: Sequence[str]
    spans: Sequence[Span | None]
    special: Sequence[bool]
    segments: Sequence[int]
    texts: tuple[str, ...]
    unknown: str | None = None
    bytes: bool = False
    notes: tuple[str, ...] = ()


def token_axis(tokens: Tokens) -> Axis:
    """The axis of a model that reads these tokens."""
    words = words_of(tokens.spans, tokens.texts)
    return Axis(
        labels=labels(tokens, words),
        positions=tuple(range(len(tokens.ids))),
        spans=tuple(tokens.spans),
        words=words,
        special=tuple(tokens.special),
        ids=tuple(tokens.ids),
        texts=tokens.texts,
    )


def labels(tokens: Tokens, words: Sequence[int]) -> tuple[str, ...]:
    """One label a token, harmless to print.

    A token shows the characters it covers, as they stand in the text; ``+`` before it says that it goes on
    with the word of the token before. Tokens that share a character show their bytes: ``<E4 BD>``. Blanks
    alone are shown as ``␣``, line breaks as ``\\n``; tokens of the model's own, and those for what its
    vocabulary lacks, as the model calls them.
    """
    shared = _shared(tokens.spans)
    return tuple(
        (NEXT if _goes_on(tokens, words, index) else "") + _label(tokens, index, shared[index])
        for index in range(len(words))
    )


def _goes_on(tokens: Tokens, words: Sequence[int], index: int) -> bool:
    """Whether the token before began its word; blanks before a word begin nothing."""
    before = tokens.spans[index - 1] if index else None
    same = before is not None and words[index] == words[index - 1] >= 0
    return same and not _covered(tokens, before).isspace()


def _covered(tokens: Tokens, span: Span | None) -> str:
    return tokens.texts[span.text][span.start : span.stop] if span else ""


def _label(tokens: Tokens, index: int, shared: bool) -> str:
    piece, span = tokens.pieces[index], tokens.spans[index]
    if tokens.special[index] or piece == tokens.unknown:
        return printable(piece)
    if span is None or span.start == span.stop:
        return _shown(_cleaned(piece))
    if shared:
        held = _bytes_of(piece, tokens.bytes)
        return _shown(_cleaned(piece)) if held is None else _shown_bytes(held)
    return _shown(_covered(tokens, span))


def _shared(spans: Sequence[Span | None]) -> list[bool]:
    """Whether a token covers a character that a neighbour covers as well."""
    shared = [False] * len(spans)
    for index in range(1, len(spans)):
        left, right = spans[index - 1], spans[index]
        if left and right and left.text == right.text and left.start < right.stop and right.start < left.stop:
            shared[index - 1] = shared[index] = True
    return shared


def _shown(text: str) -> str:
    """Text without the blanks around it; blanks alone made visible."""
    return printable(text.strip(" ") or BLANK * len(text))


def _cleaned(piece: str) -> str:
    """A vocabulary's string without its marks, where there is nothing of the text to show."""
    return piece.removeprefix("##").replace("▁", " ").replace("Ġ", " ")


def _bytes_of(piece: str, as_characters: bool) -> bytes | None:
    """The bytes that a piece stands for; None if it is made of whole characters."""
    if byte := BYTE_PIECE.fullmatch(piece):
        return bytes.fromhex(byte[1])
    if as_characters and all(character in _BYTES for character in piece):
        return bytes(_BYTES[character] for character in piece)
    return None


def _shown_bytes(held: bytes) -> str:
    """Bytes as text, those of no whole character as ``<E4 BD>``."""
    text = held.decode("utf-8", errors="surrogateescape")
    text = text.strip(" ") or BLANK * len(text)
    return re.sub("[\udc80-\udcff]+|[^\udc80-\udcff]+", _shown_run, text)


def _shown_run(run: re.Match[str]) -> str:
    if "\udc80" <= run[0][0] <= "\udcff":
        return f"<{run[0].encode('utf-8', 'surrogateescape').hex(' ').upper()}>"
    return _shown(run[0])


def _byte_characters() -> dict[str, int]:
    """The byte of each character of GPT-2's alphabet.

    Bytes that are printable in Latin-1 stand for themselves, the others for the characters from U+0100 on.
    """
    printables = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printables]
    return {chr(byte): byte for byte in printables} | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTES = _byte_characters()

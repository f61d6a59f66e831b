"""What is put into a model: samples, the words of a text, and text made harmless to show."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import regex

from attnviz.errors import InputError


@dataclass(frozen=True)
class Sample:
    """One thing to look at: a text, or a pair of texts.

    pair: the second segment, for models that take two.
    chat: the text is one user message, put through the tokenizer's chat template.
    name: how files and messages call it.
    generate: how many tokens the model is to write after it, always the likeliest, and read as well.
    languages: from which into which, of a translator that knows several: "eng_Latn:fra_Latn", or "fra_Latn".
    """

    text: str
    pair: str | None = None
    chat: bool = False
    name: str = "text"
    generate: int = 0
    languages: str | None = None


def check_texts(samples: Iterable[Sample]) -> None:
    """Raises InputError for the first sample with nothing to read: to be asked before a model is loaded."""
    for sample in samples:
        if not sample.text.strip():
            raise InputError(f"{sample.name} is empty: give at least one word")
        if sample.pair is not None and not sample.pair.strip():
            raise InputError(f"the second segment of {sample.name} is empty: give at least one word")


def decoded(data: bytes, name: str) -> str:
    """The text of a file of that name. Raises InputError for what is no UTF-8."""
    if (place := data.find(b"\0")) >= 0:
        raise InputError(f"{name} is no text: byte {place} is NUL; give UTF-8 text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = f"byte {error.start} is 0x{data[error.start]:02x}"
        raise InputError(f"{name} is not UTF-8: {byte}; convert it, for example with iconv") from error


def lines_of(text: str) -> list[tuple[int, str]]:
    """The lines of a text that are not blank, with their numbers from 1."""
    lines = text.replace("\r\n", "\n").split("\n")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


class Span(NamedTuple):
    """Characters ``start`` to ``stop`` (exclusive) of text number ``text`` of a sample (1 for its pair)."""

    text: int
    start: int
    stop: int


def hull(spans: Iterable[Span | None]) -> Span | None:
    """The characters from the first of the spans to the last one of the same text; None without any."""
    known = [span for span in spans if span is not None]
    same = [span for span in known if span.text == known[0].text]
    if not same:
        return None
    return Span(same[0].text, min(span.start for span in same), max(span.stop for span in same))


@cache
def _cores() -> "regex.Pattern[str]":
    """The places between words; the library takes a moment to load, and most pictures need none of it."""
    import regex

    return regex.compile(r"(?wV1)\b")


def word_spans(text: str) -> list[tuple[int, int]]:
    """The words of a text, as ``(start, stop)``: together they cover every character once, in order.

    Words are those of Unicode's default segmentation (UAX 29): "don't", "3.14" and an emoji with its
    joiners are one word, Chinese and Japanese ideographs one each, a punctuation mark is its own.
    Blanks belong to the word they precede (at the end of the text: to the last one); blanks up to a
    line break are a word by themselves.
    """
    cuts = [cut.start() for cut in _cores().finditer(text)]
    spans: list[tuple[int, int]] = []
    start = 0
    for left, right in pairwise(sorted({0, *cuts, len(text)})):
        blank = text[left:right].isspace()
        if not blank or "\n" in text[start:right] or "\r" in text[start:right]:
            spans.append((start, right))
            start = right
    if start < len(text):
        spans.append((spans.pop()[0] if spans else start, len(text)))
    return spans


def words_of(spans: Sequence[Span | None], texts: Sequence[str]) -> tuple[int, ...]:
    """The word of each token: numbers from 0 in reading order, -1 for a token with no characters.

    spans: the characters that each token stands for; None for special tokens.
    A token that covers several words makes them one, so that a word is always a whole number of tokens;
    a token of blanks belongs to the word of its first blank.
    """
    touched = words_touched(spans, texts)
    joined = {word for words in touched for word in words[:-1]}  # with the word after it
    number: dict[int, int] = {}
    count = -1
    for word in sorted({word for words in touched for word in words}):
        count += word - 1 not in joined
        number[word] = count
    return tuple(number[words[0]] if words else -1 for words in touched)


def words_touched(spans: Iterable[Span | None], texts: Sequence[str]) -> list[range]:
    """Which words of the texts each span holds a character of that is no blank (of blanks alone: the first).

    Words are numbered on over the texts, as ``word_spans`` cuts them: the numbers are the text's own,
    whichever tokenizer made the spans. Empty for a span that is None or empty.
    """
    starts = [[start for start, _ in word_spans(text)] for text in texts]
    before = [0, *accumulate(len(words) for words in starts)]
    return [_touched(span, texts, starts, before) for span in spans]


def _touched(span: Span | None, texts: Sequence[str], starts: list[list[int]], before: list[int]) -> range:
    if span is None or span.start >= span.stop:
        return range(0)
    piece = texts[span.text][span.start : span.stop]
    words = starts[span.text]
    start = span.start + len(piece) - len(piece.lstrip())
    stop = span.stop - (len(piece) - len(piece.rstrip()))
    if start >= stop:  # blanks alone
        start, stop = span.start, span.start + 1
    first = bisect_right(words, start) - 1
    return range(before[span.text] + first, before[span.text] + bisect_left(words, stop))


def printable(text: str) -> str:
    """The text with everything that could act on a terminal or a page shown as an escape.

    Control and bidirectional-control characters, line breaks, lone surrogates, unassigned and private
    characters become ``\\x1b``, ``\\u202e`` and the like; all else, joiners included, stays as it is.
    """
    return "".join(character if _harmless(character) else _escaped(character) for character in text)


def _harmless(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":  # joiners and the like are part of words; what turns the line around is not
        return unicodedata.bidirectional(character) in ("BN", "") and character not in "\ufeff\u061c"
    return category not in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")


def _escaped(character: str) -> str:
    code = ord(character)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if character in named:
        return named[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

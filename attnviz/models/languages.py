"""The languages of a translator that knows several: what its tokenizer puts around a text, and what its
decoder begins with.

There are two ways. M2M-100, NLLB and mBART-50 begin a text with the token of its language, so a translation
is begun by making the model write that token first. mBART ends a text with it, and starts its decoder so.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from attnviz.errors import InputError
from attnviz.inputs import Sample, printable
from attnviz.models.tokenizing import special_pieces

_FEW = 8  # languages that a message lists


@dataclass(frozen=True)
class Beginning:
    """How what a decoder writes begins.

    start:  the token that it reads before it has written anything
    forced: the token that it has to write first; None: whatever it likes
    notes:  what a reader must know
    """

    start: int
    forced: int | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def speaking(tokenizer: Any, languages: str | None, name: str) -> Iterator[None]:
    """Inside the block the tokenizer reads one language and writes another; afterwards it is as it was.

    languages: "FROM:TO" or "TO", as the tokenizer calls them; None: those that it is set to
    name:      what its model is called
    Raises InputError for a language that it does not know.
    """
    if languages is None:
        yield
        return
    known = _known(tokenizer)
    if not known:
        raise InputError(f"{name} has no languages to choose from: leave out --languages")
    source, _, target = languages.rpartition(":")
    for code in filter(None, (source, target)):
        _check_known(code, known, name)
    before = tokenizer.src_lang, tokenizer.tgt_lang
    tokenizer.src_lang, tokenizer.tgt_lang = source or before[0], target or before[1]
    try:
        yield
    finally:
        tokenizer.src_lang, tokenizer.tgt_lang = before


def beginning(tokenizer: Any, model: Any, start: int, sample: Sample, name: str) -> Beginning:
    """How the decoder begins in the language that the tokenizer writes now.

    start: the token that it begins with otherwise
    A target that was given without its language is taken for one in the language of the source.
    Raises InputError if the model is to write, and would have to guess the language.
    """
    forced = getattr(getattr(model, "generation_config", None), "forced_bos_token_id", None)
    known = _known(tokenizer)
    if not known:
        return Beginning(start, forced)
    code = tokenizer.tgt_lang or next((code for code, number in known.items() if number == forced), None)
    if not _goes_before(tokenizer, known):
        return Beginning(start if code is None else known[code])
    if code is None and sample.generate:
        raise InputError(
            f"{name} writes {len(known)} languages: say which with --languages {tokenizer.src_lang}:TO "
            f"({_listed(known)})"
        )
    note = f"the target is taken for {tokenizer.src_lang}: --languages FROM:TO says another"
    guessed = code is None and sample.pair is not None
    return Beginning(start, None if code is None else known[code], (note,) if guessed else ())


@contextmanager
def as_target(tokenizer: Any) -> Iterator[None]:
    """Inside the block the tokenizer reads as the decoder's, where it has another vocabulary or template."""
    switch = getattr(tokenizer, "_switch_to_target_mode", None)
    if switch is None:
        yield
        return
    language = getattr(tokenizer, "tgt_lang", None)
    if hasattr(tokenizer, "tgt_lang"):
        tokenizer.tgt_lang = language or tokenizer.src_lang
    switch()
    tokenizer._in_target_context_manager = True  # else it switches back as soon as it is called
    try:
        yield
    finally:
        tokenizer._in_target_context_manager = False
        if hasattr(tokenizer, "tgt_lang"):
            tokenizer.tgt_lang = language
        tokenizer._switch_to_input_mode()


def _known(tokenizer: Any) -> Mapping[str, int]:
    """The tokens of the languages that a tokenizer can be told, by what it calls them; none for most."""
    if not hasattr(tokenizer, "src_lang") or not hasattr(tokenizer, "tgt_lang"):
        return {}
    if codes := getattr(tokenizer, "lang_code_to_id", None):
        known: Mapping[str, int] = codes
        return known
    usual = set(tokenizer.special_tokens_map.values()) if tokenizer.special_tokens_map else set()
    return {piece: number for number, piece in special_pieces(tokenizer).items() if piece not in usual}


def _goes_before(tokenizer: Any, known: Mapping[str, int]) -> bool:
    """Whether the token of a language stands before a text."""
    return bool(set(tokenizer.prefix_tokens) & set(known.values()))


def _check_known(code: str, known: Mapping[str, int], name: str) -> None:
    if code in known:
        return
    near = get_close_matches(code, known, n=3)
    instead = f"is it {' or '.join(near)}?" if near else f"it knows {_listed(known)}"
    raise InputError(f"{name} knows no language {printable(code)}: {instead}")


def _listed(known: Mapping[str, int]) -> str:
    return ", ".join([*list(known)[:_FEW], *(["..."] if len(known) > _FEW else [])])

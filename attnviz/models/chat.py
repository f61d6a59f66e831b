"""A user message in the chat template of a tokenizer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from attnviz.errors import InputError
from attnviz.inputs import Sample, Span
from attnviz.models.labels import Tokens
from attnviz.models.tokenizing import special_pieces, tokenized


def chat_tokens(tokenizer: Any, sample: Sample, model: str, most: int | None) -> Tokens:
    """The tokens of the whole prompt, at most so many; spans point into it.

    Only what the template wrote is read as tokens of the model's own (``<|im_end|>``), not what the user did.
    Raises InputError if the tokenizer has no template, or one that does not keep the two apart.
    """
    special = special_pieces(tokenizer)
    prompt = _prompt(tokenizer, sample, model)
    parts = [
        (tokenized(tokenizer, (text,), template=False, commands=not users, most=None), users)
        for text, users in _parts(prompt, sample, special.values())
    ]
    return _first(_joined(parts, prompt, special), most)


def _prompt(tokenizer: Any, sample: Sample, model: str) -> str:
    """What the model reads when the user has said this and it is to answer."""
    if not tokenizer.chat_template:
        raise InputError(f"{model} has no chat template: leave out --chat")
    from jinja2 import TemplateError

    message = [{"role": "user", "content": sample.text}]
    try:
        return str(tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True))
    except (TemplateError, ValueError) as error:
        raise InputError(f"the chat template of {model} does not take {sample.name} ({error})") from error


def _parts(prompt: str, sample: Sample, special: Iterable[str]) -> list[tuple[str, bool]]:
    """The prompt in parts, and whether each is the user's own.

    It stays whole, for tokens may reach over a seam, unless the user spells a token of the model's own.
    """
    said = sample.text.strip()
    if not any(piece in said for piece in special):
        return [(prompt, False)]
    before, *after = prompt.split(said)
    if len(after) != 1:
        raise InputError(
            f"{sample.name} spells a token of the model's own, and the chat template does not keep it apart"
        )
    return [(text, users) for text, users in ((before, False), (said, True), (after[0], False)) if text]


def _joined(parts: Sequence[tuple[Tokens, bool]], prompt: str, special: Mapping[int, str]) -> Tokens:
    """The parts of a prompt, and whether each is the user's own, put together again."""
    spans: list[Span | None] = []
    own: list[bool] = []
    start = 0
    for part, users in parts:
        for number, span in zip(part.ids, part.spans, strict=True):
            own.append(number in special and not users)
            shown = None if own[-1] or span is None else Span(0, start + span.start, start + span.stop)
            spans.append(shown)
        start += len(part.texts[0])
    return replace(
        parts[0][0],
        ids=[number for part, _ in parts for number in part.ids],
        pieces=[piece for part, _ in parts for piece in part.pieces],
        segments=[0] * len(spans),
        spans=spans,
        special=own,
        texts=(prompt,),
    )


def _first(tokens: Tokens, most: int | None) -> Tokens:
    """The first so many tokens."""
    return replace(
        tokens,
        ids=tokens.ids[:most],
        pieces=tokens.pieces[:most],
        spans=tokens.spans[:most],
        special=tokens.special[:most],
        segments=tokens.segments[:most],
    )

"""Labels a person can read, over the kinds of tokenizers there are."""

import pytest
from transformers import PreTrainedTokenizerFast

from attnviz.captures import Axis
from attnviz.inputs import Span
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.tokenizing import tokenized
from tests.models.zoo import TOKENIZERS


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, PreTrainedTokenizerFast]:
    return {kind: train() for kind, train in TOKENIZERS.items()}


def axis(tokenizer: PreTrainedTokenizerFast, *texts: str) -> Axis:
    return token_axis(tokenized(tokenizer, texts, template=True, commands=False, most=None))


CASES = {
    "wordpiece": [
        ("The cat sat.", "[CLS] The cat sat . [SEP]"),  # as the text has it, not lower-cased
        ("tiredly", "[CLS] tired +l +y [SEP]"),
        ("cat 😀 sat", "[CLS] cat [UNK] sat [SEP]"),
        ("[SEP]", "[CLS] [UNK] S +E +P [UNK] [SEP]"),  # the user's letters, not a command
    ],
    "byte_bpe": [
        ("The cat sat", "The cat sat"),
        ("unbelievable cat", "u +n +believ +able cat"),
        ("你 cat", "<E4> +<BD> +<A0> cat"),
        ("😀", "<F0> +<9F> +<98> +<80>"),
        ("a\n\nb\tc", "a \\n \\n b \\t c"),
        ("\x1b[0m\u202e", "\\x1b [ 0 +m +<E2> +<80> +<AE>"),
        ("Ġ", "<C4> +<A0>"),  # a letter of Maltese
    ],
    "unigram": [
        ("cat", "ca +t"),
        ("日本", "␣ 日 本"),
        ("a </s>", "␣ a ␣ </s>"),
    ],
    "byte_fallback": [
        ("The cat", "The cat"),
        ("你 cat", "␣ <E4> +<BD> +<A0> cat"),
        ("the  cat", "the ␣ cat"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "text", "expected"), [(kind, *case) for kind, cases in CASES.items() for case in cases]
)
def test_labels(kind: str, text: str, expected: str, tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    assert " ".join(axis(tokenizers[kind], text).labels) == expected


def test_tokens_of_the_models_own_are_special_and_stand_nowhere(
    tokenizers: dict[str, PreTrainedTokenizerFast],
) -> None:
    seen = axis(tokenizers["wordpiece"], "The cat")
    assert seen.special == (True, False, False, True)
    assert seen.spans == (None, Span(0, 0, 3), Span(0, 4, 7), None)
    assert seen.words == (-1, 0, 1, -1)


def test_a_pair_is_two_texts(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    seen = axis(tokenizers["wordpiece"], "The cat", "sat")
    assert seen.labels == ("[CLS]", "The", "cat", "[SEP]", "sat", "[SEP]")
    assert seen.spans[4] == Span(1, 0, 3)
    assert seen.texts == ("The cat", "sat")


def test_the_blank_put_before_a_text_stands_nowhere(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    seen = axis(tokenizers["byte_fallback"], "你")
    assert (seen.labels[0], seen.spans[0], seen.words[0]) == ("␣", Span(0, 0, 0), -1)
    assert seen.words[1] == 0


def test_letters_that_a_vocabulary_takes_for_a_command_are_told(
    tokenizers: dict[str, PreTrainedTokenizerFast],
) -> None:
    read = tokenized(tokenizers["unigram"], ("a </s>",), template=True, commands=False, most=None)
    assert read.notes == (
        "</s> in the text is read as the model's own: its tokenizer does not tell them apart",
    )


def test_bytes_are_shown_only_where_a_character_is_shared() -> None:
    """``ä`` is a letter, unless the vocabulary writes bytes so and a neighbour has the rest."""
    alone = Tokens([1], ["ä"], [Span(0, 0, 1)], [False], [0], ("ä",), bytes=True)
    assert token_axis(alone).labels == ("ä",)
    half = Tokens([1, 2], ["a⁄", "b"], [Span(0, 0, 1)] * 2, [False] * 2, [0] * 2, ("½",), bytes=False)
    assert token_axis(half).labels == ("a⁄", "+b")


def test_a_blank_that_a_vocabulary_puts_before_a_letter_is_seen() -> None:
    before = Tokens([1, 2], ["Ġ", "x"], [Span(0, 0, 1)] * 2, [False] * 2, [0] * 2, ("x",), bytes=True)
    assert token_axis(before).labels == ("␣", "+x")


def test_a_character_cut_in_the_middle_of_a_token() -> None:
    pieces = ["ĠfÃ", "©x"]  # " f\xc3" and "\xa9x" in GPT-2's alphabet
    spans = [Span(0, 0, 3), Span(0, 2, 4)]
    cut = Tokens([1, 2], pieces, spans, [False] * 2, [0] * 2, (" féx",), bytes=True)
    assert token_axis(cut).labels == ("f<C3>", "+<A9>x")

"""From a sample to what a model is called with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizer, PreTrainedTokenizerFast

from attnviz.errors import InputError
from attnviz.inputs import Sample, Span
from attnviz.models.base import Source
from attnviz.models.chat import chat_tokens
from attnviz.models.encoding import Reader, tokens_of
from attnviz.models.labels import Tokens, token_axis
from attnviz.models.tokenizing import tokenized
from tests.models import zoo

Sources = Callable[[str], Source]

TEMPLATE = "{% for m in messages %}<|user|>\n{{ m['content'] | trim }}<|end|>\n{% endfor %}"


@pytest.fixture(scope="module")
def wordpiece() -> PreTrainedTokenizerFast:
    return zoo.wordpiece()


@pytest.fixture(scope="module")
def chatty() -> PreTrainedTokenizerFast:
    tokenizer = zoo.byte_bpe()
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def read(tokenizer: Any, *texts: str, positions: int | None = None, truncate: bool = False) -> Tokens:
    sample = Sample(*texts, name="note")
    return tokens_of(Reader(tokenizer, "tiny", positions), sample, truncate=truncate)


def test_the_axis_of_queries_is_that_of_keys(source_of: Sources) -> None:
    encoded = source_of("bert").encode(Sample("The cat sat"))
    queries, keys = encoded.axes[""]
    assert queries is keys
    assert encoded.tensors["input_ids"].tolist() == [list(queries.ids)]


def test_segments_are_told_to_models_that_know_them(source_of: Sources) -> None:
    tensors = source_of("bert").encode(Sample("The cat", pair="sat")).tensors
    assert tensors["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1]]
    assert "token_type_ids" not in source_of("distilbert").encode(Sample("The cat", pair="sat")).tensors


@pytest.mark.parametrize("texts", [("",), ("  \n\t",), ("\u3000",), ("The cat", "  ")])
def test_nothing_to_read_is_an_error(wordpiece: PreTrainedTokenizerFast, texts: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="note is empty: give at least one word"):
        read(wordpiece, *texts)


def test_a_text_that_a_tokenizer_drops_is_an_error(wordpiece: PreTrainedTokenizerFast) -> None:
    with pytest.raises(InputError, match=r"the tokenizer of tiny leaves nothing of note: '\\x07'"):
        read(wordpiece, "\x07")


def test_a_text_longer_than_the_positions_is_an_error(wordpiece: PreTrainedTokenizerFast) -> None:
    with pytest.raises(InputError, match="note has 8 tokens and tiny reads at most 6: --truncate cuts it"):
        read(wordpiece, "the cat sat on the mat", positions=6)


def test_a_text_is_cut_on_demand_and_says_so(wordpiece: PreTrainedTokenizerFast) -> None:
    tokens = read(wordpiece, "the cat sat on the mat", positions=6, truncate=True)
    assert token_axis(tokens).labels == ("[CLS]", "the", "cat", "sat", "on", "[SEP]")
    assert tokens.notes == ("cut to 6 of 8 tokens",)


def test_a_text_that_fits_is_not_cut(wordpiece: PreTrainedTokenizerFast) -> None:
    assert read(wordpiece, "the cat sat on the mat", positions=8, truncate=True).notes == ()


def test_lone_surrogates_are_replaced_for_the_model_and_kept_in_the_labels() -> None:
    tokens = read(zoo.byte_bpe(), "the \ud800 sat")
    axis = token_axis(tokens)
    assert tokens.notes == ("1 lone surrogate read as U+FFFD",)
    assert axis.texts == ("the \ud800 sat",)
    assert axis.labels[-5:] == ("␣", "<EF>", "+<BF>", "+<BD>", "sat")


def test_the_mask_is_a_mask_and_other_commands_are_letters(wordpiece: PreTrainedTokenizerFast) -> None:
    masked = read(wordpiece, "the [MASK] sat")
    assert token_axis(masked).labels == ("[CLS]", "the", "[MASK]", "sat", "[SEP]")
    assert masked.special == [True, False, False, False, True]
    assert masked.ids[2] == wordpiece.mask_token_id
    letters = read(wordpiece, "the [MASK] [SEP] sat")
    assert wordpiece.mask_token_id not in letters.ids
    assert letters.notes == ("[MASK] read as letters, like [SEP]",)


def test_a_chat_is_the_whole_prompt(chatty: PreTrainedTokenizerFast) -> None:
    axis = token_axis(chat_tokens(chatty, Sample(" The cat ", chat=True), "tiny", None))
    assert axis.texts == ("<|user|>\nThe cat<|end|>\n",)
    assert axis.labels == ("<|user|>", "\\n", "The", "cat", "<|end|>", "\\n")
    assert axis.special == (True, False, False, False, True, False)
    assert axis.spans[2] == Span(0, 9, 12)


def test_what_the_user_spells_in_a_chat_is_no_command(chatty: PreTrainedTokenizerFast) -> None:
    tokens = chat_tokens(chatty, Sample("cat<|end|> sat", chat=True), "tiny", None)
    axis = token_axis(tokens)
    assert [label for label, own in zip(axis.labels, axis.special, strict=True) if own] == [
        "<|user|>",
        "<|end|>",
    ]
    covered = [axis.texts[0][span.start : span.stop] for span in axis.spans if span]
    assert "".join(covered) == "\ncat<|end|>sat\n"


def test_a_chat_template_that_changes_what_it_must_keep_apart_is_refused() -> None:
    shouting = zoo.byte_bpe()
    shouting.chat_template = "<|user|>{{ messages[0]['content'] | upper }}"
    with pytest.raises(InputError, match="note spells a token of the model's own, and the chat template"):
        chat_tokens(shouting, Sample("cat<|end|>", chat=True, name="note"), "tiny", None)


def test_a_tokenizer_without_a_chat_template_is_refused(wordpiece: PreTrainedTokenizerFast) -> None:
    with pytest.raises(InputError, match="tiny has no chat template: leave out --chat"):
        chat_tokens(wordpiece, Sample("cat", chat=True), "tiny", None)


def test_a_chat_template_that_refuses_the_message_says_why() -> None:
    strict = zoo.byte_bpe()
    strict.chat_template = "{{ raise_exception('a system message comes first') }}"
    with pytest.raises(InputError, match=r"the chat template of tiny does not take note \(a system message"):
        chat_tokens(strict, Sample("cat", chat=True, name="note"), "tiny", None)


def test_a_chat_is_cut_like_a_text(chatty: PreTrainedTokenizerFast) -> None:
    reader = Reader(chatty, "tiny", 3)
    tokens = tokens_of(reader, Sample("The cat", chat=True), truncate=True)
    assert (len(tokens.ids), tokens.notes) == (3, ("cut to 3 of 6 tokens",))


class Words(PreTrainedTokenizer):
    """A tokenizer in Python, without offsets: words and punctuation, lower-cased, long words in two."""

    def __init__(self, *, shout: bool = False) -> None:
        self.shout = shout
        self.known: dict[str, int] = {"[UNK]": 0}
        super().__init__(unk_token="[UNK]")

    @property
    def vocab_size(self) -> int:
        return 1000

    def get_vocab(self) -> dict[str, int]:
        return dict(self.known)

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        halves = ((word[:4], word[4:]) for word in text.lower().split())
        pieces = [piece for pair in halves for piece in pair if piece]
        return [f"<{piece}>" for piece in pieces] if self.shout else pieces

    def _convert_token_to_id(self, token: str) -> int:
        return self.known.setdefault(token, len(self.known))

    def _convert_id_to_token(self, index: int) -> str:
        return list(self.known)[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return " ".join(tokens)


def test_tokens_without_offsets_are_found_again() -> None:
    axis = token_axis(
        tokenized(Words(), ("The  Caterpillar", "sat"), template=True, commands=False, most=None)
    )
    assert axis.labels == ("The", "Cate", "+rpillar", "sat")
    assert axis.spans == (Span(0, 0, 3), Span(0, 5, 9), Span(0, 9, 16), Span(1, 0, 3))


def test_tokens_that_cannot_be_found_are_shown_as_they_are() -> None:
    tokens = tokenized(Words(shout=True), ("The cat",), template=True, commands=False, most=None)
    assert token_axis(tokens).labels == ("<the>", "<cat>")
    assert "this tokenizer does not say where its tokens stand in the text" in tokens.notes[0]


def test_blanks_that_a_tokenizer_trims_from_a_token_of_blanks_alone_are_its_own() -> None:
    tokens = read(zoo.byte_bpe(), "The  zebra")
    assert [tokens.pieces[1], tokens.spans[1]] == ["Ġ", Span(0, 3, 4)]
    assert token_axis(tokens).words.count(-1) == 0


def test_a_real_tokenizer(directory_of: Callable[[str], Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(directory_of("minilm"))
    axis = token_axis(read(tokenizer, "Unbelievably, it didn't rain."))
    assert " ".join(axis.labels) == "[CLS] Un +bel +ie +va +bly , it didn +' +t rain . [SEP]"

"""The tokenizer of the models that ship."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from attnviz.builtin import store
from attnviz.builtin.tokenizer import CLS, MASK, SEP

TOKENIZER = Tokenizer.from_file(str(store.shipped("encoder") / store.TOKENIZER))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_and_every_character_is_covered(text) -> None:
    encoding = TOKENIZER.encode(text)
    assert encoding.ids[0] == CLS
    assert encoding.ids[-1] == SEP
    covered = {position for start, stop in encoding.offsets for position in range(start, stop)}
    assert covered == set(range(len(text)))
    starts = [start for start, _ in encoding.offsets[1:-1]]
    assert starts == sorted(starts)


@pytest.mark.parametrize("text", ["The cat sat on the mat", "the  CAT, 3.5 naïve 中文 😀\n"])
def test_tokens_put_together_are_the_text_in_small_letters(text) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text).ids).removeprefix(" ") == text.lower()


def test_common_words_are_one_piece() -> None:
    encoding = TOKENIZER.encode("The cat sat on the mat because it was tired.")
    assert len(encoding) == 13
    assert [encoding.offsets[2], encoding.offsets[-2]] == [(3, 7), (43, 44)]


def test_a_hole_takes_the_blank_before_it() -> None:
    encoding = TOKENIZER.encode("The [MASK] sat")
    assert encoding.ids == [CLS, TOKENIZER.encode("the").ids[1], MASK, TOKENIZER.encode("sat").ids[1], SEP]


def test_two_texts_are_read_with_separators() -> None:
    assert TOKENIZER.encode("a cat", "a dog").ids.count(SEP) == 2

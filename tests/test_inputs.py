"""Words of a text, and text made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.inputs import Span, printable, word_spans, words_of


def words(text: str) -> list[str]:
    return [text[start:stop] for start, stop in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat  sat.", ["The", " cat", "  sat", "."]),
        ("don't 3.14 1,000", ["don't", " 3.14", " 1,000"]),
        ("我爱 x", ["我", "爱", " x"]),
        ("hi 👨‍👩‍👧!", ["hi", " 👨‍👩‍👧", "!"]),
        ("a\n\n  b ", ["a", "\n", "\n", "  b "]),
        ("", []),
        ("  ", ["  "]),
    ],
)
def test_words_are_those_of_the_unicode_standard_with_the_blanks_before_them(
    text: str, expected: list[str]
) -> None:
    assert words(text) == expected


@given(st.text())
def test_every_character_belongs_to_one_word(text: str) -> None:
    assert "".join(words(text)) == text
    assert all(words(text))


def test_a_token_over_several_words_makes_them_one() -> None:
    spans = [None, Span(0, 0, 3), Span(0, 3, 9), Span(0, 9, 11), None]
    assert words_of(spans, ["the cat sat"]) == (-1, 0, 1, 1, -1)


def test_a_token_of_blanks_belongs_to_the_word_after_it() -> None:
    assert words_of([Span(0, 0, 1), Span(0, 1, 2), Span(0, 2, 3)], ["a b"]) == (0, 1, 1)


def test_the_words_of_a_pair_are_numbered_on() -> None:
    assert words_of([Span(0, 0, 2), None, Span(1, 0, 2)], ["hi", "yo"]) == (0, -1, 1)


def test_tokens_that_share_one_character_share_its_word() -> None:
    assert words_of([Span(0, 0, 1)] * 3 + [Span(0, 1, 2)], ["你好"]) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("\ud800", "\\ud800"),
        ("\n\t\0", "\\n\\t\\x00"),
        ("\u2028", "\\u2028"),
        ("\U000f0000", "\\U000f0000"),
        ("[/INST] :smile: $\\foo$ </script>", "[/INST] :smile: $\\foo$ </script>"),
        ("שלום 👨‍👩‍👧 é", "שלום 👨‍👩‍👧 é"),
    ],
)
def test_what_could_act_on_a_page_is_shown_as_an_escape(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(st.text(st.characters(codec=None)))
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    assert printable(printable(text)) == printable(text)

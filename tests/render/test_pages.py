"""What a page says of itself: its title, of whatever the model read."""

from dataclasses import replace

import pytest

from attnviz.inputs import Sample
from attnviz.render.pages import title_of
from tests.analysis.maps import small_capture


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 60, "a" * 60),
        ("a" * 61, "a" * 59 + "…"),
        ("\x01" * 15, r"\x01" * 15),
        ("\x01" * 16, r"\x01" * 14 + "…"),
        ("word " + "\u202e" * 60, "word " + r"\u202e" * 9 + "…"),
    ],
)
def test_a_long_text_is_cut_between_characters_never_within_an_escape(text: str, shown: str) -> None:
    capture = replace(small_capture(), sample=Sample(text))
    assert title_of(capture) == f"{capture.model.name}  “{shown}”"

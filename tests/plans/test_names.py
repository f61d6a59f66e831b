"""Patterns and names of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from attnviz.errors import InputError
from attnviz.plans.names import LONGEST_NAME, check_pattern, filled, safe_name, same_file

VALUES = {"model": "bert", "sample": "cat", "layer": "cross.3", "head": "5", "view": "heatmap"}


def test_a_field_stands_for_its_value() -> None:
    assert filled("{model}-{sample}-{layer}.{head}.pdf", VALUES) == "bert-cat-cross.3.5.pdf"
    assert filled("{model}/{view}/{sample}.png", VALUES) == "bert/heatmap/cat.png"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cat", "cat"),
        ("a/b\\c", "a__b__c"),
        ("two words", "two_words"),
        ("日本語-ñ", "日本語-ñ"),
        ("e\u0301", "é"),
    ],
)
def test_a_harmless_name_stays_or_is_put_plainly(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    "name", ["a\nb", "..", ".hidden", "x" * 300, "a%b", "\u202ea", "", "\ud800", "日" * 99]
)
def test_what_would_act_in_a_name_is_replaced_and_a_digest_keeps_names_apart(name: str) -> None:
    safe = safe_name(name)
    assert safe == safe_name(name)
    assert not set(safe) & set("\n\r/\\%$#{}~^&\u202e\ud800 ")
    assert not safe.startswith(".")
    assert len(safe.encode()) <= LONGEST_NAME
    assert safe != safe_name(name + "!")


@given(some.text(some.characters(categories=("L", "N", "P", "S", "Z", "C")), max_size=400))
def test_no_name_leaves_its_place(name: str) -> None:
    file = filled("{sample}.pdf", {"sample": name})
    assert "/" not in file
    assert file not in (".", "..")
    assert len(file.encode()) < 200


def test_a_value_is_never_a_pattern() -> None:
    assert "{" not in filled("{sample}.pdf", {"sample": "{model.__class__}"})


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("../{sample}.pdf", "leaves the directory"),
        ("a/../../b.pdf", "leaves the directory"),
        ("/tmp/{sample}.pdf", "leaves the directory"),
        ("C:/x.pdf", "leaves the directory"),
        ("{sample.name}.pdf", r"\{sample.name\} stands for nothing; there are \{model\}"),
        ("{samples}.pdf", r"\{samples\} stands for nothing"),
        ("{sample", "a bracket is open"),
        ("{}.pdf", "stands for nothing"),
        ("a\nb.pdf", "is not taken by every system"),
        ("50%.pdf", "'%' is not taken"),
        ("a\\b.pdf", "is not taken"),
        ("", "leaves the directory"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        check_pattern(pattern)


def test_a_file_name_that_no_system_takes_is_refused() -> None:
    with pytest.raises(InputError, match=r"a name of \d+ bytes is too long; 240 are the most"):
        filled("{sample}-{sample}-{sample}.pdf", {"sample": "x" * 90})


def test_names_that_some_system_takes_for_one_are_one() -> None:
    assert same_file("Cat.pdf") == same_file("cat.PDF")

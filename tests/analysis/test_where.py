import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.where import DEEPEST, Names, condition
from attnviz.errors import UsageError

NAMES = Names(
    numbers=("layer", "induction", "previous", "previous.baseline", "entropy"),
    words={"pattern": ("previous", "mixed"), "stack": ()},
)
ROW = {
    "layer": 3.0, "induction": 0.5, "previous": 0.25, "previous.baseline": 0.125, "entropy": math.nan,
    "pattern": "mixed", "stack": "cross",
}  # fmt: skip


def holds(text: str) -> bool:
    return condition(text, NAMES).holds(ROW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("induction>0.4", True),
        ("induction > .5", False),
        ("induction>=0.5", True),
        ("induction<0.5", False),
        ("induction<=5e-1", True),
        ("layer=3", True),
        ("layer==3", True),
        ("layer!=3", False),
        ("layer>-1", True),
        ("previous.baseline<0.2", True),
        ('pattern="mixed"', True),
        ("pattern='previous'", False),
        ("pattern!=previous", True),
        ('stack="decoder"', False),
        ("induction>0.4 and layer<6", True),
        ("induction>0.4 AND layer<3", False),
        ("layer<3 or induction>0.4", True),
        ("not layer<3", True),
        ("not not layer<3", False),
    ],
)
def test_a_condition_holds_of_a_row_or_does_not(text, expected):
    assert holds(text) is expected


def test_and_binds_closer_than_or_and_not_closer_than_and():
    assert holds("layer=3 or layer=4 and layer=5")
    assert not holds("(layer=3 or layer=4) and layer=5")
    assert not holds("not layer=3 and layer=3 or layer=4")
    assert holds("not (layer=3 and layer=4)")


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "=", "!="])
def test_a_comparison_with_what_is_missing_is_false(sign):
    assert not holds(f"entropy{sign}1")
    assert holds(f"not entropy{sign}1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "inducton>0.4",
            r'"inducton" at character 1: no such name; did you mean induction\? there are layer',
        ),
        ("layer<6 and xyz>1", r'"xyz" at character 13: no such name; there are layer, induction, previous, '),
        ("induction", "at the end: one of <, <=, >, >=, =, != is expected behind induction"),
        ("induction>", "at the end: induction is compared with a number"),
        ("induction>high", '"high" at character 11: induction is compared with a number'),
        ("induction>1.2.3", r'"1" at character 11|compared with a number'),
        ("(layer<3", "at the end: a closing bracket is missing"),
        ("layer<3)", r'"\)" at character 8: and, or, or the end'),
        ("layer<3 layer>1", '"layer" at character 9: and, or, or the end'),
        ("", "at the end: the name of a number is expected"),
        ("and layer<3", '"and" at character 1: the name of a number'),
        ("0.4<induction", '"0.4" at character 1: the name of a number'),
        ("0<layer<3", '"0" at character 1'),
        ("layer<3<4", '"<" at character 8'),
        ("pattern<3", '"<" at character 8: pattern is a word: write pattern=WORD or pattern!=WORD'),
        ("pattern=3", '"3" at character 9: pattern is compared with a word'),
        ("pattern=previos", '"previos" at character 9: no such pattern; did you mean previous'),
        ("layer<3;import os", '";" at character 8: it means nothing here'),
        ("__import__('os')", '"__import__" at character 1: no such name'),
        ("layer<\x1b[31m", r'"\\x1b" at character 7'),
    ],
)
def test_an_error_is_one_line_that_points_at_the_place(text, message):
    with pytest.raises(UsageError, match=message) as caught:
        condition(text, NAMES)
    assert str(caught.value).startswith("--where ")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_another_option_names_itself():
    with pytest.raises(UsageError, match="--expect 'layer'"):
        condition("layer", NAMES, option="--expect")


def test_brackets_without_end_are_refused():
    assert holds("(" * (DEEPEST - 1) + "layer=3" + ")" * (DEEPEST - 1))
    for deep in ("(" * 5000, "not " * 5000):
        with pytest.raises(UsageError, match=f"more than {DEEPEST}"):
            condition(deep + "layer=3", NAMES)


@given(st.text(alphabet="layerand or not()<>=!.0123 \"'$\n", max_size=30))
def test_whatever_is_written_is_a_condition_or_an_error_of_one_line(text):
    try:
        assert condition(text, NAMES).holds(ROW) in (True, False)
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is right

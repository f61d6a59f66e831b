import math

import pytest

from attnviz.analysis.comparison import Measure
from attnviz.analysis.expect import check_expected, expectation, number
from attnviz.errors import ExpectationError, SelectionError, UsageError
from tests.render.comparisons import SAME, SMALL, comparison


@pytest.mark.parametrize(
    ("name", "value", "whose"),
    [
        ("matches", 1, "of 4 heads"),
        ("matched", 0.25, "1 of 4 heads"),
        ("min_similarity", 0.4, "head 0.1, best matched by 0.0"),
        ("max_similarity", 0.9, "head 0.0, best matched by 0.1"),
        ("mean_similarity", 2 / 3, "over 3 heads"),
    ],
)
def test_the_numbers_of_a_comparison(name: str, value: float, whose: str) -> None:
    found = number(SMALL, name)
    assert found.value == pytest.approx(value)
    assert found.whose == whose


def test_the_numbers_of_changes_leave_out_what_is_missing() -> None:
    assert number(SAME, "max_js_change") == number(SAME, "max_js_change").__class__(0.25, "head 0.1")
    assert number(SAME, "min_js_change").value == 0.0
    assert number(SAME, "mean_js_change").value == pytest.approx(0.084)


def test_what_holds_is_passed_over() -> None:
    check_expected(SAME, "max_js_change<0.3 and matched=1")
    check_expected(SMALL, "not matches>1")


def test_the_offender_is_named_with_its_value() -> None:
    with pytest.raises(
        ExpectationError,
        match=r"^first and second: expected max_js_change<0\.05, but max_js_change is 0\.25 \(head 0\.1\)$",
    ):
        check_expected(SAME, "max_js_change<0.05")
    with pytest.raises(ExpectationError, match=r"matched is 0\.25 \(1 of 4 heads\), min_similarity is 0\.4"):
        check_expected(SMALL, "matched>0.5 and min_similarity>0.1")


def test_a_number_that_is_missing_meets_nothing() -> None:
    nothing = comparison([[math.nan] * 3] * 4)
    with pytest.raises(ExpectationError, match="but min_similarity is missing"):
        check_expected(nothing, "min_similarity>=0")


def test_changes_of_models_with_other_heads_are_not_there() -> None:
    with pytest.raises(SelectionError, match=r"no max_js_change, as first and second do not have the same"):
        check_expected(SMALL, "max_js_change<0.05")


@pytest.mark.parametrize(
    ("text", "measure", "message"),
    [
        ("max_js_change", "js", r"--expect 'max_js_change': at the end: one of <"),
        ("max_js_chang<1", "js", "did you mean max_js_change"),
        ("max_js_change<1", "cka", "no such name; did you mean max_cka_change"),
        ("0.05", "cka", r"such as max_cka_change<0\.05"),
    ],
)
def test_what_is_no_expectation_is_refused_whatever_is_compared(
    text: str, measure: Measure, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        expectation(text, measure)

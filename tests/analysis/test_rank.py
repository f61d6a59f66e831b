from dataclasses import replace

import pytest

from attnviz.analysis.rank import check, ranked, spoken_of
from attnviz.analysis.summary import summary
from attnviz.errors import SelectionError, UsageError
from attnviz.recipes import Listing
from tests.analysis.heads import MISSING, seen

ROWS = summary(
    [
        seen(
            {"induction": [0.2, 0.9, MISSING], "entropy": [1.0, 2.0, 3.0]},
            baselines={"induction": [0.1, 0.1, MISSING]},
            pairs=[(0, 1, 0.3), (0, 1, 0.1), (0, 1, 0.2)],
        )
    ]
).rows


def names(**listing: object) -> list[str]:
    return [row.head.name for row in ranked(ROWS, Listing(**listing))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, ["0.0", "0.1", "1.0"]),
        ("entropy", ["1.0", "0.1", "0.0"]),
        ("-entropy", ["0.0", "0.1", "1.0"]),
        ("induction", ["0.1", "0.0", "1.0"]),
        ("-induction", ["0.0", "0.1", "1.0"]),
        ("evidence", ["0.0", "1.0", "0.1"]),
        ("layer", ["0.0", "0.1", "1.0"]),
        ("-layer", ["1.0", "0.0", "0.1"]),
        ("induction.baseline", ["0.0", "0.1", "1.0"]),
        ("pattern", ["0.1", "0.0", "1.0"]),
        ("-pattern", ["0.0", "1.0", "0.1"]),
    ],
)
def test_the_largest_come_first_and_what_is_missing_last_either_way(sort, order):
    assert names(sort=sort) == order


def test_the_condition_comes_before_the_order_and_the_first_ones_after_it():
    assert names(where="layer=0", sort="entropy", top=1) == ["0.1"]
    assert names(where='pattern="induction" or layer=1') == ["0.1", "1.0"]
    assert names(where="induction>0.95") == []


def test_the_names_spoken_of_are_each_told_once():
    assert spoken_of(Listing(where="not (next>1 or layer<3) and next<2", sort="-focus")) == (
        "focus",
        "next",
        "layer",
    )


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (Listing(sort="entropie"), "--sort 'entropie': no such name; did you mean entropy"),
        (Listing(sort="stack"), "--sort 'stack': no such name"),
        (Listing(where="foo>1"), "--where 'foo>1'"),
        (Listing(where="pattern=loop"), "no such pattern; .*there are previous, next, .*, mixed"),
        (Listing(top=0), "--top 0 shows nothing"),
    ],
)
def test_what_cannot_be_understood_is_an_error_whatever_the_model(listing, message):
    with pytest.raises(UsageError, match=message):
        check(listing)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("head=3.5", r'"3\.5" at character 6: .*head 3\.5 is layer=3 and head=5'),
        ("layer=-1", r'"-1" at character 7: layers count from 0 upwards; the last ones alone are -l -1'),
        ("layer<-1", "layers count from 0 upwards"),
    ],
)
def test_a_condition_that_can_hold_of_no_head_is_an_error(where, message):
    with pytest.raises(UsageError, match=message):
        check(Listing(where=where))
    check(Listing(where="layer<1.5 and head>=0.5 and next>-1"))


def test_a_stack_that_is_not_there_is_an_error_that_names_those_that_are():
    with pytest.raises(SelectionError, match="no head is in a stack cross: the model has a single one"):
        names(where="layer=0 or not stack=cross")
    stacks = [replace(row, head=row.head._replace(stack=f"s{row.head.layer}")) for row in ROWS]
    with pytest.raises(SelectionError, match="no head is in a stack cross: there are s0, s1"):
        ranked(stacks, Listing(where="stack=cross"))
    assert [row.head.name for row in ranked(stacks, Listing(where="stack!=s0"))] == ["s1.1.0"]

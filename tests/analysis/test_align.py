"""Alignment against all the alignments there are."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.align import Pair, aligned

words = st.lists(st.sampled_from("abc"), max_size=5)


def every(first: str, second: str, one: int = 0, two: int = 0) -> Iterator[tuple[Pair, ...]]:
    """Every way to lay two sequences side by side."""
    if one == len(first) and two == len(second):
        yield ()
        return
    if one < len(first) and two < len(second):
        pair = Pair(one, two, same=first[one] == second[two])
        yield from ((pair, *rest) for rest in every(first, second, one + 1, two + 1))
    if one < len(first):
        yield from ((Pair(one, None), *rest) for rest in every(first, second, one + 1, two))
    if two < len(second):
        yield from ((Pair(None, two), *rest) for rest in every(first, second, one, two + 1))


def cost(pairs: tuple[Pair, ...]) -> tuple[int, int, int]:
    """(edits, replacements, runs of same entries)"""
    runs = sum(pair.same and (place == 0 or not pairs[place - 1].same) for place, pair in enumerate(pairs))
    replaced = sum(pair.common and not pair.same for pair in pairs)
    return sum(not pair.same for pair in pairs), replaced, runs


def shown(first: str, second: str, **kinds: tuple[str, str]) -> list[str]:
    one, two = first.split(), second.split()
    return [
        (one[pair.first] if pair.first is not None else "∅")
        + ("" if pair.same else "→" + (two[pair.second] if pair.second is not None else "∅"))
        for pair in aligned(one, two, **kinds)
    ]


@given(words, words)
def test_no_alignment_has_fewer_edits_or_replacements_or_runs(first: list[str], second: list[str]) -> None:
    found = aligned(first, second)
    assert found in set(every("".join(first), "".join(second)))
    assert cost(found) == min(cost(pairs) for pairs in every("".join(first), "".join(second)))


@given(words, words)
def test_with_kinds_only_those_of_one_kind_replace_each_other(first: list[str], second: list[str]) -> None:
    kinds = [entry == "c" for entry in first], [entry == "c" for entry in second]
    allowed = [
        pairs
        for pairs in every("".join(first), "".join(second))
        if all(kinds[0][pair.first] == kinds[1][pair.second] for pair in pairs if None not in pair[:2])
    ]
    found = aligned(first, second, kinds)
    assert found in allowed
    assert cost(found) == min(map(cost, allowed))


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        ("he was tired", "she was tired", ["he→she", "was", "tired"]),
        ("he was tired", "he was very tired", ["he", "was", "∅→very", "tired"]),
        ("the old cat", "the cat", ["the", "old→∅", "cat"]),
        ("the cat sat", "the big the cat sat", ["∅→the", "∅→big", "the", "cat", "sat"]),
        ("on the mat", "the re on mat", ["∅→the", "∅→re", "on", "the→∅", "mat"]),
        ("a b", "", ["a→∅", "b→∅"]),
        ("", "", []),
    ],
)
def test_what_is_the_same_stays_together(first: str, second: str, pairs: list[str]) -> None:
    assert shown(first, second) == pairs


def test_nothing_is_replaced_where_every_entry_is_a_kind_of_its_own() -> None:
    first, second = ["a", "x", "b"], ["a", "y", "b"]
    assert [pair.same for pair in aligned(first, second, (first, second))] == [True, False, False, True]
    assert not any(pair.common and not pair.same for pair in aligned(first, second, (first, second)))

"""Which heads a choice means."""

from dataclasses import replace

import pytest

from attnviz.analysis.naming import check, wanted_heads
from attnviz.analysis.select import at_hand, selected
from attnviz.captures import Layers
from attnviz.errors import SelectionError, UsageError
from attnviz.facts import LayerFacts
from attnviz.recipes import Choice
from tests.analysis.maps import small_capture

ONE_STACK = [LayerFacts("", layer, 4) for layer in range(5)]
THREE_STACKS = [
    LayerFacts(stack, layer, 2) for stack in ("encoder", "decoder", "cross") for layer in range(3)
]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), {str(layer): (0, 1, 2, 3) for layer in range(5)}),
        (Choice(layers="0,2-4"), dict.fromkeys("0234", (0, 1, 2, 3))),
        (Choice(layers="-1", heads="0-1,-1"), {"4": (0, 1, 3)}),
        (Choice(heads="3.1,0.2,3.0"), {"0": (2,), "3": (0, 1)}),
        (Choice(heads="-1.-1"), {"4": (3,)}),
        (Choice(layers="1,1"), {"1": (0, 1, 2, 3)}),
    ],
)
def test_a_choice_means_these_heads(choice: Choice, expected: dict[str, tuple[int, ...]]) -> None:
    assert wanted_heads(ONE_STACK, choice) == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(layers="cross.1"), {"cross.1": (0, 1)}),
        (Choice(layers="1"), {"encoder.1": (0, 1), "decoder.1": (0, 1), "cross.1": (0, 1)}),
        (Choice(kind="cross", heads="0"), {f"cross.{layer}": (0,) for layer in range(3)}),
        (Choice(heads="decoder.2.1"), {"decoder.2": (1,)}),
    ],
)
def test_a_choice_names_its_stack(choice: Choice, expected: dict[str, tuple[int, ...]]) -> None:
    assert wanted_heads(THREE_STACKS, choice) == expected


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(layers="abc"), "-l/--layer 'abc': \"abc\" is no layer"),
        (Choice(layers="1,,2"), '"" is no layer'),
        (Choice(layers=""), '"" is no layer'),
        (Choice(heads="x.1"), '"x.1" is no head'),
        (Choice(heads="1,2.3"), "mixes exact heads"),
        (Choice(layers="1", heads="1.2"), "leave out -l"),
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(choice: Choice, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check(choice)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(layers="7"), "no layer 7: there are layers 0 to 4"),
        (Choice(layers="-6"), "no layer -6: there are layers 0 to 4"),
        (Choice(layers="1-7"), "no layer 1-7: there are layers 0 to 4"),
        (Choice(layers="3-1"), "layer 3-1 runs backwards: write 1-3"),
        (Choice(heads="4"), "no head 4 in layer 0: there are heads 0 to 3"),
        (Choice(heads="2.4"), "no head 4 in layer 2: there are heads 0 to 3"),
        (Choice(kind="cross"), "no cross attention in this model: it has layers 0 to 4"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(choice: Choice, message: str) -> None:
    with pytest.raises(SelectionError, match=message):
        wanted_heads(ONE_STACK, choice)


def test_an_exact_head_in_several_stacks_must_name_one() -> None:
    with pytest.raises(
        SelectionError, match=r"several stacks: write one of cross\.1\.0, decoder\.1\.0, encoder\.1\.0"
    ):
        wanted_heads(THREE_STACKS, Choice(heads="1.0"))


def test_selection_takes_the_right_maps_and_leaves_the_capture_alone() -> None:
    capture = small_capture(5, 3)
    chosen = selected(capture, Choice(heads="2.1,4.0"))
    assert [maps.name for maps in chosen.maps] == ["2", "4"]
    assert (chosen.map("2.1") == capture.map("2.1")).all()
    assert [maps.heads for maps in chosen.maps] == [(1,), (0,)]


def test_a_map_that_was_not_kept_cannot_be_chosen() -> None:
    chosen = selected(small_capture(5, 3), Choice(heads="2.1"))
    with pytest.raises(SelectionError, match=r"no map of head 2\.0 was kept"):
        selected(chosen, Choice(layers="2"))


def test_where_a_whole_map_is_missing_the_pooled_ones_serve_a_choice_too() -> None:
    capture = small_capture(5, 3)
    kept = replace(capture, maps=capture.maps[1:2], pooled=capture.maps[::-1])
    whole = replace(kept, pooled=Layers())
    assert (selected(kept, Choice(heads="1.2")).map("1.2") == whole.map("1.2")).all()
    assert [maps.heads for maps in selected(kept, Choice(heads="1.2,4.0")).maps] == [(2,), (0,)]
    some = replace(kept, pooled=capture.maps[:2])
    with pytest.raises(SelectionError, match=r"no map of head 4\.0 was kept, but of 1\.0, 1\.1"):
        selected(some, Choice(heads="1.2,4.0"))


def test_without_a_choice_those_that_were_kept_are_at_hand_and_named() -> None:
    capture = small_capture(5, 3)
    kept = replace(capture, maps=selected(capture, Choice(heads="1.2,4.0")).maps)
    chosen = at_hand(kept, Choice())
    assert chosen.maps == kept.maps
    assert chosen.notes == (*capture.notes, "only maps of 1.2, 4.0 were kept")
    assert at_hand(capture, Choice()) == selected(capture, Choice())
    for refused in (lambda: at_hand(kept, Choice(mean="heads")), lambda: selected(kept, Choice())):
        with pytest.raises(SelectionError, match=r"no map of head 0\.0 was kept, but of 1\.2, 4\.0"):
            refused()


def test_where_no_map_was_kept_none_are_offered() -> None:
    none = replace(small_capture(5, 3), maps=Layers())
    with pytest.raises(SelectionError, match=r"no map of head 4\.0 was kept, nor of any other: capture it"):
        selected(none, Choice(heads="4.0"))

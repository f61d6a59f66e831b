"""The word for a head, from its numbers."""

import math

import pytest

from attnviz.metrics import METRICS, PATTERNS, pattern, rules

UNIFORM = dict.fromkeys(PATTERNS, 0.1) | {"distance": 8.0}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_head_is_called_after_what_it_does(name: str) -> None:
    assert pattern({name: 0.41, "distance": 9.0}, UNIFORM) == (name, 0.41)


@pytest.mark.parametrize(
    ("values", "baselines", "name", "score"),
    [
        ({"previous": 0.39, "confidence": 0.6, "focus": 0.5, "distance": 5.0}, UNIFORM, "global", 0.6),
        ({"first": 0.59, "focus": 0.5, "distance": 5.0}, UNIFORM | {"first": 0.2}, "mixed", None),
        ({"previous": 0.5, "first": 0.6, "distance": 1.0}, UNIFORM, "first", 0.6),
        ({"previous": 0.5, "first": 0.6}, UNIFORM | {"previous": 0.05}, "previous", 0.5),
        ({"first": 0.5, "previous": 0.5}, UNIFORM, "previous", 0.5),
        ({"previous": math.nan, "distance": 3.9, "focus": 0.01}, UNIFORM, "local", 3.9),
        ({"distance": 4.0, "focus": 0.09, "confidence": 0.9}, UNIFORM, "broad", 0.09),
        ({"focus": 0.1, "confidence": 0.4}, {}, "global", 0.4),
        ({}, {}, "mixed", None),
    ],
)  # fmt: skip
def test_the_rules_come_in_their_order(
    values: dict[str, float], baselines: dict[str, float], name: str, score: float | None
) -> None:
    found = pattern(values, baselines)
    assert found.name == name
    assert math.isnan(found.score) if score is None else found.score == score


def test_what_has_a_baseline_is_told_in_the_vocabulary() -> None:
    assert {name for name, metric in METRICS.items() if metric.baseline} == {
        *PATTERNS,
        "distance",
        "positional",
    }


def test_the_rules_name_their_thresholds() -> None:
    text = " ".join(rules())
    assert all(number in text for number in ("0.4", "3 times", "0.5 times", "0.1"))

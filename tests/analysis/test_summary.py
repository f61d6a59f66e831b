import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.summary import Summary, summary
from attnviz.captures import Capture, Head
from attnviz.errors import InputError, SelectionError
from attnviz.facts import LayerFacts
from attnviz.recipes import Choice
from attnviz.render.rows import Statistic
from tests.analysis.heads import HEADS, LAYERS, MISSING, facts, seen, several


def statistic(found: Summary, name: str, head: int = 0) -> Statistic:
    return found.rows[head].statistics[name]


def test_one_sample_is_its_own_mean():
    found = summary([seen({"previous": [0.9, 0.1, 0.3]}, baselines={"previous": [0.1, 0.1, 0.2]})])
    assert [row.head for row in found.rows] == list(HEADS)
    assert [row.statistics["previous"].value for row in found.rows] == [0.9, 0.1, 0.3]
    entry = statistic(found, "previous", 2)
    assert (entry.baseline, entry.rows, entry.samples) == (0.2, 7, 1)
    assert found.rows[0].pattern == "previous"
    assert (found.rows[0].score, found.rows[0].scored) == (0.9, "previous")


def test_samples_count_equally_whatever_their_rows_and_those_without_a_value_are_left_out():
    long = seen({"next": [0.2, MISSING, 0.4]}, rows={"next": [1000, 0, 1000]})
    short = seen({"next": [0.8, MISSING, MISSING]}, rows={"next": [2, 0, 0]})
    found = summary([long, short])
    assert statistic(found, "next").value == pytest.approx(0.5)
    assert (statistic(found, "next").samples, statistic(found, "next").rows) == (2, 1002)
    assert math.isnan(statistic(found, "next", 1).value)
    assert (statistic(found, "next", 1).samples, statistic(found, "next", 1).rows) == (0, 0)
    assert statistic(found, "next", 2).value == pytest.approx(0.4)
    assert statistic(found, "next", 2).samples == 1


def test_the_pattern_follows_from_the_means():
    halves = [
        seen({name: [0.9] * 3, other: [0.1] * 3}, baselines={"previous": [0.1] * 3, "next": [0.1] * 3})
        for name, other in (("previous", "next"), ("next", "previous"))
    ]
    assert [summary([half]).rows[0].pattern for half in halves] == ["previous", "next"]
    both = summary(halves).rows[0]
    assert (both.pattern, both.score) == ("previous", pytest.approx(0.5))


def test_offsets_are_summed_over_samples_before_the_commonest_is_taken():
    first = seen({"positional": [MISSING] * 3}, offsets=[(0, -1, 6), (0, 2, 7), (1, 0, 13)])
    second = seen({"positional": [MISSING] * 3}, offsets=[(0, -1, 9), (0, 3, 1), (1, 0, 3)])
    found = summary([first, second])
    assert (statistic(found, "positional").value, found.rows[0].offset) == (pytest.approx(15 / 23), -1)
    assert statistic(found, "positional").rows == 23
    assert statistic(found, "positional").samples == 2
    assert math.isnan(statistic(found, "positional", 1).value)  # 16 rows are fewer than 20
    assert found.rows[1].offset is None
    assert found.rows[2].offset is None


def test_of_offsets_equally_common_the_nearest_is_named():
    found = summary([seen({}, offsets=[(0, -5, 15), (0, 2, 15), (0, 9, 1)])])
    assert found.rows[0].offset == 2


def test_below_ten_samples_there_is_no_interval_and_from_ten_on_one_around_the_mean():
    nine, ten = summary(several(9)), summary(several(10))
    assert math.isnan(statistic(nine, "previous").low)
    for head, mean in enumerate((0.5, 0.6, 0.7)):
        entry = statistic(ten, "previous", head)
        assert entry.value == pytest.approx(mean)
        assert mean - 0.1 < entry.low < mean < entry.high < mean + 0.1


def test_a_statistic_present_in_fewer_than_ten_samples_has_no_interval():
    samples = several(12)
    kept = {"previous": [0.5] * 3}
    some = [
        replace(sample, statistics=seen(kept | {"duplicate": [0.5 if n < 9 else MISSING] * 3}).statistics)
        for n, sample in enumerate(samples)
    ]
    found = summary(some)
    assert not math.isnan(statistic(found, "previous").low)
    assert statistic(found, "duplicate").samples == 9
    assert math.isnan(statistic(found, "duplicate").low)


def test_the_interval_is_that_of_means_of_samples_drawn_again():
    """The oracle draws sample by sample; both are estimates, from a few thousand draws each."""
    samples = several(15, spread=0.3)
    values = np.array([sample.statistics.values["previous"][1] for sample in samples])  # type: ignore[union-attr]
    rng = np.random.default_rng(1)
    means = [rng.choice(values, len(values)).mean() for _ in range(4000)]
    low, high = np.percentile(means, [2.5, 97.5])
    entry = statistic(summary(samples), "previous", 1)
    assert (entry.low, entry.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    first, again, other = (statistic(summary(several(10), seed=seed), "previous") for seed in (0, 0, 1))
    assert (first.low, first.high) == (again.low, again.high)
    assert (first.low, first.high) != (other.low, other.high)


def test_the_interval_of_positional_is_that_of_the_share_at_its_offset():
    samples = [seen({}, offsets=[(0, -1, 2 + number % 2), (0, 4, 1)]) for number in range(12)]
    entry = statistic(summary(samples), "positional")
    assert entry.value == pytest.approx(30 / 42)
    assert 2 / 3 <= entry.low < entry.value < entry.high <= 3 / 4


def test_the_strongest_pair_of_all_samples_is_the_evidence():
    first = seen({}, name="first", pairs=[(1, 2, 0.4), (3, 4, 0.9), (-1, -1, MISSING)])
    second = seen({}, name="second", pairs=[(5, 6, 0.7), (0, 1, 0.9), (-1, -1, MISSING)])
    one, two, three = (row.evidence for row in summary([first, second]).rows)
    assert one is not None
    assert (one.query, one.key, one.weight, one.sample) == ("5", "6", 0.7, "second")
    assert two is not None
    assert (two.query_position, two.key_position, two.sample) == (3, 4, "first")
    assert three is None


def test_a_window_is_told_where_a_sample_has_more_keys_than_it():
    windowed = facts((LayerFacts("", 0, 2, window=5), LAYERS[1]))
    assert [row.window for row in summary([seen({}, model=windowed)]).rows] == [5, 5, None]
    assert [row.window for row in summary([seen({}, model=windowed, length=5)]).rows] == [None] * 3


def test_the_choice_picks_the_rows():
    found = summary([seen({"next": [0.1, 0.2, 0.3]})], Choice(layers="-1"))
    assert [(row.head.name, row.statistics["next"].value) for row in found.rows] == [("1.0", 0.3)]


def test_a_sample_without_one_of_the_heads_is_left_out_for_it():
    whole, part = seen({"next": [0.1, 0.2, 0.3]}), seen({"next": [0.5]}, heads=(Head("", 1, 0),))
    found = summary([whole, part])
    assert [row.statistics["next"].samples for row in found.rows] == [1, 1, 2]
    assert found.rows[2].statistics["next"].value == pytest.approx(0.4)


def test_captures_are_read_one_at_a_time_and_their_maps_are_not_kept():
    def one_by_one() -> Iterator[Capture]:
        for capture in several(3):
            yield replace(capture, notes=(f"of {capture.sample.name}",))

    found = summary(one_by_one())
    assert [capture.notes for capture in found.samples] == [("of text-1",), ("of text-2",), ("of text-3",)]
    assert all(capture.statistics is None and not capture.axes for capture in found.samples)


def test_what_cannot_be_summed_up_is_an_error():
    with pytest.raises(SelectionError, match="no statistics of text were kept"):
        summary([replace(seen({}), statistics=None)])
    with pytest.raises(InputError, match="no capture"):
        summary([])
    with pytest.raises(InputError, match="of small and of other: a table is of one model"):
        summary([seen({}), seen({}, model=facts(name="other"))])
    with pytest.raises(SelectionError, match=r"no statistics of head 0\.1 were kept"):
        summary([seen({"next": [0.5]}, heads=(Head("", 1, 0),))], Choice(heads="0.1"))

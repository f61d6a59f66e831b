"""A row of attention worked out by numbers: one by hand, and what is added on the way."""

from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.steps import worked
from attnviz.analysis.strongest import strongest
from attnviz.captures import Head
from tests.observe.test_variants import made


def test_a_row_worked_by_hand() -> None:
    head = replace(
        made(causal=True),
        query=np.array([[0, 0], [2, 1], *[[0, 0]] * 3], np.float32),
        key=np.array([[1, 1], [3, 0], *[[9, 9]] * 3], np.float32),
        value=np.array([[4, 0], [0, 8], *[[7, 7]] * 3], np.float32),
        scale=np.log(3) / 3,
    )
    work = worked(head, 1)  # sees two keys: q.k 3 and 6, scores ln 3 and 2 ln 3
    assert work.products is not None
    assert work.products[1].tolist() == [6, 0]
    assert work.dots[:2].tolist() == [3, 6]
    assert work.scores[:2] == pytest.approx([np.log(3), 2 * np.log(3)])
    assert work.powers == pytest.approx([1 / 3, 1, 0, 0, 0])
    assert work.weights == pytest.approx([0.25, 0.75, 0, 0, 0])
    assert work.read == pytest.approx([1, 6])
    assert (work.strongest, work.total) == (1, pytest.approx(4 / 3))


def test_steps_end_at_the_weights_of_the_head() -> None:
    head = made(causal=True)
    for row in range(5):
        assert worked(head, row).weights == pytest.approx(head.weights[row], abs=1e-6)


def test_a_sink_a_cap_and_a_bias_have_their_part() -> None:
    plain = worked(made(), 2)
    sunk = worked(made(sink=plain.top), 2)
    assert sunk.total == pytest.approx(plain.total + 1)
    assert sunk.weights.sum() == pytest.approx(plain.total / sunk.total)
    assert np.abs(worked(made(cap=0.5), 2).scores).max() < 0.5
    bias = np.full((5, 5), 3, np.float32)
    assert worked(made(bias=bias), 2).scores == pytest.approx(plain.scores + 3)


def test_a_score_that_was_learnt_is_taken_as_it_is() -> None:
    learnt = np.arange(25, dtype=np.float32).reshape(5, 5)
    work = worked(made(score="additive", learnt=learnt), 3)
    assert work.products is None
    assert work.scores.tolist() == learnt[3].tolist()
    assert work.weights == pytest.approx(np.exp(learnt[3] - 19) / np.exp(learnt[3] - 19).sum())


def test_the_head_that_looks_hardest_beyond_its_neighbours_is_chosen() -> None:
    seen = made().seen
    previous, far = np.eye(5, k=-1, dtype=np.float32), 0.4 * np.eye(5, k=-3, dtype=np.float32)
    maps = replace(seen.maps[0], heads=(0, 1), weights=np.stack([previous, far]))
    both = replace(seen, maps=(maps,))  # type: ignore[arg-type]
    assert strongest(both) == (Head("", 0, 1), pytest.approx(0.16))  # in two of five rows
    assert strongest(both, "1") == (Head("", 0, 0), 0)  # in that row neither looks further: the first

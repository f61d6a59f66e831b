import math

import numpy as np
import pytest

from attnviz.analysis.comparison import Similarity
from attnviz.errors import SelectionError, UsageError
from tests.render.comparisons import SAME, SMALL


def test_a_similarity_is_found_by_the_names_of_two_heads_or_of_one() -> None:
    assert SMALL.similarity["0.0", "0.1"] == 0.9
    assert SMALL.similarity["1.1"].tolist() == [0.3, 0.2, 0.7]
    assert SMALL.similarity[:, "0.0"].tolist() == [0.1, 0.4, 0.2, 0.3]
    assert SMALL.similarity[3, 2] == 0.7


def test_a_head_that_is_not_there_is_named() -> None:
    with pytest.raises(SelectionError, match=r"no head 1\.0: there are 0\.0 to 0\.2"):
        SMALL.similarity["0.0", "1.0"]


def test_numpy_takes_similarities_for_the_array_that_they_hold() -> None:
    assert np.nanmax(SMALL.similarity) == 0.9
    assert np.asarray(SMALL.similarity).shape == SMALL.similarity.shape == (4, 3)


def test_similarities_need_a_value_for_every_pair_of_heads() -> None:
    with pytest.raises(ValueError, match=r"values of shape \(2, 2\) for 4 and 3 heads"):
        Similarity(np.zeros((2, 2)), SMALL.first, SMALL.second)


def test_similarities_become_a_data_frame_labelled_by_heads() -> None:
    pytest.importorskip("pandas")
    frame = SMALL.similarity.to_pandas()
    assert frame.loc["0.1", "0.0"] == 0.4
    assert list(frame.columns) == ["0.0", "0.1", "0.2"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_matches_become_a_data_frame(library: str) -> None:
    pytest.importorskip(library)
    frame = getattr(SMALL, f"to_{library}")()
    assert list(frame["first"]) == ["0.0", "0.1", "1.1"]
    assert list(frame["second"]) == ["0.1", "0.0", "0.2"]
    assert list(frame["similarity"]) == [0.9, 0.4, 0.7]
    assert list(frame["verdict"]) == ["match", "position", "chance"]
    assert all(math.isnan(low) for low in frame["low"])


def test_matches_are_those_that_are_called_one() -> None:
    assert SMALL.matched == 1


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_changes_become_a_data_frame(library: str) -> None:
    pytest.importorskip(library)
    frame = getattr(SAME, f"to_{library}")("changes")
    assert list(frame["head"]) == ["0.0", "0.1", "1.0", "1.1"]
    assert list(frame["change"])[:3] == [0.0, 0.25, 0.002]
    assert list(frame.columns)[4:] == ["change", "low", "high", "samples"]
    with pytest.raises(UsageError, match="'heads': there are matches and changes"):
        getattr(SAME, f"to_{library}")("heads")


def test_a_comparison_is_told_in_one_line() -> None:
    assert repr(SMALL) == "<Comparison of first and second: 1 of 4 heads matched, 2 samples, js>"
    assert repr(SMALL.similarity) == "<Similarity of 4 by 3 heads>"

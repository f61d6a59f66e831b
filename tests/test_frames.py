import math
import sys

import pytest

from attnviz.errors import OutputError
from tests.analysis.heads import MISSING, seen

STATISTICS = seen({"previous": [0.9, MISSING, 0.1]}, baselines={"previous": [0.2, MISSING, 0.3]}).statistics
assert STATISTICS is not None


def test_statistics_become_a_data_frame_of_pandas() -> None:
    pytest.importorskip("pandas")
    frame = STATISTICS.to_pandas()
    assert frame["head"].tolist() == ["0.0", "0.1", "1.0"]
    assert frame["layer"].tolist() == [0, 0, 1]
    assert frame["number"].tolist() == [0, 1, 0]
    assert frame["previous.baseline"].tolist()[::2] == [0.2, 0.3]
    assert frame["previous.rows"].tolist() == [7, 7, 7]
    assert math.isnan(frame["previous"][1])


def test_statistics_become_a_data_frame_of_polars() -> None:
    pytest.importorskip("polars")
    assert STATISTICS.to_polars()["previous"].to_list()[::2] == [0.9, 0.1]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_library_that_is_not_there_is_named(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(OutputError, match=f"needs {library}, which is not here: pip install {library}"):
        getattr(STATISTICS, f"to_{library}")()


def test_a_notebook_shows_statistics_as_a_table() -> None:
    html = STATISTICS._repr_html_()
    assert '<th style="text-align: right">previous</th>' in html
    assert html.count("<tr>") == 4
    assert ">-</td>" in html

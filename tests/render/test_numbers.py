import csv
import io
import json

import numpy as np
import pytest

from attnviz.errors import UsageError
from attnviz.recipes import Recipe
from attnviz.render.numbers import COLUMNS, csv_bytes, json_bytes, maps_of, npz_bytes, numbers_bytes
from tests.render.drawings import HARMFUL, WIDE, atlas, causal, heatmap, page, spread

RECIPE = Recipe("heatmap", model={"name": "a model"}, sample={"text": "caf\u00e9 (\\)"})
LABELS = (*HARMFUL, *WIDE, "+ing", "@SUM(1)", "-1", 'a"b', "a,b", "NA", "")


def rows(data: bytes) -> list[dict[str, str]]:
    lines = data.decode().split("\n", 1)[1]
    return list(csv.DictReader(io.StringIO(lines, newline="")))


def test_a_json_document_worked_by_hand():
    view = page(heatmap([[0.1, 0.9]], ("a",), ("x", "y"), name="cross.3.5"), title="t", recipe=RECIPE)
    assert json.loads(json_bytes(view)) == {
        "schema": 1,
        "title": "t",
        "notes": [],
        "recipe": RECIPE.entries(),
        "maps": [
            {
                "name": "cross.3.5",
                "layer": "cross.3",
                "head": "5",
                "title": "layer cross.3, head 5",
                "unit": "token",
                "queries": ["a"],
                "keys": ["x", "y"],
                "query_positions": [0],
                "key_positions": [0, 1],
                "weights": [[0.1, 0.9]],
            }
        ],
    }


def test_a_csv_table_worked_by_hand():
    view = page(heatmap([[0.1, 0.9]], ("a",), ("x", "+y"), name="3.mean"), recipe=RECIPE)
    assert csv_bytes(view).decode() == (
        f"# {RECIPE.to_json()}\n"
        '"layer","head","query_position","query_label","key_position","key_label","weight"\n'
        '"3","mean",0,"a",0,"x",0.1\n'
        '"3","mean",0,"a",1,"+y",0.9\n'
    )


def test_what_has_no_weight_is_null_empty_and_nan_and_not_0():
    view = page(causal(("a", "b")), recipe=RECIPE)
    assert json.loads(json_bytes(view))["maps"][0]["weights"] == [[1.0, None], [0.5, 0.5]]
    assert [row["weight"] for row in rows(csv_bytes(view))] == ["1.0", "", "0.5", "0.5"]
    read = np.load(io.BytesIO(npz_bytes(view)))["0.0/weights"]
    assert np.array_equal(read, [[1, np.nan], [0.5, 0.5]], equal_nan=True)


def test_a_weight_that_is_no_number_is_null():
    assert json.loads(json_bytes(page(heatmap([[np.nan]], ("a",)))))["maps"][0]["weights"] == [[None]]


def test_every_label_is_read_back_as_it_was():
    view = page(spread(LABELS), recipe=RECIPE)
    assert json.loads(json_bytes(view))["maps"][0]["keys"] == list(LABELS)
    assert [row["key_label"] for row in rows(csv_bytes(view))[: len(LABELS)]] == list(LABELS)
    assert np.load(io.BytesIO(npz_bytes(view)))["0.0/keys"].tolist() == list(LABELS)


def test_weights_are_read_back_exactly():
    weights = spread(LABELS).weights
    view = page(spread(LABELS), recipe=RECIPE)
    read = np.array([row["weight"] for row in rows(csv_bytes(view))], np.float32)
    assert np.array_equal(read, weights.ravel())
    assert np.array_equal(np.array(json.loads(json_bytes(view))["maps"][0]["weights"], np.float32), weights)
    arrays = np.load(io.BytesIO(npz_bytes(view)))
    assert np.array_equal(arrays["0.0/weights"], weights)
    assert arrays["0.0/weights"].dtype == np.float32
    assert json.loads(str(arrays["recipe"])) == RECIPE.entries()


def test_the_maps_of_the_overview_are_there_too_and_none_twice():
    view = page(spread(("a", "b"), name="1.mean"), spread(("a", "b"), name="0.1"), atlas=atlas(2, 3, 5))
    names = [heatmap.name for heatmap in maps_of(view)]
    assert names == ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2", "1.mean"]


@pytest.mark.parametrize("suffix", [".json", ".csv", ".npz"])
def test_the_same_page_gives_the_same_bytes(suffix):
    view = page(spread(LABELS), recipe=RECIPE)
    assert numbers_bytes(view, suffix) == numbers_bytes(view, suffix)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_more_than_a_million_cells_are_for_npz(suffix):
    labels = tuple(map(str, range(1001)))
    view = page(heatmap(np.zeros((1001, 1001)), labels))
    with pytest.raises(UsageError, match=rf"1,002,001 weights are too many for a \{suffix} file"):
        numbers_bytes(view, suffix)
    assert np.load(io.BytesIO(numbers_bytes(view, ".npz")))["0.0/weights"].shape == (1001, 1001)


def test_the_columns_are_those_promised():
    assert COLUMNS[:6] == ("layer", "head", "query_position", "query_label", "key_position", "key_label")

import numpy as np
import pytest

from attnviz.render.views import Scale
from tests.render.drawings import atlas, heatmap


@pytest.mark.parametrize("kind", ["linear", "log", "sqrt"])
@pytest.mark.parametrize("vmax", [1.0, 0.05])
def test_every_scale_begins_at_0_ends_at_vmax_and_never_turns_back(kind, vmax):
    scale = Scale(kind, vmax)
    places = scale.place(np.linspace(0, 1, 101, dtype=np.float32))
    assert places[0] == 0
    assert scale.place(np.array([vmax, 1], np.float32)) == pytest.approx([1, 1])
    assert (np.diff(places) >= 0).all()


def test_a_scale_leaves_what_is_no_weight_alone():
    assert np.isnan(Scale("log").place(np.array([np.nan], np.float32))).all()


@pytest.mark.parametrize(
    ("scale", "numbers"),
    [
        (Scale(), ["0", "0.25", "0.5", "0.75", "1"]),
        (Scale("sqrt", 0.2), ["0", "0.05", "0.1", "0.15", "0.2"]),
        (Scale("log", 0.05), ["0.0001", "0.001", "0.01", "0.05"]),
    ],
)
def test_a_colour_bar_is_numbered_where_the_weights_are(scale, numbers):
    places, texts = zip(*scale.ticks(), strict=True)
    assert list(texts) == numbers
    assert scale.place(np.array(list(map(float, texts)), np.float32)) == pytest.approx(places, abs=1e-6)


def test_positions_are_counted_if_none_are_given():
    assert heatmap(np.zeros((2, 3)), ("a", "b"), ("x", "y", "z")).key_positions == (0, 1, 2)


def test_arrays_and_labels_must_agree():
    with pytest.raises(ValueError, match=r"shape \(2, 3\) under labels of shape \(2, 2\)"):
        heatmap(np.zeros((2, 3)), ("a", "b"))


@pytest.mark.parametrize(
    ("layers", "heads", "title"), [(6, 12, "6 layers × 12 heads"), (1, 1, "1 layer × 1 head")]
)
def test_an_overview_says_how_much_it_shows(layers, heads, title):
    assert atlas(layers, heads, 2).title == title

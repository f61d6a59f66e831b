import subprocess
import sys

import matplotlib
import numpy as np
import pytest

from attnviz.errors import UsageError
from attnviz.render.colours import bright, colours, in_256, levels


def test_the_table_that_ships_is_matplotlibs_viridis():
    theirs = matplotlib.colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
    assert np.array_equal(colours("viridis"), theirs)


def test_another_map_comes_from_matplotlib():
    assert colours("Greys")[0].tolist() == [255, 255, 255]
    assert colours("Greys")[255].tolist() == [0, 0, 0]


def test_a_wrong_name_is_answered_with_near_ones():
    with pytest.raises(UsageError, match="'virdis': there are viridis"):
        colours("virdis")


def test_a_name_like_no_other_is_answered_with_usual_ones():
    with pytest.raises(UsageError, match="viridis, cividis, magma"):
        colours("0123456789")


def test_the_lowest_and_the_highest_place_have_the_lowest_and_the_highest_colour():
    assert levels(np.array([0, 0.5, 1], np.float32)).tolist() == [0, 128, 255]


def test_text_is_black_on_light_colours_and_white_on_dark_ones():
    table = np.array([[0, 0, 0], [68, 1, 84], [253, 231, 37], [255, 255, 255]], np.uint8)
    assert bright(table).tolist() == [False, False, True, True]


@pytest.mark.parametrize("name", ["viridis", "magma", "cividis", "Greys"])
def test_in_256_colours_a_map_never_turns_back(name):
    """A colour that was left does not come again, so that a cell's colour still has one meaning."""
    numbers = in_256(colours(name)).tolist()
    steps = [number for place, number in enumerate(numbers) if place == 0 or numbers[place - 1] != number]
    assert len(steps) == len(set(steps)) >= 8


def test_fixed_colours_are_their_own_nearest():
    assert in_256(np.array([[0, 0, 0], [255, 0, 0], [8, 8, 8]], np.uint8)).tolist() == [16, 196, 232]


def test_the_terminal_needs_no_matplotlib():
    check = "import sys, attnviz.render.terminal; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    assert run.stdout == "False\n"

"""Widths by name, and figures that have exactly these."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from attnviz.cli.app import run
from attnviz.errors import UsageError
from attnviz.recipes import Style
from attnviz.render.files import FORMATS
from attnviz.venues import VENUES, inches, points
from tests.render.drawings import WORDS, atlas, page, spread


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        ("acl", 3.0315), ("acl:column", 3.0315), ("acl:page", 6.2992), ("neurips", 5.5), ("cvpr", 3.25),
        ("cvpr:page", 6.875), ("nature", 3.5039), ("nature:page", 7.2047), ("3.25in", 3.25), ("84mm", 3.3071),
        ("8.4cm", 3.3071), ("72pt", 1.0), ("2", 2.0),
    ],
)  # fmt: skip
def test_widths_have_names(width, expected):
    assert inches(width) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("width", "message"),
    [
        ("ac", "write acl or acl:page"),
        ("acl:half", "write acl or acl:page"),
        ("wide", "or one of acl, neurips, cvpr, nature"),
        ("nan", "not between 0.5 and 100"),
        ("0.1in", "not between 0.5 and 100"),
    ],
)
def test_what_is_no_width_is_answered_with_some_that_are(width, message):
    with pytest.raises(UsageError, match=message):
        inches(width)


def test_letters_are_as_large_as_a_venue_asks_or_the_medium():
    assert points("paper") == 8
    assert points("paper", "nature:page") == VENUES["nature"].points
    assert points("talk", "nature") == points("talk") > points("paper")
    with pytest.raises(UsageError, match="none of paper, talk, poster"):
        points("billboard")


@pytest.mark.parametrize("view", [page(spread(WORDS)), page(atlas=atlas(2, 6, 9))], ids=["map", "atlas"])
@pytest.mark.parametrize("name", ["acl", "acl:page", "neurips", "cvpr", "nature", "nature:page"])
def test_files_have_exactly_the_width_of_the_venue(name, view):
    width, style = inches(name), Style(width=inches(name), font_size=points("paper", name))
    data = {suffix: FORMATS[suffix].write(view, style)[0] for suffix in (".png", ".pdf", ".svg")}
    assert abs(Image.open(io.BytesIO(data[".png"])).width - width * style.dpi) <= 1
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", data[".pdf"])
    assert float(box[1]) == pytest.approx(width * 72, abs=0.01)
    assert float(re.search(rb'<svg[^>]* width="([\d.]+)pt"', data[".svg"])[1]) == pytest.approx(
        width * 72, abs=0.01
    )


def test_a_poster_is_larger_than_a_talk_and_that_than_a_page(tmp_path: Path) -> None:
    widths = []
    for medium in ("paper", "talk", "poster"):
        file = tmp_path / f"{medium}.png"
        assert (
            run(["heatmap", "The cat sat on the mat", "--style", medium, "--dpi", "50", "-o", str(file)]) == 0
        )
        with Image.open(file) as picture:
            widths.append(picture.width)
    assert widths == sorted(set(widths))

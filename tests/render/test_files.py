import html
import os
from pathlib import Path

import pytest

from attnviz.errors import OutputError
from attnviz.files import write_whole
from attnviz.recipes import Recipe, Style
from attnviz.render.files import FORMATS, checked, save
from tests.render.drawings import HARMFUL, many, page, spread

VIEW = page(spread(HARMFUL), recipe=Recipe("heatmap", model={}, sample={}))
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_of_each_kind_begins_as_its_kind_does_and_may_be_written_again(suffix, tmp_path):
    path = tmp_path / f"map{suffix}"
    save(VIEW, path, Style())
    first = path.read_bytes()
    assert first.startswith(FORMATS[suffix].openings)
    save(VIEW, path, Style())
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_of_another_kind_is_replaced_only_by_force(suffix, tmp_path):
    path = tmp_path / f"map{suffix}"
    path.write_text("what somebody wrote")
    with pytest.raises(OutputError, match="--force replaces it"):
        save(VIEW, path, Style())
    assert path.read_text() == "what somebody wrote"
    save(VIEW, path, Style(), force=True)
    assert path.read_bytes().startswith(FORMATS[suffix].openings)


def test_an_empty_file_is_replaced(tmp_path):
    (tmp_path / "map.csv").touch()
    save(VIEW, tmp_path / "map.csv", Style())


def test_the_suffix_may_be_in_capitals(tmp_path):
    save(VIEW, tmp_path / "MAP.CSV", Style())
    assert (tmp_path / "MAP.CSV").exists()


@pytest.mark.parametrize("name", ["map.jpeg", "map", ".png"])
def test_an_unknown_suffix_is_answered_with_the_known_ones(name, tmp_path):
    with pytest.raises(OutputError, match=r"these are: \.png, \.pdf, \.svg, \.json, \.csv, \.npz"):
        checked(tmp_path / name)


def test_a_directory_is_no_file(tmp_path):
    (tmp_path / "maps.png").mkdir()
    with pytest.raises(OutputError, match="it is a directory"):
        checked(tmp_path / "maps.png", force=True)


def test_a_place_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"there is no directory .*nowhere"):
        checked(tmp_path / "nowhere" / "map.png")


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_place_that_may_not_be_written_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match=r"cannot write .*map\.csv: Permission denied"):
        save(VIEW, tmp_path / "map.csv", Style())


def test_what_is_no_plain_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(OutputError, match="a file is there"):
        checked(tmp_path / "pipe.csv")


def test_an_escape_in_a_name_does_not_reach_the_terminal(tmp_path):
    with pytest.raises(OutputError, match=r"\\x1b\[31m"):
        checked(tmp_path / "\x1b[31mred.jpeg")


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_if_writing_fails(failure, tmp_path, monkeypatch):
    path = tmp_path / "map.csv"
    save(VIEW, path, Style())
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        write_whole(path, b"half")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    save(VIEW, tmp_path / "link.csv", Style())
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes()


def test_missing_characters_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("attnviz.render.fonts._other_families", lambda: ())
    assert save(page(spread(("猫",))), tmp_path / "map.png", Style()) == (
        "no font here can draw U+732B: shown as code points",
    )


def test_the_recipe_in_a_figure_says_how_many_tokens_are_pooled(tmp_path):
    big = page(spread(many(300)), recipe=VIEW.recipe)
    save(big, tmp_path / "big.svg", Style())
    assert '"pooled": {"0.0": [3, 3]}' in html.unescape((tmp_path / "big.svg").read_text())

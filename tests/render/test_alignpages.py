"""A translation beside its source, as people see it and as scripts read it."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection

import attnviz
from attnviz.aligning import alignment_view
from attnviz.analysis.translated import aligned
from attnviz.recipes import Aligning, Choice, Recipe, Style
from attnviz.render import prose
from attnviz.render.asdrawn import as_drawn
from attnviz.render.figure import figure
from attnviz.render.numbers import numbers_bytes
from attnviz.render.pooling import pooled
from attnviz.render.views import Page
from tests.analysis.translations import translation
from tests.render.test_terminal import ansi, lines, plain

HEAD = Choice(heads="cross.1.1")


def view(threshold: float | None = None) -> Page:
    return alignment_view(aligned(translation(), HEAD, threshold))


def test_the_terminal_shows_what_was_written_beside_what_was_read_with_a_dot_on_every_link() -> None:
    assert plain(view()) == (
        "interpreter  “The black cat” → “Le chat noir”\n"
        "\n"
        "     cross layer 1, head 1\n"
        "      The  black  cat   </s>\n"
        "  Le ●.50  ·.05  ░.25  ·.20\n"
        "chat ·.10  ·.20  ●.50  ·.20\n"
        "noir ·.10  ●.60  ·.20  ·.10\n"
        "\n"
        "     ·······░░░░░░▒▒▒▒▒▒▒▓▓▓▓▓▓███████  attention weight\n"
        "     0      0.25    0.5    0.75      1\n"
        "     ●  each target word's strongest source word\n"
        "rows are words of the target as they are written\n"
    )


def test_colours_have_the_dot_beside_the_weight_or_alone_where_that_has_no_room() -> None:
    assert "●.50" in ansi(view())
    rows = lines(ansi(view(), columns=16))
    assert [row.count("●") for row in rows if row.startswith(("  Le", "chat", "noir"))] == [1, 1, 1]
    assert "●.50" not in "".join(rows)


def test_a_figure_has_a_dot_on_every_link_and_says_what_it_is() -> None:
    drawn, _ = figure(view(0.25), Style())
    [dots] = [each for each in drawn.axes[0].collections if isinstance(each, PathCollection)]
    assert sorted(dots.get_offsets().tolist()) == [[0, 0], [1, 2], [2, 0], [2, 1]]
    told = prose.caption(as_drawn(view(0.25), Style(), ".png").recipe)
    assert "each target word's strongest source word, and all from 0.25 on" in told


def test_what_is_pooled_has_no_dots() -> None:
    assert pooled(view().heatmaps[0], 2).marked == ()


def test_json_holds_texts_words_and_links() -> None:
    document = json.loads(numbers_bytes(view(0.25), ".json"))
    assert document["source"] == "The black cat"
    assert document["translation"] == "Le chat noir"
    assert document["source_words"] == ["The", "black", "cat"]
    assert document["target_words"] == ["Le", "chat", "noir"]
    [entry] = document["alignments"]
    assert entry["name"] == "cross.1.1"
    assert entry["pharaoh"] == "0-0 1-2 2-0 2-1"
    assert entry["links"][1] == {"source": 1, "target": 2, "weight": pytest.approx(0.6)}
    assert document["maps"][0]["keys"] == ["The", "black", "cat", "</s>"]


def test_the_other_numbers_say_which_cells_are_linked(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(numbers_bytes(view(), ".csv").decode().split("\n", 1)[1])))
    linked = [(row["query_label"], row["key_label"]) for row in rows if row["marked"] == "1"]
    assert linked == [("Le", "The"), ("chat", "cat"), ("noir", "black")]
    attnviz.save(view(), tmp_path / "cat.npz")
    with np.load(tmp_path / "cat.npz") as arrays:
        assert arrays["cross.1.1/marked"].tolist() == [[0, 0], [2, 1], [1, 2]]


def test_the_recipe_says_how_words_were_linked_and_can_be_read_again() -> None:
    recipe = view(0.25).recipe
    assert recipe is not None
    assert recipe.aligning == Aligning(0.25)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert "aligning" not in replace(recipe, aligning=None).to_json()
    assert prose.caption(recipe).startswith(
        "Cross-attention weights (cross layer 1, head 1; columns are the source) of interpreter reading "
        "“The black cat” / “Le chat noir”. Rows are words of the target as they are written."
    )


def test_the_best_head_is_called_so() -> None:
    best = alignment_view(aligned(translation(best="cross.1.1"), HEAD))
    other = alignment_view(aligned(translation(best="cross.0.1"), HEAD))
    told = "cross.1.1 is the head that aligned best when the model was trained"
    assert (told in best.notes, told in other.notes) == (True, False)

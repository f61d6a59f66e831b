import io
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from attnviz.render.labels import width
from attnviz.render.terminal import page as printed
from attnviz.render.terminal import room
from attnviz.render.views import Atlas, Page, Scale
from tests.render.drawings import HARMFUL, WIDE, WORDS, atlas, causal, heatmap, many, page, spread


def written(view: Page, columns: int, **terminal: Any) -> str:
    file = io.StringIO()
    Console(width=columns, file=file, **terminal).print(printed(view))
    return file.getvalue()


def plain(view: Page, columns: int = 60) -> str:
    return written(view, columns, color_system=None)


def ansi(view: Page, columns: int = 60, colours: str | None = "truecolor") -> str:
    return written(view, columns, color_system=colours, force_terminal=True)


def lines(text: str) -> list[str]:
    """Without colours and movements of the cursor."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines()


def test_a_page_without_colours():
    seen = np.tril(np.ones((3, 3), np.bool_))
    computed = np.ones((3, 3), np.bool_)
    computed[2, 0] = False
    view = heatmap(
        [[1, 0, 0], [0.25, 0.75, 0], [0, 0.004, 0.42]],
        ("The", "cat", "slept"),
        visible=seen,
        computed=computed,
    )
    assert plain(page(view, notes=("Something was hidden.",))) == (
        "a model  “a text”\n"
        "\n"
        "      layer 0, head 0\n"
        "       The   cat  slept\n"
        "  The █1.0\n"
        "  cat ░.25  ▓.75\n"
        "slept ╱╱╱╱╱╱·     ▒.42\n"
        "\n"
        "      ·······░░░░░░▒▒▒▒▒▒▒▓▓▓▓▓▓███████  attention weight\n"
        "      0      0.25    0.5    0.75      1\n"
        "      ╱╱ never computed\n"
        "Something was hidden.\n"
    )


def test_an_overview_without_colours():
    """Four tokens are repeated to eight, and two rows of these are in a line; head 1 is not there."""
    maps = tuple((row, head, causal(many(4))) for row in range(2) for head in (0, 2))
    layer = (
        " ██                ██\n"
        "        ▒▒▒▒              ▒▒▒▒\n"
        "        ░░░░░░            ░░░░░░\n"
        "        ░░░░░░░░          ░░░░░░░░\n"
        "\n"
    )
    assert plain(page(title="t", atlas=Atlas(("0", "1"), maps))) == (
        "t\n"
        "\n"
        "        2 layers × 3 heads\n"
        "   head 0        1        2\n"
        f"layer 0{layer}"
        f"layer 1{layer}"
        "        ·······░░░░░░▒▒▒▒▒▒▒▓▓▓▓▓▓███████  attention weight\n"
        "        0      0.25    0.5    0.75      1\n"
    )


def test_keys_spread_over_two_lines_leave_room_for_two_digits_at_80_columns():
    text = lines(ansi(page(spread(WORDS)), 80))
    assert text[3] == "         The       sat       the     because     was      tired"
    assert text[4] == "              cat       on        mat       it       very       +ly"
    assert re.fullmatch(r"    The ( \.\d\d |     ){12}", text[5])


def test_a_cell_has_its_colour_and_the_more_readable_text():
    text = ansi(page(heatmap([[0, 1]], ("a",), ("x", "y"))))
    assert "\x1b[38;2;255;255;255;48;2;68;1;84m     \x1b[0m" in text  # 0 needs no digits
    assert "\x1b[38;2;0;0;0;48;2;253;231;36m 1.0 \x1b[0m" in text


def test_the_scale_colours_but_the_digits_are_the_weights():
    text = ansi(page(heatmap([[0.25, 0.25]], ("a",), ("x", "y")), scale=Scale("sqrt", 0.25)))
    assert "48;2;253;231;36m .25 " in text


def test_with_256_colours_only_these_are_used():
    text = ansi(page(spread(WORDS)), 80, "256")
    assert "48;5;53m" in text
    assert "48;2;" not in text


@pytest.mark.parametrize("colours", ["standard", None])
def test_sixteen_colours_or_none_are_not_enough_for_a_map(colours):
    assert "48;" not in ansi(page(spread(WORDS)), 80, colours)
    assert "░" in ansi(page(spread(WORDS)), 80, colours)


def test_no_color_is_respected():
    text = written(page(spread(WORDS)), 80, color_system="truecolor", force_terminal=True, no_color=True)
    assert "░" in text
    assert "48;" not in text


def test_200_tokens_are_pooled_at_80_columns_and_the_page_says_so():
    text = plain(page(spread(many(200))), 80)
    assert "pooled: 7 tokens to a cell (mean over queries, sum over keys)" in text
    assert re.search(r"^ *The…because [·░▒▓█]+$", text, re.MULTILINE)
    assert room(page(spread(many(200))), 80).cells == 63


def test_40_tokens_are_not_pooled_at_80_columns():
    text = plain(page(spread(many(40))), 80)
    assert "pooled" not in text
    assert len(re.findall(r"^ *because [·░▒▓█]{40}$", text, re.MULTILINE)) == 3


@pytest.mark.parametrize("columns", [20, 27, 60, 80, 133, 300])
@pytest.mark.parametrize("tokens", [1, 5, 12, 60, 211])
def test_no_line_is_wider_than_the_terminal(columns, tokens):
    view = page(
        spread(many(tokens)), atlas=atlas(2, 12, 7), notes=("A note that is longer than 20 columns.",)
    )
    for text in (plain(view, columns), ansi(view, columns)):
        assert max(map(width, lines(text))) <= columns


def test_labels_are_never_markup_nor_emoji_codes():
    text = plain(page(spread(HARMFUL), title="[bold]:smile:[/]", notes=("[/red]",)), 120)
    assert text.startswith("[bold]:smile:[/]\n")
    for label in (*HARMFUL[:6], "=1+2", "[/red]"):
        assert label in text
    assert f"{'x' * 15}…" in text


def test_wide_and_joined_characters_keep_the_grid_straight():
    """Every row's cells begin at the column that the cursor is sent to."""
    text = ansi(page(spread(WIDE)), 80)
    rows = [line for line in text.splitlines() if re.search(r"48;2;.*m .\d\d ", line)]
    starts = {int(match[1]) for line in rows if (match := re.search(r"\x1b\[(\d+)G", line))}
    assert len(rows) == len(WIDE)
    assert len(starts) == 1


def test_a_cursor_that_cannot_be_sent_is_left_alone(monkeypatch):
    assert "\x1b" not in plain(page(spread(WIDE)), 80)
    monkeypatch.setenv("TERM", "dumb")
    assert not re.search(r"\x1b\[\d+G", ansi(page(spread(WIDE)), 80))


def test_an_overview_in_colours_has_two_cells_in_one_column():
    view = heatmap([[0, 1], [1, 0]], ("a", "b"))
    text = ansi(page(title="t", atlas=Atlas(("0",), ((0, 0, view),))))
    assert lines(text)[4] == "layer 0 " + "▀" * 12
    assert "\x1b[38;2;68;1;84;48;2;68;1;84m▀" in text
    assert "\x1b[38;2;253;231;36;48;2;253;231;36m▀" in text


@given(st.integers(1, 30), st.integers(1, 70), st.integers(1, 20), st.integers(20, 200))
@settings(max_examples=25, deadline=None)
def test_an_overview_of_any_shape_fits_and_shows_every_head(layers, heads, tokens, columns):
    one = spread(many(tokens))
    maps = tuple((row, head, one) for row in range(layers) for head in range(heads))
    text = lines(plain(page(title="t", atlas=Atlas(tuple(map(str, range(layers))), maps)), columns))
    numbers = [int(number) for line in text if " head " in f" {line}" for number in re.findall(r"\d+", line)]
    assert max(map(width, text)) <= columns
    assert set(numbers) >= set(range(heads))

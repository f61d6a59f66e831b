"""Plans as they are written: what they mean, and what is said of mistakes."""

from pathlib import Path

import pytest

from attnviz.errors import InputError
from attnviz.plans.plan import ModelEntry
from attnviz.plans.toml import plan_of, read_plan
from attnviz.recipes import Choice, Listing, Style
from tests.plans.plans import plan

FIGURE = '[[figures]]\nfile = "{sample}.pdf"\n'


def test_a_figure_has_the_options_of_the_command_line() -> None:
    (figure,) = plan(
        FIGURE
        + 'view = "heads"\nlayer = "0-1"\nhead = "2"\nkind = "self"\ntokens = "0:4"\nspecial = "hide"\n'
        'words = true\nmean = "heads"\nwhere = "layer<2"\nsort = "first"\ntop = 3\ncolumns = "first"\n'
        'seed = 7\ncmap = "magma"\nscale = "log"\nvmax = 0.5\ntitle = "T"\n'
        'width = "84mm"\ndpi = 300\nfont-size = 7.5\n'
    ).figures
    assert figure.choice == Choice("0-1", "2", "self", "0:4", "hide", True, "heads")
    assert figure.listing == Listing("layer<2", "first", 3, "first", None, 7)
    assert figure.style == Style(
        "magma", "log", 0.5, "T", width=pytest.approx(84 / 25.4), dpi=300, font_size=7.5
    )
    assert (figure.view, figure.file, figure.section) == ("heads", "{sample}.pdf", "figures[1]")


def test_figures_inherit_defaults_and_say_otherwise() -> None:
    first, second = plan(
        '[defaults]\nspecial = "hide"\nwidth = 3\n'
        f'{FIGURE}\n[[figures]]\nfile = "b-{{sample}}.pdf"\nspecial = "show"\n'
    ).figures
    assert (first.choice.special, first.style.width) == ("hide", 3)
    assert (second.choice.special, second.style.width) == ("show", 3)


def test_a_width_by_a_venues_name_brings_the_letters_it_asks_for() -> None:
    (figure,) = plan(FIGURE + 'width = "nature"\n').figures
    assert (figure.style.width, figure.style.font_size) == (pytest.approx(89 / 25.4), 6.2)
    (figure,) = plan(FIGURE + 'style = "poster"\n').figures
    assert (figure.style.medium, figure.style.font_size) == ("poster", 24)


def test_models_are_called_by_their_names_or_labels() -> None:
    text = (
        'models = ["builtin:encoder", "org/bert@main", "./models/mine", '
        '{name = "x", label = "y", dtype = "float16"}]\n'
        'samples = ["a"]\n' + FIGURE
    )
    assert plan_of(text, Path()).models == (
        ModelEntry("builtin:encoder", "encoder"),
        ModelEntry("org/bert@main", "org/bert@main"),
        ModelEntry("./models/mine", "mine"),
        ModelEntry("x", "y", None, "float16"),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("models = [", r"this is no TOML: .*line 2, column 11, the end"),
        ("a = 1\nb = = 2\n", r"this is no TOML: .*\(at line 4, column 5\)"),
        ("figure = 1", "the plan has no 'figure'; did you mean figures"),
        (FIGURE + "layers = 3", r"figures\[1\] has no 'layers'; did you mean layer\? there are"),
        (FIGURE + "font_size = 3", r"did you mean font-size"),
        ("[defaults]\ncmp = 1\n" + FIGURE, r"\[defaults\] has no 'cmp'; did you mean cmap"),
        ("[[models]]\nnam = 1\n" + FIGURE, r"models\[1\] has no 'nam'; did you mean name"),
        ("[[models]]\nlabel = 'a'\n" + FIGURE, r"models\[1\] has no name"),
        ("[[samples]]\ntxt = 'a'\n" + FIGURE, r"samples\[1\] has no 'txt'; did you mean text"),
        (FIGURE + "layer = 3", r"figures\[1\]: layer = 3 is no text"),
        (FIGURE + "top = 'x'", "top = 'x' is no whole number"),
        (FIGURE + "words = 1", "words = 1 is no true or false"),
        (FIGURE + "scale = 'cubic'", "scale = 'cubic' is no one of linear, log, sqrt"),
        (FIGURE + "width = '3furlongs'", r"figures\[1\]: --width '3furlongs' is no length"),
        (FIGURE + "width = nan", "is not between 0.5 and 100 inches"),
        (
            "models = ['builtin:encoder']\n" + FIGURE + "models = ['nobody']",
            r"figures\[1\]: no models called 'nobody'; there are encoder",
        ),
        ("samples = ['a', {text = 'b', name = 'text-1'}]\n" + FIGURE, "two samples are called 'text-1'"),
        ("models = ['builtin:encoder', 'builtin:encoder']\n" + FIGURE, "two models are called 'encoder'"),
        ("models = []\n" + FIGURE, r"no models: give at least one, as \[\[models\]\]"),
        ("models = 3\n" + FIGURE, "models is no list"),
        ("figures = [3]\n", r"figures\[1\] is no table"),
        ("samples = ['a']\n", r"no figures: give at least one"),
        ("samples = ['  ']\n" + FIGURE, r"samples\[1\]: text-1 is empty"),
        ("[[samples]]\n" + FIGURE, r"samples\[1\]: give either text or file"),
        ("[[figures]]\nfile = '../x.pdf'", r"figures\[1\]: file '../x.pdf' leaves the directory"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        plan(text)


def test_a_file_that_is_no_plan_is_named(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_bytes(b"models = [\xff]")
    with pytest.raises(InputError, match=r"plan.toml is not UTF-8: byte 10 is 0xff"):
        read_plan(file)
    with pytest.raises(InputError, match=r"cannot read .*none\.toml: No such file"):
        read_plan(tmp_path / "none.toml")

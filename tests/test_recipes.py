"""How something was made, written and read again."""

import json

import pytest

from attnviz.errors import InputError
from attnviz.recipes import Choice, Recipe, Style, recipe
from tests.analysis.maps import SENTENCE, small_capture

CHOICE = Choice(layers="0,2", special="renorm", words=True, mean="heads")


def made(**options: bool) -> Recipe:
    return recipe("heatmap", small_capture(), CHOICE, Style(vmax=0.5), **options)  # type: ignore[arg-type]


def test_a_recipe_can_be_read_again() -> None:
    assert Recipe.from_json(made().to_json()) == made()


def test_a_recipe_names_model_text_choice_and_scale() -> None:
    data = json.loads(made().to_json())
    assert data["schema"] == 1
    assert data["model"] == {"name": "small", "revision": None, "fingerprint": "00ff", "dtype": "float32"}
    assert data["sample"]["text"] == SENTENCE
    assert data["choice"]["layers"] == "0,2"
    assert data["style"]["vmax"] == 0.5


def test_a_text_can_be_kept_out() -> None:
    assert SENTENCE not in made(with_text=False).to_json()
    assert "text_sha256" in made(with_text=False).sample


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no recipe"),
        ("[]", "no recipe of schema 1"),
        ('{"schema": 2}', "no recipe of schema 1"),
        ('{"schema": 1, "run": "rm"}', "not known here"),
        ('{"schema": 1, "choice": {"shell": "rm"}}', "not known here"),
        ('{"schema": 1, "command": "heatmap"}', "not whole"),
        ('{"schema": 1, "command": 5, "model": {}, "sample": {}}', "command is 5"),
        ('{"schema": 1, "choice": {"words": "rm"}}', "words is 'rm'"),
        ('{"schema": 1, "choice": {"mean": "tokens"}}', "mean is 'tokens'"),
        ('{"schema": 1, "style": {"dpi": true}}', "dpi is True"),
        ('{"schema": 1, "style": {"vmax": "1"}}', "vmax is '1'"),
    ],
)
def test_foreign_data_is_no_recipe(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe.from_json(text)

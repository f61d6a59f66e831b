"""What configurations say of layers is what the loaded models have."""

from pathlib import Path

import pytest

from attnviz.errors import ModelError
from attnviz.models import families
from attnviz.models.outline import fingerprint, outline
from attnviz.models.request import Request
from tests.models.zoo import BANDED, CONFIGS, OTHERS, save_model

PLAIN = {"bert", "gpt2", "llama", "distilbert", "bart", "t5", "mistral"}
"""Families that must be known without their weights."""


@pytest.mark.parametrize("family", sorted({**CONFIGS, **OTHERS, **BANDED}))
def test_an_outline_has_the_layers_and_heads_of_the_model(family: str, tmp_path: Path) -> None:
    directory = save_model(family, tmp_path)
    told = outline(Request(str(directory)))
    assert told is not None or family not in PLAIN
    if told is not None:
        source = families.load(str(directory))
        assert [(layer.name, layer.heads) for layer in told] == [
            (layer.name, layer.heads) for layer in source.facts.layers
        ]


def test_our_own_is_outlined_and_known_by_its_weights() -> None:
    source = families.load("builtin:encoder")
    request = Request("builtin:encoder")
    assert [(layer.name, layer.heads) for layer in outline(request) or ()] == [
        (layer.name, layer.heads) for layer in source.facts.layers
    ]
    assert fingerprint(request) == source.facts.fingerprint


def test_the_weights_of_a_directory_have_the_fingerprint_of_the_loaded_model(tmp_path: Path) -> None:
    directory = str(save_model("bert", tmp_path))
    assert fingerprint(Request(directory)) == families.load(directory).facts.fingerprint


@pytest.mark.parametrize(
    ("name", "why"),
    [("builtin:none", "no model builtin:none"), ("./nowhere", "no model ./nowhere: no such directory")],
)
def test_a_model_that_is_not_there_is_named(name: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        outline(Request(name))


def test_a_directory_without_weights_is_named(tmp_path: Path) -> None:
    save_model("bert", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights in"):
        outline(Request(str(tmp_path)))


def test_a_hub_model_that_is_not_here_is_not_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outline(Request("nobody/nothing")) is None
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="no model nobody/nothing here"):
        outline(Request("nobody/nothing", offline=True))

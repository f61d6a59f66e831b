"""A model of ours as a directory: ``config.json``, ``model.safetensors`` (float16) and ``tokenizer.json``.

The record of the training is in the metadata of the weights. Files are written whole or not at all.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialized
from tokenizers import Tokenizer

from attnviz.builtin.model import EncoderConfig, MaskedLanguageModel
from attnviz.errors import ModelError
from attnviz.files import make_directory, write_whole

ARCHITECTURE = "attnviz-encoder"
"""What ``config.json`` calls a masked language model of ours."""

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


class Stored(NamedTuple):
    """A model read from its directory.

    fingerprint: sha256 of the file of weights
    """

    model: MaskedLanguageModel
    tokenizer: Tokenizer
    fingerprint: str


def shipped(name: str = "encoder") -> Path:
    """The directory of a model that ships."""
    return Path(__file__).parent / name


def is_ours(directory: Path) -> bool:
    """Whether the directory holds a model of ours, by its configuration."""
    try:
        config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("architecture") == ARCHITECTURE


def load(directory: Path) -> Stored:
    """The model in a directory, in float32, ready to run.

    Raises ModelError if a file is missing, damaged or does not fit the others.
    """
    try:
        config = _read_config(directory / CONFIG)
        weights = load_file(directory / WEIGHTS)
        tokenizer = Tokenizer.from_str((directory / TOKENIZER).read_text(encoding="utf-8"))
        model = MaskedLanguageModel(config)  # drawn at random and replaced: the meta device takes a second
        model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, assign=True)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{directory} holds no whole model: {' '.join(str(error).split())}") from error
    fingerprint = hashlib.sha256((directory / WEIGHTS).read_bytes()).hexdigest()
    return Stored(model.eval().requires_grad_(False), tokenizer, fingerprint)


def save(directory: Path, model: MaskedLanguageModel, tokenizer: Tokenizer, record: dict[str, Any]) -> None:
    """Write the model; ``record`` says how it was trained.

    The configuration comes last: a directory that has one is whole.
    """
    make_directory(directory)
    write_whole(directory / TOKENIZER, tokenizer.to_str(pretty=False).encode())
    half = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    write_whole(directory / WEIGHTS, serialized(half, {"training": json.dumps(record, sort_keys=True)}))
    config = {"architecture": ARCHITECTURE, "schema": 1, **asdict(model.config)}
    write_whole(directory / CONFIG, (json.dumps(config, indent=2) + "\n").encode())


def training_record(directory: Path) -> dict[str, Any]:
    """How the model in the directory was trained.

    Raises ModelError if its weights cannot be read or hold no record.
    """
    try:
        with safe_open(directory / WEIGHTS, framework="pt") as file:
            record: dict[str, Any] = json.loads(file.metadata()["training"])
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise ModelError(f"{directory / WEIGHTS} holds no record of its training: {error}") from error
    return record


def _read_config(path: Path) -> EncoderConfig:
    config = json.loads(path.read_text(encoding="utf-8"))
    if config.pop("architecture") != ARCHITECTURE or config.pop("schema") != 1:
        raise ValueError(f"{path.name} describes another architecture")
    return EncoderConfig(**config)

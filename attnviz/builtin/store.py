"""A model of ours as a directory: ``config.json``, ``model.safetensors`` (float16) and ``tokenizer.json``.

The record of the training is in the metadata of the weights. Files are written whole or not at all.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialized
from tokenizers import Tokenizer

from attnviz.builtin import GOES_ON, UNFINISHED
from attnviz.builtin.model import ModelT, OwnModel
from attnviz.errors import ModelError
from attnviz.files import is_directory, make_directory, write_whole
from attnviz.inputs import printable

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


class Stored(NamedTuple, Generic[ModelT]):
    """A model read from its directory.

    fingerprint: sha256 of the file of weights
    """

    model: ModelT
    tokenizer: Tokenizer
    fingerprint: str


def shipped(name: str) -> Path:
    """The directory of a model that ships."""
    return Path(__file__).parent / "weights" / name


def architecture_in(directory: Path) -> str | None:
    """Which of our architectures the directory's configuration names; None if it holds no model of ours."""
    try:
        config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = config.get("architecture") if isinstance(config, dict) else None
    return name if isinstance(name, str) and name.startswith("attnviz-") else None


def load(directory: Path, kind: type[ModelT]) -> Stored[ModelT]:
    """The model in a directory, in float32, ready to run.

    kind: what it has to be
    Raises ModelError if it is another, or a file is missing, damaged or does not fit the others.
    """
    found = architecture_in(directory)
    if found is None:
        raise ModelError(f"{directory} holds no model that attnviz train made: {_lacking(directory)}")
    if found != kind.architecture:
        made, wanted = (printable(name.removeprefix("attnviz-")) for name in (found, kind.architecture))
        raise ModelError(f"{directory} holds the model of attnviz train {made}, not that of {wanted}")
    try:
        config = _read_config(directory / CONFIG, kind)
        weights = load_file(directory / WEIGHTS)
        tokenizer = Tokenizer.from_str((directory / TOKENIZER).read_text(encoding="utf-8"))
        model = kind(config)  # drawn at random and replaced: the meta device takes a second
        model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, assign=True)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{directory} holds no whole model: {' '.join(str(error).split())}") from error
    fingerprint = hashlib.sha256((directory / WEIGHTS).read_bytes()).hexdigest()
    return Stored(model.eval().requires_grad_(False), tokenizer, fingerprint)


def _lacking(directory: Path) -> str:
    """Why there is none of our models in a directory, and what would work."""
    if not is_directory(directory):
        return "there is no such directory"
    if (directory / UNFINISHED).exists():
        return GOES_ON
    return f"it has no {CONFIG} of one"


def save(directory: Path, model: OwnModel, tokenizer: Tokenizer, record: dict[str, Any]) -> None:
    """Write the model; ``record`` says how it was trained.

    The configuration comes last: a directory that has one is whole.
    """
    make_directory(directory)
    write_whole(directory / TOKENIZER, tokenizer.to_str(pretty=False).encode())
    half = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    write_whole(directory / WEIGHTS, serialized(half, {"training": json.dumps(record, sort_keys=True)}))
    config = {"architecture": model.architecture, "schema": 1, **asdict(model.config)}
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


def _read_config(path: Path, kind: type[OwnModel]) -> Any:
    """The sizes of a model of that kind."""
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["architecture"]
    if (schema := config.pop("schema")) != 1:
        raise ValueError(f"{path.name} is of schema {schema}, and this version reads 1")
    return kind.sizes(**config)

"""A model's directory: its configuration and weight files, looked at before any heavy library is loaded."""

import hashlib
import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from attnviz.builtin import GOES_ON, UNFINISHED
from attnviz.errors import ModelError

SAFE = "model.safetensors"
PICKLED = "pytorch_model.bin"


@dataclass(frozen=True)
class Checkpoint:
    """A directory that holds a model.

    name:     how the model is called in what is shown and written
    revision: the commit on the hub; None for a directory of the user's
    """

    directory: Path
    name: str
    revision: str | None = None


def read_config(directory: Path) -> dict[str, Any]:
    """What the configuration of a model's directory says.

    Raises ModelError if there is none, or none that can be read.
    """
    file = directory / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        why = GOES_ON if (directory / UNFINISHED).exists() else "it has no config.json"
        raise ModelError(f"no model in {directory}: {why}") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"no model in {directory}: its config.json cannot be read ({error})") from error
    if not isinstance(config, dict):
        raise ModelError(f"no model in {directory}: its config.json holds no configuration")
    return config


def weight_files(directory: Path, *, allow_pickle: bool) -> tuple[Path, ...]:
    """The files that hold the weights, one or several shards: safetensors where there are any.

    Raises ModelError if there are none, only pickled ones that are not allowed, or damaged ones.
    """
    files = _shards(directory, SAFE)
    for file in files:
        _check_safetensors(file)
    pickled = _shards(directory, PICKLED) if not files else ()
    if pickled and not allow_pickle:
        raise ModelError(
            f"{directory} has pickled weights only ({pickled[0].name}), which can run code when read: "
            "--allow-pickle loads them if you trust where they come from"
        )
    if not files and not pickled:
        raise ModelError(
            f"no weights in {directory}: there is no {SAFE} (pickled weights of a hub model are only "
            "fetched with --allow-pickle)"
        )
    return files or pickled


def _shards(directory: Path, name: str) -> tuple[Path, ...]:
    """The weight file of this name, or the parts that its index tells of."""
    whole, index = directory / name, directory / f"{name}.index.json"
    if whole.is_file():
        return (whole,)
    if not index.is_file():
        return ()
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the weights in {directory} cannot be found: {index.name} is damaged") from error
    missing = [name for name in names if not (directory / name).is_file()]
    if missing:
        raise ModelError(
            f"{len(missing)} of {len(names)} weight files are missing in {directory}: {missing[0]}"
        )
    return tuple(directory / name for name in names)


def _check_safetensors(file: Path) -> None:
    """Raises ModelError if the file's header does not describe exactly what follows it."""
    try:
        with safe_open(file, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        with file.open("rb") as stream:
            pointer = stream.read(20).startswith(b"version https://git-")
        reason = "a Git LFS pointer (git lfs pull fetches the file)" if pointer else f"damaged ({error})"
        raise ModelError(f"the weights {file} are {reason}") from error


class Fingerprint:
    """A digest of weight files, computed in the background from now on.

    It is the sha256 over the sorted sha256 digests of the files, so that it does not depend on their names.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._digest = ""
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._compute, daemon=True)
        self._thread.start()

    def _compute(self) -> None:
        try:
            digests = sorted(map(_sha256, self._files))
        except OSError as error:
            self._error = error
        else:
            self._digest = hashlib.sha256("".join(digests).encode()).hexdigest()

    def __str__(self) -> str:
        """The digest, waited for."""
        self._thread.join()
        if self._error:
            raise ModelError(f"the weights cannot be read: {self._error}") from self._error
        return self._digest


def _sha256(file: Path) -> str:
    """The digest of one file; a file in the hub's cache is called by it already."""
    name = file.resolve().name
    if file.is_symlink() and re.fullmatch(r"[0-9a-f]{64}", name):
        return name
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

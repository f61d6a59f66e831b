"""A model by its name: which family it belongs to, and how that is loaded."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.errors import ModelError
from attnviz.files import is_directory, is_file, name_of
from attnviz.inputs import printable
from attnviz.models.checkpoint import Checkpoint, Fingerprint, read_config, weight_files
from attnviz.models.known import known_models
from attnviz.models.request import Request, split_revision

if TYPE_CHECKING:  # the protocol is written in terms of torch, which not every family needs at once
    from attnviz.models.base import Source

HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


def load(
    name: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    allow_pickle: bool = False,
    allow_remote_code: bool = False,
    offline: bool = False,
    generates: bool = False,
) -> "Source":
    """The model of this name, ready to be run.

    name:   ``builtin:NAME``, a directory, or a name on the Hugging Face hub, which may end in ``@REVISION``
    device: auto (a GPU if there is one), cpu, cuda, cuda:N or mps
    dtype:  auto (float32 on a CPU, the checkpoint's on a GPU), float32, bfloat16 or float16
    generates: it is to write text, not only to read it
    Raises ModelError if it cannot be found, loaded or captured exactly.
    """
    bare, typed = split_revision(name)
    request = Request(
        bare, revision or typed, device, dtype, allow_pickle, allow_remote_code, offline, generates
    )
    if bare.startswith("builtin:") and request.revision:
        revision = printable(request.revision)
        raise ModelError(f"{printable(bare)} ships with attnviz: it has no revision {revision}")
    if bare.startswith("builtin:"):
        return FAMILIES["builtin"](request, None)
    checkpoint = find_checkpoint(request)
    return FAMILIES[_family(checkpoint)](request, checkpoint)


def find_checkpoint(request: Request) -> Checkpoint:
    """The directory meant by a name: one that exists, else a snapshot in the hub's cache.

    Raises ModelError if there is none.
    """
    path, shown = Path(request.name), printable(request.name)
    if is_directory(path):
        if request.revision:
            raise ModelError(f"{shown} is a directory: it has no revision {printable(request.revision)}")
        return Checkpoint(path, printable(name_of(path)))
    if is_file(path):
        raise ModelError(f"no model {shown}: it is a file; name the directory that a model is in")
    if not HUB_NAME.fullmatch(request.name):
        raise ModelError(f"no model {shown}: no such directory; there are {', '.join(known_models())}")
    from attnviz.models.hub import snapshot

    directory = snapshot(
        request.name,
        request.revision,
        allow_pickle=request.allow_pickle,
        allow_remote_code=request.allow_remote_code,
        offline=request.offline,
    )
    return Checkpoint(directory, request.name, directory.name)


def _family(checkpoint: Checkpoint) -> str:
    """Whose model it is."""
    return "builtin" if is_own(checkpoint) else "huggingface"


def is_own(checkpoint: Checkpoint) -> bool:
    """Whether it is a model of ours, as its configuration says.

    Raises ModelError if there is none that can be read.
    """
    config = read_config(checkpoint.directory)
    return any(str(config.get(key)).startswith("attnviz") for key in ("architecture", "model_type"))


def _builtin(request: Request, checkpoint: Checkpoint | None) -> "Source":
    from attnviz.models import builtin

    name = str(checkpoint.directory) if checkpoint else request.name
    return builtin.load(name, device=request.device, dtype=request.dtype)


def _huggingface(request: Request, checkpoint: Checkpoint | None) -> "Source":
    assert checkpoint is not None
    weights = weight_files(checkpoint.directory, allow_pickle=request.allow_pickle)
    fingerprint = Fingerprint(weights)  # in the background, while the libraries are loaded
    from attnviz.models import huggingface

    return huggingface.load(request, checkpoint, fingerprint)


FAMILIES: dict[str, Callable[[Request, Checkpoint | None], "Source"]] = {
    "builtin": _builtin,
    "huggingface": _huggingface,
}

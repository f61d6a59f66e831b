"""Which model was asked for, and what may be done to get it."""

from dataclasses import dataclass
from pathlib import Path

from attnviz.files import is_directory


@dataclass(frozen=True)
class Request:
    """A model as the user asked for it.

    name:              ``builtin:NAME``, a directory, or a name on the hub
    revision:          branch, tag or commit of a hub model
    device:            auto, cpu, cuda, cuda:N or mps
    dtype:             auto, float32, bfloat16 or float16
    allow_pickle:      weights may be read from files that can run code
    allow_remote_code: code that comes with the model may be run
    offline:           the hub is not to be asked
    generates:         the model is to write text as well, for which it needs its language head
    """

    name: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    allow_pickle: bool = False
    allow_remote_code: bool = False
    offline: bool = False
    generates: bool = False


def split_revision(name: str) -> tuple[str, str | None]:
    """A name as typed, ``NAME[@REVISION]``, in its two parts; a directory may have an @ in its name."""
    if is_directory(Path(name)) or "@" not in name:
        return name, None
    name, _, revision = name.rpartition("@")
    return name, revision or None

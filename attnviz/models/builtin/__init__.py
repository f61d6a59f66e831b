"""The models that ship, and those that ``attnviz train`` makes, as Sources. Never loads transformers.

``common`` is what all of them share; beside it is a module a kind, and ``SOURCES`` says which.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.builtin import store
from attnviz.errors import ModelError
from attnviz.files import name_of
from attnviz.inputs import printable
from attnviz.models.devices import device_of
from attnviz.models.known import SHIPPED

if TYPE_CHECKING:
    import torch

    from attnviz.models.base import Source

    Load = Callable[[Path, str, torch.device], Source]
    """Loads the model in a directory, under a name, on a device."""


def load(name: str, *, device: str = "auto", dtype: str = "auto") -> "Source":
    """The model of this name: one of SHIPPED, or a directory that training made.

    device: auto is the processor, where a model this small is fastest
    Raises ModelError if it is not there, or not for this device or number format.
    """
    if name.startswith("builtin:") and name not in SHIPPED:
        raise ModelError(f"no model {name} ships: there are {', '.join(SHIPPED)}")
    if dtype not in ("auto", "float32"):
        raise ModelError(f"{name} runs in float32 only, not in {dtype}")
    directory = store.shipped(name.removeprefix("builtin:")) if name in SHIPPED else Path(name)
    shown = name if name in SHIPPED else name_of(directory)
    architecture = store.architecture_in(directory)
    if architecture not in SOURCES:
        raise ModelError(
            f"{printable(str(directory))} holds no model of ours: its config.json names "
            f"{printable(architecture or 'none')}; there are {', '.join(SOURCES)}"
        )
    return SOURCES[architecture](directory, shown, device_of("cpu" if device == "auto" else device))


def _encoder(directory: Path, name: str, device: "torch.device") -> "Source":
    from attnviz.models.builtin.encoder import ENCODER
    from attnviz.models.builtin.text import TextSource

    return TextSource(ENCODER, directory, name, device)


def _decoder(directory: Path, name: str, device: "torch.device") -> "Source":
    from attnviz.models.builtin.decoder import DECODER
    from attnviz.models.builtin.text import TextSource

    return TextSource(DECODER, directory, name, device)


def _classifier(directory: Path, name: str, device: "torch.device") -> "Source":
    from attnviz.models.builtin.classifier import CLASSIFIER
    from attnviz.models.builtin.text import TextSource

    return TextSource(CLASSIFIER, directory, name, device)


def _translator(directory: Path, name: str, device: "torch.device") -> "Source":
    from attnviz.builtin.translation.model import KINDS
    from attnviz.models.builtin.translator import TranslatorSource

    return TranslatorSource(KINDS[store.architecture_in(directory) or ""], directory, name, device)


SOURCES: "dict[str, Load]" = {
    "attnviz-encoder": _encoder,
    "attnviz-decoder": _decoder,
    "attnviz-classifier": _classifier,
    "attnviz-translator": _translator,
    "attnviz-bahdanau": _translator,
    "attnviz-luong": _translator,
}

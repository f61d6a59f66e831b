"""Options that say what is read, by which model, or what was seen before."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from attnviz import DEFAULT_MODEL, DEFAULT_TRANSLATOR

if TYPE_CHECKING:
    from attnviz.models.base import Source


class DType(StrEnum):
    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


File = Annotated[Path | None, Option("--file", "-f", help="Read the text from a file.")]
Written = Annotated[Path, Argument(metavar="FILE", help="A figure or numbers that attnviz wrote.")]
Lines = Annotated[bool, Option("--lines", help="With --file or -: a sample a line.")]
Truncate = Annotated[bool, Option("--truncate", help="Cut a text that is longer than the model allows.")]


Languages = Annotated[
    str | None,
    Option(metavar="[FROM:]TO", help="Of a translator that knows several languages: from which into which, "
           "as its tokenizer calls them."),
]  # fmt: skip


@dataclass(frozen=True)
class Texts:
    """What is read."""

    texts: Annotated[
        list[str] | None,
        Argument(
            metavar="TEXT", help="What the model reads; several are several samples, - is standard input."
        ),
    ] = None
    file: File = None
    lines: Lines = False
    pair: Annotated[
        str | None,
        Option(
            metavar="TEXT",
            help="The second segment, for models that take two; for an "
            "encoder-decoder what it is to have written.",
        ),
    ] = None
    chat: Annotated[bool, Option("--chat", help="Put the text through the model's chat template.")] = False
    languages: Languages = None
    truncate: Truncate = False


@dataclass(frozen=True)
class Inputs(Texts):
    """What is read, and what the model goes on to write."""

    generate: Annotated[
        int,
        Option(metavar="N", min=0, help="Let the model write N tokens after the text, always the likeliest, "
               "and look at them too.", show_default=False),
    ] = 0  # fmt: skip


@dataclass(frozen=True)
class Translated:
    """What is translated, and into what."""

    source: Annotated[
        str | None, Argument(metavar="SOURCE", help="What the model translates; - is standard input.")
    ] = None
    target: Annotated[
        str | None,
        Argument(metavar="TARGET", help="What it is made to write, instead of its own translation."),
    ] = None
    file: File = None
    lines: Lines = False
    generate: Annotated[
        int,
        Option(metavar="N", min=0, help="Let the model write N tokens at most.", show_default=False),
    ] = 0  # fmt: skip
    languages: Languages = None
    truncate: Truncate = False

    def inputs(self) -> Inputs:
        """The same as what any model reads; the target is the other text of a pair."""
        texts = [self.source] if self.source is not None else None
        return Inputs(
            texts=texts, file=self.file, lines=self.lines, pair=self.target, languages=self.languages,
            truncate=self.truncate, generate=self.generate,
        )  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What was seen before, in place of inputs and a model."""

    captures: Annotated[
        Path | None,
        Option("--from", metavar="CAPTURE", help="Show what attnviz capture kept, without a model; or a .npz "
               "with attention[layer,head,query,key] and tokens."),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class KeptModels:
    """What several models saw before, in place of inputs and models."""

    captures: Annotated[
        list[Path] | None,
        Option("--from", metavar="CAPTURE", help="What attnviz capture --keep words kept of a model, instead "
               "of running it; once for each."),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class KeptTwo:
    """What was seen before of two samples, in place of inputs and a model."""

    captures: Annotated[
        list[Path] | None,
        Option("--from", metavar="CAPTURE", help="Two samples that attnviz capture kept, without a model: "
               "one file of both, or --from twice."),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of a training, in place of a model."""

    over: Annotated[
        Path | None,
        Option(metavar="DIR", help="How heads grew over a training: the snapshots that attnviz train "
               "--snapshots kept in DIR, reading TEXT, or else random tokens twice.", show_default=False),
    ] = None  # fmt: skip


Device = Annotated[str, Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where it runs.")]
Precision = Annotated[DType, Option(help="auto: float32 on a CPU, the checkpoint's own on a GPU.")]
Offline = Annotated[bool, Option("--offline", help="Use what is on disk alone, as HF_HUB_OFFLINE=1 does.")]
RemoteCode = Annotated[bool, Option("--allow-remote-code", help="Run Python code that comes with the model.")]
Pickle = Annotated[
    bool, Option("--allow-pickle", help="Load weights that are not safetensors; they can run code.")
]
MODEL_VARIABLE = "ATTNVIZ_MODEL"


@dataclass(frozen=True)
class Model:
    """Which model, and how it is loaded."""

    model: Annotated[
        str,
        Option("-m", "--model", metavar="NAME[@REVISION]", envvar=MODEL_VARIABLE, help="A model that ships "
               "(builtin:encoder), a directory, or a name on the Hugging Face hub."),
    ] = DEFAULT_MODEL  # fmt: skip
    device: Device = "auto"
    dtype: Precision = DType.AUTO
    offline: Offline = False
    allow_remote_code: RemoteCode = False
    allow_pickle: Pickle = False

    def load(self, *, generates: bool = False) -> "Source":
        """The model; generates: it is to write text too."""
        from attnviz import api

        return api.load_model(
            self.model,
            device=self.device,
            dtype=self.dtype.value,
            offline=self.offline,
            allow_remote_code=self.allow_remote_code,
            allow_pickle=self.allow_pickle,
            generates=generates,
        )


@dataclass(frozen=True)
class Translator(Model):
    """Which translator, and how it is loaded."""

    model: Annotated[
        str,
        Option("-m", "--model", metavar="NAME[@REVISION]", help=f"A translator that ships "
               f"({DEFAULT_TRANSLATOR}), a directory, or a name on the Hugging Face hub."),
    ] = DEFAULT_TRANSLATOR  # fmt: skip


@dataclass(frozen=True)
class Models:
    """Which models, and how they are loaded."""

    several: Annotated[
        list[str] | None,
        Option("-m", "--model", metavar="NAME[@REVISION]", help="A model that ships (builtin:encoder), a "
               "directory, or a name on the Hugging Face hub; once for each.", show_default=False),
    ] = None  # fmt: skip
    device: Device = "auto"
    dtype: Precision = DType.AUTO
    offline: Offline = False
    allow_remote_code: RemoteCode = False
    allow_pickle: Pickle = False

    def names(self) -> list[str]:
        """Those that were named, or else the usual one."""
        return self.several or [os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL]

    def model(self, name: str) -> Model:
        """One of them."""
        return Model(name, self.device, self.dtype, self.offline, self.allow_remote_code, self.allow_pickle)

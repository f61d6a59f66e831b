"""The model and the tokenizer of a directory, loaded by transformers; its errors become ours here."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import transformers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
)

from attnviz.errors import ModelError
from attnviz.models.checkpoint import SAFE, Checkpoint
from attnviz.models.devices import device_of, dtype_of
from attnviz.models.facts import text_config
from attnviz.models.generation import check_writes
from attnviz.models.hub import first_line
from attnviz.models.request import Request

TESTED = ("5.23",)
"""The versions of transformers that attnviz is tested with, as far as the second number."""

VOCABULARIES = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken", "*.bpe", "tekken.json")
"""Files of tokenizers; those that read bytes or characters have none."""

UNUSED = ("pooler.", "lm_head.")
"""Parts after the last attention: a checkpoint without them loses nothing that is shown."""


def load_model(request: Request, checkpoint: Checkpoint) -> Any:
    """The model, in evaluation mode, on the device asked for, running sdpa where it can.

    Raises ModelError if its weights do not fit it, or if any weight that its attention depends on is missing.
    """
    _check_version()
    device = device_of(request.device)
    options = _options(request)
    with _our_errors(checkpoint):
        config = AutoConfig.from_pretrained(checkpoint.directory, **options)
    with _our_errors(checkpoint):
        model, report = _kind(request, config, checkpoint).from_pretrained(
            checkpoint.directory,
            config=config,
            dtype=dtype_of(request.dtype, device) or "auto",
            use_safetensors=_is_safe(checkpoint),
            ignore_mismatched_sizes=True,  # reported, and refused below
            output_loading_info=True,
            **options,
        )
        if request.generates:
            check_writes(model, checkpoint.name)
        _check_report(report, checkpoint, unused=UNUSED[:1] if request.generates else UNUSED)
        return model.to(device).eval()


def load_config(checkpoint: Checkpoint) -> Any:
    """The configuration of a directory, for what it says of layers; None if it takes code of its own."""
    try:
        return AutoConfig.from_pretrained(
            checkpoint.directory, local_files_only=True, trust_remote_code=False
        )
    except Exception:  # whatever is wrong with it is said when it is loaded
        return None


def _kind(request: Request, config: Any, checkpoint: Checkpoint) -> Any:
    """The class that loads a model: with its language head where it is to write."""
    if not request.generates:
        return AutoModel
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    if type(config) not in kind._model_mapping and kind.__name__ not in (
        getattr(config, "auto_map", None) or {}
    ):
        raise ModelError(f"{checkpoint.name} ({config.model_type}) writes no text: leave out --generate")
    return kind


def load_tokenizer(request: Request, checkpoint: Checkpoint) -> Any:
    """The tokenizer. Raises ModelError if there is none.

    (Where its files are missing, transformers may make an empty one, to which every word is unknown.)
    """
    there = any(next(checkpoint.directory.glob(file), None) for file in VOCABULARIES)
    none = ModelError(
        f"{checkpoint.name} has no tokenizer: no {VOCABULARIES[0]} or vocabulary in its directory"
    )
    try:
        with _our_errors(checkpoint):
            tokenizer = AutoTokenizer.from_pretrained(checkpoint.directory, **_options(request))
    except ModelError as error:
        raise (error if there else none) from error.__cause__
    if not there and type(tokenizer).vocab_files_names:
        raise none
    return tokenizer


def _options(request: Request) -> dict[str, bool]:
    return {"trust_remote_code": request.allow_remote_code, "local_files_only": True}


def _is_safe(checkpoint: Checkpoint) -> bool:
    return any(checkpoint.directory.glob(f"{SAFE}*"))


def _check_version() -> None:
    version = transformers.__version__
    if not version.startswith(tuple(f"{tested}." for tested in TESTED)):
        warnings.warn(
            f"attnviz is tested with transformers {', '.join(TESTED)}, not with {version}", stacklevel=2
        )


def reads_text(config: Any) -> bool:
    """Whether a model of this configuration has a vocabulary."""
    return hasattr(text_config(config), "vocab_size")


def _check_report(report: dict[str, Any], checkpoint: Checkpoint, *, unused: tuple[str, ...]) -> None:
    """Raises ModelError if a weight that is used was not read but drawn at random."""
    for name, stored, expected in report["mismatched_keys"]:
        raise ModelError(
            f"{checkpoint.name} does not fit its configuration: {name} has shape {list(stored)} in its "
            f"files, not {list(expected)}"
        )
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(unused))
    if missing:
        raise ModelError(
            f"{len(missing)} weights of {checkpoint.name} are not in its files ({missing[0]}): "
            "what it showed would be random"
        )


@contextmanager
def _our_errors(checkpoint: Checkpoint) -> Iterator[None]:
    """Whatever goes wrong while foreign files are read by foreign code, in one line."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise ModelError(
                f"{checkpoint.name} needs code that comes with it: --allow-remote-code runs it"
            ) from error
        raise ModelError(f"{checkpoint.name} cannot be loaded: {first_line(error)}") from error

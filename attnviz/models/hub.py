"""Models by their name on the Hugging Face hub, or in its cache on this machine."""

from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from attnviz.errors import ModelError
from attnviz.inputs import printable
from attnviz.models.known import known_models

SMALL_FILES = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
SAFE_WEIGHTS = ("model.safetensors", "model-*.safetensors")
PICKLED_WEIGHTS = ("pytorch_model*.bin",)


def snapshot(
    name: str, revision: str | None, *, allow_pickle: bool, allow_remote_code: bool, offline: bool
) -> Path:
    """The directory of a hub model in the cache, downloaded as far as it is missing.

    Raises ModelError if the model is not in the cache and cannot be had.
    """
    code = ("*.py",) if allow_remote_code else ()
    directory = _downloaded(name, revision, (*SMALL_FILES, *code, *SAFE_WEIGHTS), offline)
    if allow_pickle and not any(directory.glob("model*.safetensors*")):
        directory = _downloaded(name, revision, (*SMALL_FILES, *code, *PICKLED_WEIGHTS), offline)
    return directory


def _downloaded(name: str, revision: str | None, patterns: Sequence[str], offline: bool) -> Path:
    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=list(patterns),
                ignore_patterns=["*/*"],  # other formats of the same weights
                local_files_only=offline,
            )
        )
    except Exception as error:  # the http library's own errors come through as well
        reason = _reason(error, offline or constants.HF_HUB_OFFLINE)
        model = f"{name}@{revision}" if revision else name
        raise ModelError(
            f"no model {printable(model)} here: {reason}; there are {', '.join(known_models())}"
        ) from error
    finally:
        if bars:
            enable_progress_bars()


def _reason(error: Exception, offline: bool) -> str:
    """Why a hub model cannot be had, in a few words."""
    if isinstance(error, GatedRepoError):
        return "its owners grant access one by one (see its page on the hub, then `hf auth login`)"
    if isinstance(error, RevisionNotFoundError):
        return "the hub has it, but not this revision"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub has none of this name that may be read (or `hf auth login` is needed)"
    nowhere = "there is no such directory, it is not in the cache, and the hub"
    if offline:
        return f"{nowhere} is not asked while offline"
    return f"{nowhere} cannot be reached ({first_line(error.__cause__ or error)})"


def first_line(error: BaseException, width: int = 200) -> str:
    """The beginning of an error's message, fit for one line of ours."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = printable(lines[0].strip())
    return line if len(line) <= width else f"{line[: width - 1]}…"

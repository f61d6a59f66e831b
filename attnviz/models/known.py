"""The models that can be loaded here without asking anybody."""

from pathlib import Path

from attnviz.files import is_directory

SHIPPED = (
    "builtin:encoder",
    "builtin:decoder",
    "builtin:classifier",
    "builtin:translator",
    "builtin:bahdanau",
    "builtin:luong",
)


def known_models() -> list[str]:
    """Names that need no network: the models that ship, and those in the cache of the Hugging Face hub."""
    from huggingface_hub.constants import HF_HUB_CACHE

    configs = Path(HF_HUB_CACHE).glob("models--*/snapshots/*/config.json")
    folders = sorted({config.parents[2].name for config in configs})
    return [*SHIPPED, *(folder.removeprefix("models--").replace("--", "/") for folder in folders)]


def directory_of(name: str, revision: str | None = None) -> Path | None:
    """Where the files of a model lie on this machine, without asking anybody; None: they are not here.

    name: as ``families.load`` takes it; of a hub model the snapshot that its revision means in the cache
    """
    if name in SHIPPED:
        return Path(__file__).parent.parent / "builtin" / "weights" / name.removeprefix("builtin:")
    if is_directory(Path(name)):
        return Path(name)
    bare, _, typed = name.partition("@")
    return _cached(bare, revision or typed or "main")


def _cached(name: str, revision: str) -> Path | None:
    """The snapshot of a hub model in the cache."""
    from huggingface_hub.constants import HF_HUB_CACHE

    model = Path(HF_HUB_CACHE, f"models--{name.replace('/', '--')}")
    pointer = model / "refs" / revision
    commit = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else revision
    snapshot = model / "snapshots" / commit
    return snapshot if is_directory(snapshot) else None

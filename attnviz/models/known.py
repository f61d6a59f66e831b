"""The models that can be loaded here without asking anybody."""

from pathlib import Path

SHIPPED = ("builtin:encoder",)


def known_models() -> list[str]:
    """Names that need no network: the models that ship, and those in the cache of the Hugging Face hub."""
    from huggingface_hub.constants import HF_HUB_CACHE

    configs = Path(HF_HUB_CACHE).glob("models--*/snapshots/*/config.json")
    folders = sorted({config.parents[2].name for config in configs})
    return [*SHIPPED, *(folder.removeprefix("models--").replace("--", "/") for folder in folders)]

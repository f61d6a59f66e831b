"""What the configuration of a text model says about its windows and positions."""

from typing import Any

from torch import nn


def text_config(config: Any) -> Any:
    """The part of a configuration that is about text: of two, what is read (MusicGen also writes codes)."""
    try:
        return config.get_text_config()
    except ValueError:
        return config.get_text_config(encoder=True)


def window_of(model: nn.Module, layer: int) -> int | None:
    """How many keys a row of a layer of a text model may see at most; None for all.

    A causal window of transformers is a number of keys, a bidirectional one the reach to either side.
    A model with a window and no layer types (Mistral) has it in every layer.
    """
    config: Any = model.config
    config = text_config(config)
    if getattr(config, "is_heterogeneous", False):  # then only the layers' own configurations tell
        own = config.per_layer_config
        config = own[layer] if layer < len(own) else own[-1]
    types = getattr(config, "layer_types", None) or ()
    kind = types[layer] if layer < len(types) else None
    name = "attention_chunk_size" if kind == "chunked_attention" else "sliding_window"
    window = getattr(config, name, None)
    if not isinstance(window, int) or kind not in (None, "sliding_attention", "chunked_attention"):
        return None
    return window if _is_causal(model) else 2 * window + 1


def _is_causal(model: nn.Module) -> bool:
    """Whether no attention of the model sees later keys, as its modules say."""
    return all(getattr(module, "is_causal", True) for module in model.modules())


def length_to_look_over(model: nn.Module, tokens: int, little: int) -> int:
    """How many tokens show all that a model does with so many.

    little: enough for most; a model that attends in blocks to long texts only is shown one if it reads one
    """
    config: Any = model.config
    if getattr(config, "attention_type", None) != "block_sparse":
        return little
    longest = (5 + 2 * config.num_random_blocks) * config.block_size  # that it attends to as a whole
    return int(longest) + 1 if tokens > longest else little


def position_limit(config: Any, model: nn.Module) -> int | None:
    """How many tokens the model has positions for; None where it sets no limit.

    A table of positions with a padding entry (RoBERTa) has room for fewer than its size says.
    """
    limit = getattr(config, "max_position_embeddings", None)
    if not isinstance(limit, int) or limit <= 0:
        return None
    for name, module in model.named_modules():
        if not (name.endswith("position_embeddings") and isinstance(module, nn.Embedding)):
            continue
        if module.padding_idx is not None:
            limit = min(limit, module.num_embeddings - module.padding_idx - 1)
    return limit

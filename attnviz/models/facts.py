"""What a configuration of transformers, and the model built from it, say about its attention."""

from typing import Any

from torch import nn

from attnviz.captures import LayerFacts
from attnviz.errors import ModelError

WITHOUT_WEIGHTS = frozenset({"linear_attention", "mamba", "conv", "moe", "recurrent"})
"""Layer types that mix tokens without attention weights."""


def layers_and_heads(config: Any) -> tuple[int, int]:
    """How many layers a model has, and heads in each. Raises ModelError if it has no attention."""
    layers, heads = (getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads"))
    if not isinstance(layers, int) or not isinstance(heads, int):
        raise ModelError(f"models of type {config.model_type} have no attention heads to look at")
    return layers, heads


def layer_facts(config: Any, model: nn.Module) -> tuple[LayerFacts, ...]:
    """The self-attention layers of a text model."""
    layers, heads = layers_and_heads(config)
    types = getattr(config, "layer_types", None) or [None] * layers
    causal = _is_causal(model)
    return tuple(
        LayerFacts("", layer, 0 if kind in WITHOUT_WEIGHTS else heads, _window(config, kind, causal))
        for layer, kind in enumerate(types)
    )


def _window(config: Any, kind: str | None, causal: bool) -> int | None:
    """How many keys a row of a layer of this type may see at most.

    A causal window of transformers is a number of keys, a bidirectional one the reach to either side.
    A model with a window and no layer types (Mistral) has it in every layer.
    """
    window = getattr(
        config, "attention_chunk_size" if kind == "chunked_attention" else "sliding_window", None
    )
    if not isinstance(window, int) or kind not in (None, "sliding_attention", "chunked_attention"):
        return None
    return window if causal else 2 * window + 1


def _is_causal(model: nn.Module) -> bool:
    """Whether no attention of the model sees later keys, as its modules say."""
    return all(getattr(module, "is_causal", True) for module in model.modules())


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

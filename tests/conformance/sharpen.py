"""Random models attend to everything alike, and mistakes hide in that: their attention is made steep."""

import math
import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

ENOUGH = 0.25  # mean focus
MOST = 0.7
STEPS = 8

NAMES = re.compile(
    r"(^|\.)(q|k|q_proj|k_proj|query|key|query_proj|key_proj|q_lin|k_lin|qkv|qkv_proj|Wqkv|c_attn|query_key_value"
    r"|in_proj|in_proj_weight|to_q|to_k|to_qkv|wq|wk|q_linear|k_linear|linear_q|linear_k|query_projection"
    r"|key_projection|q_a_proj|q_b_proj|kv_b_proj|q_norm|k_norm|query_layernorm|key_layernorm|q_layernorm"
    r"|k_layernorm|kv_norm|attention\.(q|k)|(query|key)_layer|query_global|key_global|kv|proj_q|proj_k|qk_proj|q_bias"
    r"|kv_proj|self_attn\.W_pack|att_proj|queries_linear|query_conv|key_conv|linears?_query|linears?_key)"
    r"(\.(weight|linear\.weight|layer\.weight|projection\.weight|0\.weight|conv\.weight))?$"
)


def sharpen(model: nn.Module, focus: Callable[[], float]) -> float:
    """Scale what makes queries and keys, by as little as gives enough focus; returns the focus.

    Where that is not enough keys are made like queries (some models bring both to one length), at last every
    matrix is scaled.
    """
    found = [parameter for name, parameter in model.named_parameters() if NAMES.search(name)]
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    _wake(model)
    reached = _scaled_until(found, focus, focus())
    if reached < ENOUGH:
        _alike(model)
        reached = focus()
    return _scaled_until(matrices, focus, reached)


def _wake(model: nn.Module) -> None:
    """What is initialised to zeros or nearly so (sinks, position biases, norms) gets numbers that count."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if re.search(r"sinks$|relative_position_bias|rel_pos|relative_attention_bias", name):
                parameter.copy_(noise * 0.5)
            elif re.search(r"(q_norm|k_norm|q_layernorm|k_layernorm)\.weight$", name) and not parameter.any():
                parameter.fill_(0.5)
            elif name.endswith(".temp"):
                parameter.fill_(2.0)
            elif parameter.dim() > 1 and bool((parameter.abs() < 1e-6).all()):
                parameter.copy_(noise * 0.02)


def _alike(model: nn.Module) -> None:
    """Keys are made by the matrices that make queries, where both take the same."""
    with torch.no_grad():
        for module in model.modules():
            query, key = (
                getattr(getattr(module, name, None), "weight", None) for name in ("q_proj", "k_proj")
            )
            if isinstance(query, Tensor) and isinstance(key, Tensor) and query.shape[1:] == key.shape[1:]:
                key[: len(query)] = query[: len(key)]


def _scaled_until(parameters: list[Tensor], focus: Callable[[], float], reached: float) -> float:
    for _ in range(STEPS):
        if reached >= ENOUGH or not parameters:
            return reached
        before = [parameter.detach().clone() for parameter in parameters]
        _scale(parameters, 2.0)
        now = focus()
        if math.isnan(now) or now < reached - 0.1:  # worse
            with torch.no_grad():
                for parameter, old in zip(parameters, before, strict=True):
                    parameter.copy_(old)
            return reached
        reached = now
    return reached


def _scale(parameters: list[Tensor], factor: float) -> None:
    with torch.no_grad():
        for parameter in parameters:
            parameter.mul_(factor)

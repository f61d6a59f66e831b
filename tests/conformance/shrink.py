"""Configurations made small: the defaults of any class, with everything that costs time reduced.

Nothing is known here of single model types: fields are recognised by their names, and where a value does not
fit another one, a gentler ``Recipe`` leaves more of the defaults as they are.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from transformers import PreTrainedConfig

LAYERS = 2
VOCABULARY = 256
WIDTH = 64
HEADS = 4
HEAD = WIDTH // HEADS


@dataclass(frozen=True)
class Recipe:
    """How much of a configuration is made small.

    widths:   hidden sizes, heads and what follows from them
    images:   side lengths of images
    lists:    numbers of layers that differ from stage to stage
    sections: rotary positions in several dimensions get their parts where the defaults tell none
    """

    widths: bool = True
    images: bool = True
    lists: bool = True
    sections: bool = False


RECIPES = (
    Recipe(),
    Recipe(sections=True),
    Recipe(images=False),
    Recipe(lists=False),
    Recipe(images=False, lists=False),
    Recipe(widths=False),
    Recipe(widths=False, images=False, lists=False),
)

Rule = tuple[str, Callable[[int], int]]


def at_most(limit: int) -> Callable[[int], int]:
    return lambda value: min(value, limit)


DEPTHS: tuple[Rule, ...] = (
    (r"first_k_dense_replace|num_nextn_predict_layers|num_dense_layers|moe_layer_start_index", at_most(1)),
    (r"num_kv_shared_layers|num_key_value_shared_layers", at_most(0)),
    (r"(num_|n_|_|^)(hidden_)?(layers|layer|depth|blocks)(_size)?$", at_most(LAYERS)),
    (r"num_hidden_groups|inner_group_num", at_most(1)),
    (r"vocab_size(_per_layer_input)?$|vocab$|codebook_size", at_most(VOCABULARY)),
    (r"num_(local_|routed_)?experts$|n_routed_experts|moe_num_experts|num_moe_experts", at_most(4)),
    (r"experts_per_tok(en)?$|moe_topk|moe_k$|top_k_experts", at_most(2)),
    (r"^n_group$|topk_group|num_expert_group", at_most(1)),
    (r"n_shared_experts|num_shared_experts|moe_num_shared_experts", at_most(1)),
    (r"max_(\w+_)?position(s|_embeddings)$|n_positions|n_ctx|max_seq_len$|max_seq_length", at_most(128)),
    (r"max_source_positions|max_target_positions", at_most(64)),
    (r"sliding_window(_size)?$|attention_chunk_size|^local_attention$|attention_window$", at_most(6)),
    (r"num_queries|num_object_queries|num_proposals", at_most(10)),
    (r"index_topk", at_most(8)),
    (r"num_denoising", at_most(0)),
)
WIDTHS: tuple[Rule, ...] = (
    (r"(key_value|kv)_heads$|num_heads_kv|n_head_kv", at_most(HEADS // 2)),
    (r"(heads|head)$", at_most(HEADS)),
    (r"qk_nope_head_dim|v_head_dim|linear_(key|value)?_?head_dim", at_most(HEAD)),
    (r"qk_rope_head_dim|rotary_dim|mrope_dim", at_most(HEAD // 2)),
    (r"(head_dim|head_size|^d_kv|kv_channels|dim_head|d_head|head_channels)$", at_most(HEAD)),
    (r"lora_rank", at_most(HEAD)),
    (
        r"(intermediate_size|ffn_dim|ffn_hidden_size|mlp_dim|d_ff|^dff|d_inner|feedforward_dim|dim_feedforward"
        r"|mlp_hidden_size|ffn_size)$",
        at_most(2 * WIDTH),
    ),
    (
        r"((hidden|embedding|projection|word_embed_proj|model|pooler|feature|fusion|out_hidden|backbone)_?(size|dim)"
        r"|d_model|n_embd|emb_dim|embed_dim|latent_dim|lru_width|hidden_channels|output_dim"
        r"|cross_attention_(size|dim)|project_dim|d_embed|hidden_size\w*|\w+_hidden_size)$|^dim$",
        at_most(WIDTH),
    ),
    (r"query_pre_attn_scalar", at_most(HEAD)),
    (r"state_size|d_state|ssm_state_size|mamba_d_state", at_most(16)),
    (r"mamba_n_heads|mamba_num_heads", at_most(8)),
)


def small_config(config: PreTrainedConfig, recipe: Recipe, special: Mapping[str, Any]) -> PreTrainedConfig:
    """A small configuration of the same class; ``special``, nested like it, has the last word."""
    return type(config)(**merged(_small(config, recipe, _Ids()), special))


def merged(values: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the special ones in their place, inner mappings likewise."""
    whole = dict(values)
    for name, value in special.items():
        inner = whole.get(name)
        whole[name] = (
            merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
        )
    return whole


class _Ids:
    """Token ids moved into the small vocabulary: the same one always to the same place."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def __getitem__(self, token: int) -> int:
        if token < VOCABULARY - 56:
            return token
        return self._known.setdefault(token, VOCABULARY - 1 - len(self._known) % 56)


def _small(config: PreTrainedConfig, recipe: Recipe, ids: _Ids) -> dict[str, Any]:
    values: dict[str, Any] = {}
    chosen = _chosen_layers(config)
    for field in fields(config):  # type: ignore[arg-type]
        value = _value(config, field)
        if isinstance(value, PreTrainedConfig):
            values[field.name] = {"model_type": value.model_type, **_small(value, recipe, ids)}
        elif field.name in _BASE:
            continue
        elif chosen and field.name in LAYER_COUNTS:
            values[field.name] = len(chosen)
        elif chosen and isinstance(value, list | tuple) and len(value) > chosen[-1]:
            values[field.name] = [value[layer] for layer in chosen]
        elif value is None and recipe.widths and field.name in MISSING:
            values[field.name] = MISSING[field.name]
        elif not (field.default is None and _derived(field.name, value)):
            values[field.name] = _small_value(field.name, value, recipe, ids)
    return _consistent(config, values)


def _value(config: PreTrainedConfig, field: Any) -> Any:
    """A field's value; where layers differ in it, its default."""
    try:
        return getattr(config, field.name, None)
    except AttributeError:
        raise
    except Exception:
        return field.default


MISSING = {
    "head_dim": HEAD,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
}
"""What some defaults leave out and models cannot do without."""

LAYER_COUNTS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")


def _chosen_layers(config: PreTrainedConfig) -> list[int]:
    """Layers of a model whose layers differ: the first of every kind, two at least; none if all are alike."""
    count = next((value for name in LAYER_COUNTS if isinstance(value := vars(config).get(name), int)), 0)
    lists = [
        value for name, value in vars(config).items()
        if isinstance(value, list) and len(value) == count > LAYERS and not name.endswith(("ids", "id"))
    ]  # fmt: skip
    first: dict[str, int] = {}
    for layer in range(count if lists else 0):
        first.setdefault(repr([values[layer] for values in lists]), layer)
    kept = sorted(first.values())[:6]
    return kept if len(kept) != 1 else [0, 1]


def _consistent(config: PreTrainedConfig, values: dict[str, Any]) -> dict[str, Any]:
    """As many key heads as heads where that was so."""
    for heads, key_heads in (("num_attention_heads", "num_key_value_heads"), ("num_heads", "num_kv_heads")):
        theirs = vars(config).get(heads), vars(config).get(key_heads)
        if theirs[0] is not None and theirs[0] == theirs[1] and key_heads in values:
            values[key_heads] = values.get(heads)
    for expand, heads, width in (
        ("mamba_expand", "mamba_n_heads", "mamba_d_head"),
        ("expand", "num_heads", "head_dim"),
    ):
        if expand in values and heads in values and "hidden_size" in values:
            values[width] = int(values[expand] * values["hidden_size"]) // values[heads]
    theirs, rope, rest = (vars(config).get(n) for n in ("head_dim", "qk_rope_head_dim", "qk_nope_head_dim"))
    if "head_dim" in values and "qk_rope_head_dim" in values:
        values["head_dim"] = values["qk_rope_head_dim"] + (
            values["qk_nope_head_dim"] if theirs != rope and rest else 0
        )
    return values


_BASE = {field.name for field in fields(PreTrainedConfig)} - {
    "is_encoder_decoder", "is_decoder", "add_cross_attention", "tie_word_embeddings",
}  # fmt: skip


def _derived(name: str, value: Any) -> bool:
    """Whether a value that is None by default follows from others, which are not what they were."""
    return isinstance(value, list | tuple) or (
        isinstance(value, int) and not isinstance(value, bool) and not re.search(r"heads?$|token", name)
    )


def _small_value(name: str, value: Any, recipe: Recipe, ids: _Ids) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return _small_rope(value, recipe) if "rope" in name and recipe.widths else value
    if isinstance(value, int):
        return _small_number(name, value, recipe, ids)
    if isinstance(value, list | tuple) and value and recipe.lists:
        return _small_list(name, list(value), ids)
    if isinstance(value, float) and re.search(r"dropout|drop_path|layerdrop|_pdrop|drop_rate", name):
        return 0.0
    return value


def _small_number(name: str, value: int, recipe: Recipe, ids: _Ids) -> int:
    if re.search(r"token_id$|token_index$|token_idx$|_id$|_token$|image_index$", name):
        return ids[value]
    if recipe.images and re.search(
        r"^image_size$|^img_size$|^input_size$|pretrain_image_size|crop_size", name
    ):
        return min(value, 64)
    for pattern, smaller in (*DEPTHS, *(WIDTHS if recipe.widths else ())):
        if re.search(pattern, name):
            return smaller(value)
    return value


def _small_list(name: str, values: list[Any], ids: _Ids) -> list[Any]:
    if re.search(r"token_ids?$|_ids?$", name) and all(isinstance(value, int) for value in values):
        return [ids[value] for value in values]
    if re.search(r"^(depths|num_blocks|stage_num_blocks)$", name):
        return [min(value, LAYERS) if isinstance(value, int) else value for value in values]
    return values


def _small_rope(rope: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Rotary positions; what is told for every dimension of the head becomes plain, sections follow."""
    if any(isinstance(value, Mapping) for value in rope.values()):
        return {
            name: _small_rope(value, recipe) if isinstance(value, Mapping) else value
            for name, value in rope.items()
        }
    kept = dict(rope)
    if rope.get("rope_type") in ("longrope",):
        kept = {name: rope[name] for name in ("rope_theta", "partial_rotary_factor") if name in rope}
        kept["rope_type"] = "default"
    if "rope_theta" in kept and kept["rope_theta"] is None:
        kept["rope_theta"] = 10000.0
    if "mrope_section" in rope or recipe.sections:
        part = rope.get("partial_rotary_factor") or 1
        kept["mrope_section"] = _sections(rope.get("mrope_section") or [16, 24, 24], int(HEAD * part) // 2)
    return kept


def _sections(sections: list[int], half: int) -> list[int]:
    small = [max(1, section * half // sum(sections)) for section in sections]
    return [*small[:-1], half - sum(small[:-1])]

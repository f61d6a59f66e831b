"""Text models that need a configuration or inputs of their own."""

import torch
from torch import randn as normal

from tests.conformance.shrink import VOCABULARY, WIDTH
from tests.conformance.special.base import Special, ids, ones, padded, padded_text

_SERIES = {"prediction_length": 8, "context_length": 16, "lags_sequence": [1, 2, 3]}
_TINY = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": VOCABULARY,
}
_BOTH = {
    "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
}
NEMOTRON_H = {"n_groups": 1, "mamba_num_heads": 8, "mamba_head_dim": 16}
QWEN_4 = {
    "head_dim": 16,
    "indexer_n_heads": 4,
    "indexer_kv_heads": 1,
    "indexer_head_dim": 16,
    "indexer_budget": 8,
    "indexer_compress_ratio": 2,
}


TEXT: dict[str, Special] = {
    "autoformer": Special(config=_SERIES),
    "informer": Special(config=_SERIES),
    "time_series_transformer": Special(config=_SERIES),
    "blt_local_encoder": Special(
        inputs=lambda m: {
            "input_ids": ids(1, 12),
            "patch_embeds": normal(1, 4 * m.config.cross_attn_k, WIDTH),
            "num_patches": 4,
            "patch_ids": (torch.arange(12) // 3)[None],
            "encoder_attention_mask": torch.zeros(1, 1, 4 * m.config.cross_attn_k, 12),
        },
        implementation="sdpa",
    ),
    "blt_local_decoder": Special(
        inputs=lambda m: {
            "inputs_embeds": normal(1, 12, WIDTH),
            "patch_embeds": normal(1, 4, m.config.hidden_size_global),
        },
        implementation="sdpa",
    ),
    "xmod": Special(config={"default_language": "en_XX"}),
    "jamba": Special(config={"num_hidden_layers": 8, "num_experts": 2}),
    "gpt_neo": Special(
        config={"num_layers": 2, "attention_types": [[["global", "local"], 1]], "window_size": 4}
    ),
    "ernie4_5_vl_moe_text": Special(
        config={
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 2, 4]}
        }
    ),
    "glm4v_moe_text": Special(
        config={
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 0.5,
                "mrope_section": [1, 1, 2],
            }
        }
    ),
    "decision_transformer": Special(
        inputs=lambda m: {
            "states": normal(1, 6, m.config.state_dim),
            "actions": normal(1, 6, m.config.act_dim),
            "returns_to_go": normal(1, 6, 1),
            "timesteps": torch.arange(6)[None],
            "attention_mask": ones(1, 6),
        },
        model="DecisionTransformerModel",
    ),
    "mistral4": Special(config={"qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "head_dim": 16}),
    "cohere_compass_text": Special(config={"rope_parameters": _BOTH}),
    "deepseek_ocr2_text": Special(config={"mlp_layer_types": ["dense", "sparse"]}),
    "lfm2_moe": Special(config={"layer_types": ["conv", "full_attention"]}),
    "mamba2": Special(config={"n_groups": 1, "num_heads": 4, "head_dim": 32, "chunk_size": 8}),
    "bamba": Special(config={"attn_layer_indices": [1], "num_hidden_layers": 2}),
    "falcon_h1": Special(config={"mamba_d_ssm": 128, "mamba_n_heads": 8, "mamba_d_head": 16}),
    "glm5_next_text": Special(config={"index_topk": 16}),
    "diffusion_gemma_text": Special(
        config={"num_experts": 4, "top_k_experts": 2, "moe_intermediate_size": 32}
    ),
    "moonshine_streaming": Special(config={"num_key_value_heads": 4}),
    "zamba": Special(config={"num_hidden_layers": 6, "layer_types": ["linear_attention", "hybrid"] * 3}),
    "xlstm": Special(config={"num_heads": 4, "qk_dim_factor": 1.0}),
    "dbrx": Special(
        config={
            "d_model": 64,
            "n_heads": 4,
            "n_layers": 2,
            "attn_config": {"kv_n_heads": 2, "rope_theta": 10000.0, "clip_qkv": 8},
        }
    ),
    "esm": Special(
        start={"vocab_size": 33, "pad_token_id": 1, "mask_token_id": 32},
        config={"vocab_size": 33, "pad_token_id": 1, "mask_token_id": 32},
    ),
    "granitemoehybrid": Special(config={"layer_types": ["mamba", "attention"], "num_hidden_layers": 2}),
    "nemotron_h": Special(config=NEMOTRON_H),
    "nemotron": Special(config={"num_key_value_heads": 2}),
    "pix2struct_text_model": Special(config={"initializer_range": 0.02}),
    "t5gemma2_text": Special(config={"dropout_rate": 0.0}),
    "t5gemma2_decoder": Special(
        config={"dropout_rate": 0.0},
        inputs=lambda _: {"input_ids": ids(1, 9), "encoder_hidden_states": normal(1, 7, WIDTH)},
    ),
    "recurrent_gemma": Special(config={"num_hidden_layers": 3, "attention_window_size": 6}),
    "step3p5": Special(config={"sliding_window": 6}),
    "blt": Special(config={"num_hidden_layers": 2, "cross_attn_k": 2}, implementation="sdpa"),
    "fsmt": Special(config={"use_cache": False}),  # with a cache it has no causal mask
    "qwen4_exp_text": Special(config=QWEN_4),
    "jev": Special(
        inputs=lambda _: {
            "input_ids": ids(1, 12),
            "marks": torch.tensor([[4, 9]]),
            "num_options": torch.tensor([[2, 3]]),
            "question_type_ids": torch.tensor([[0, 1]]),
        }
    ),
    "voxtral_realtime_text": Special(
        inputs=lambda m: {**padded_text(), "t_cond": normal(1, 1, m.config.hidden_size)}
    ),
    "rag": Special(
        start={
            "question_encoder": {"model_type": "bert", **_TINY},
            "generator": {
                "model_type": "bart",
                "d_model": WIDTH,
                "encoder_layers": 2,
                "decoder_layers": 2,
                "encoder_attention_heads": 4,
                "decoder_attention_heads": 4,
                "encoder_ffn_dim": 64,
                "decoder_ffn_dim": 64,
                "vocab_size": VOCABULARY,
            },
        },
        config={"n_docs": 1},
        inputs=lambda _: {
            "context_input_ids": ids(1, 14),
            "context_attention_mask": padded(14),
            "doc_scores": normal(1, 1),
            "decoder_input_ids": ids(1, 9),
            "n_docs": 1,
        },
    ),
    "qwen3_omni_moe_talker_text": Special(
        config={"shared_expert_intermediate_size": 64},
        inputs=lambda _: {"inputs_embeds": normal(1, 14, WIDTH), "attention_mask": padded(14)},
    ),
    "funnel": Special(config={"block_sizes": [1, 1, 1], "num_decoder_layers": 1}),
}

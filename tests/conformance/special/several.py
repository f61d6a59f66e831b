"""Models of several things at once that need a configuration or inputs of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import randn as normal
from transformers.models.esmfold2.modeling_esmfold2 import EsmFold2AtomInputs
from transformers.models.gemma4.configuration_gemma4 import Gemma4TextConfig
from transformers.models.gemma4_unified.configuration_gemma4_unified import Gemma4UnifiedTextConfig

from tests.conformance.shrink import VOCABULARY, WIDTH, Recipe
from tests.conformance.special.base import AS_WIDE, Special, ids, ones, padded_text, text_around
from tests.conformance.special.text import NEMOTRON_H, QWEN_4

_BOTH = {
    "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
}
_SWIN = {
    "model_type": "swin",
    "embed_dim": 16,
    "depths": [1, 1, 1, 1],
    "num_heads": [2, 2, 4, 4],
    "image_size": 64,
    "window_size": 2,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}
_VQ = {
    "base_channels": 32,
    "channel_multiplier": [1, 2],
    "num_res_blocks": 1,
    "num_embeddings": 32,
    "embed_dim": 16,
    "latent_channels": 16,
}
_OMNI = {
    "vision_start_token_id": 201,
    "vision_end_token_id": 202,
    "audio_start_token_id": 203,
    "audio_end_token_id": 204,
}
_TINY = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": VOCABULARY,
}
_DECODER = {"model_type": "bert", "is_decoder": True, "add_cross_attention": True, **_TINY}
_TEXTS = {"encoder": {"model_type": "bert", **_TINY}, "decoder": _DECODER}


def _molecule(_: Any) -> dict[str, Any]:
    """A chain of six residues of three atoms each."""
    residues, atoms = 6, 18
    places, owners = torch.arange(residues)[None], torch.arange(atoms)[None] // 3
    alike = torch.zeros(1, residues, dtype=torch.long)
    return {
        **dict.fromkeys(("asym_id", "sym_id", "entity_id", "mol_type"), alike),
        **dict.fromkeys(("token_index", "residue_index"), places),
        "res_type": places + 2,
        "token_bonds": torch.zeros(1, residues, residues, 1),
        "attention_mask": ones(1, residues).bool(),
        "atom_inputs": EsmFold2AtomInputs(
            ref_pos=normal(1, atoms, 3) * 4,
            ref_charge=torch.zeros(1, atoms),
            atom_attention_mask=ones(1, atoms).bool(),
            ref_element=ids(1, atoms) % 8,
            ref_atom_name_chars=(ids(1, atoms, 4) % 50).clone(),
            ref_space_uid=owners,
            atom_to_token=owners,
        ),
        "input_ids": places + 4,
    }


_TEXT = {
    "hidden_size_per_layer_input": 0,
    "vocab_size_per_layer_input": 0,
    "num_hidden_layers": 4,
    "num_kv_shared_layers": 4,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "head_dim": 16,
    "global_head_dim": 16,
    "num_key_value_heads": 2,
    "num_attention_heads": 4,
    "hidden_size": 64,
    "intermediate_size": 64,
    "vocab_size": VOCABULARY,
    "sliding_window": 6,
}


@contextmanager
def _all_shared() -> Iterator[None]:
    """Gemma 4's assistants want all layers to read another model's keys; transformers 5.23 refuses to build
    any such model, because none of its own layers makes keys. Inside the block it does not ask.
    """
    kinds = (Gemma4TextConfig, Gemma4UnifiedTextConfig)
    before = [vars(kind)["kv_sharing_modes"] for kind in kinds]
    for kind in kinds:
        kind.kv_sharing_modes = property(lambda config: ["reuse"] * config.num_hidden_layers)
    try:
        yield
    finally:
        for kind, own in zip(kinds, before, strict=True):
            kind.kv_sharing_modes = own


def _drafted(_: Any) -> dict[str, Any]:
    """One more place, and the keys and values that the other model has made of eleven tokens."""
    keys = {
        kind: (normal(1, 2, 11, 16), normal(1, 2, 11, 16)) for kind in ("full_attention", "sliding_attention")
    }
    return {
        "inputs_embeds": normal(1, 1, 2 * WIDTH),
        "position_ids": torch.tensor([[11]]),
        "shared_kv_states": keys,
    }


_ASSISTANT = Special(
    start={"text_config": _TEXT},
    config={"text_config": _TEXT, "backbone_hidden_size": WIDTH},
    inputs=_drafted,
    within=_all_shared,
)


SEVERAL: dict[str, Special] = {
    "blip_2_qformer": Special(
        inputs=lambda m: {
            "query_embeds": normal(1, 8, WIDTH),
            "encoder_hidden_states": normal(1, 12, m.config.encoder_hidden_size),
        }
    ),
    "instructblip_qformer": Special(
        inputs=lambda m: {
            **padded_text(),
            "query_embeds": normal(1, 8, WIDTH),
            "attention_mask": ones(1, 22),
            "encoder_hidden_states": normal(1, 12, m.config.encoder_hidden_size),
        }
    ),
    "kosmos-2": Special(
        inputs=lambda m: {
            "pixel_values": normal(1, 3, 64, 64),
            "input_ids": ids(1, 80),
            "attention_mask": ones(1, 80),
            "image_embeds_position_mask": (torch.arange(80) < m.config.latent_query_num)[None].long(),
        },
        config={"latent_query_num": 8},
    ),
    "qwen2_5_omni_dit": Special(
        inputs=lambda m: {
            "hidden_states": normal(1, 12, m.config.mel_dim),
            "condition_vector": normal(1, 12, m.config.mel_dim),
            "speaker_embedding": normal(1, 12, m.config.enc_emb_dim),
            "quantized_code": ids(1, 12 // m.config.repeats),
            "time_step": torch.tensor([0.5]),
            "apply_cfg": False,
        },
        implementation="sdpa",
    ),
    "idefics2_perceiver": Special(
        inputs=lambda m: {"context": normal(1, 12, m.config.hidden_size), "attention_mask": ones(1, 12)},
    ),
    "lxmert": Special(
        inputs=lambda m: {
            **padded_text(),
            "visual_feats": normal(1, 5, m.config.visual_feat_dim),
            "visual_pos": normal(1, 5, 4),
        },
        config={"l_layers": 2, "x_layers": 2, "r_layers": 2},
    ),
    "instructblip": Special(
        inputs=lambda m: {
            "pixel_values": normal(1, 3, 64, 64),
            "qformer_input_ids": ids(1, 6),
            "qformer_attention_mask": ones(1, 6),
            "input_ids": torch.cat(
                [torch.full((1, m.config.num_query_tokens), m.config.image_token_id), ids(1, 6)], 1
            ),
            "attention_mask": ones(1, m.config.num_query_tokens + 6),
        },
        config={"image_token_id": 200},
    ),
    "blip-2": Special(
        inputs=lambda m: {
            "pixel_values": normal(1, 3, 64, 64),
            "input_ids": torch.cat(
                [torch.full((1, m.config.num_query_tokens), m.config.image_token_id), ids(1, 6)], 1
            ),
            "attention_mask": ones(1, m.config.num_query_tokens + 6),
        },
        config={"image_token_id": 200},
    ),
    "qwen3_omni_moe_talker_code_predictor": Special(inputs=lambda _: {"inputs_embeds": normal(1, 14, WIDTH)}),
    "perceiver": Special(
        config={
            "num_latents": 8,
            "d_latents": 32,
            "d_model": 24,
            "num_self_attends_per_block": 2,
            "num_cross_attention_heads": 4,
            "num_self_attention_heads": 4,
        },
        inputs=lambda _: {"inputs": normal(1, 11, 24)},
    ),
    "tvp": Special(config={"visual_prompt_size": 16, "max_img_size": 64, "num_frames": 2}),
    "cohere_compass": Special(config={"text_config": {"rope_parameters": _BOTH}}),
    "deepseek_ocr2": Special(config={"text_config": {"mlp_layer_types": ["dense", "sparse"]}}),
    "glm5_next": Special(config={"text_config": {"index_topk": 16}}),
    "diffusion_gemma": Special(
        config={"text_config": {"num_experts": 4, "top_k_experts": 2, "moe_intermediate_size": 32}}
    ),
    "mm-grounding-dino": Special(
        config={"backbone_config": {**_SWIN, "out_features": ["stage2", "stage3", "stage4"]}},
        implementation=None,
    ),
    "grounding-dino": Special(
        config={"backbone_config": {**_SWIN, "out_features": ["stage2", "stage3", "stage4"]}},
        implementation=None,
    ),
    "idefics": Special(
        inputs=lambda m: {
            **padded_text(),
            "pixel_values": normal(
                1, 1, 3, m.config.vision_config.image_size, m.config.vision_config.image_size
            ),
            "image_attention_mask": ones(1, 14, 1),
        },
    ),
    "encoder-decoder": Special(
        start=_TEXTS, inputs=lambda _: {**padded_text(), "decoder_input_ids": ids(1, 9)}
    ),
    "ernie4_5_vl_moe": Special(
        config={
            "text_config": {
                "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 2, 4]}
            }
        }
    ),
    "glm4v_moe": Special(
        config={
            "text_config": {
                "rope_parameters": {
                    "rope_type": "default",
                    "rope_theta": 10000.0,
                    "partial_rotary_factor": 0.5,
                    "mrope_section": [1, 1, 2],
                }
            }
        }
    ),
    "pi0": Special(
        config={"vlm_config": {"image_token_id": 200, "vision_config": {"image_size": 56}}},
        inputs=lambda m: {
            **text_around(200, 16),
            "action_embeds": normal(1, 5, m.config.dit_config.hidden_size),
            "pixel_values": normal(1, 1, 3, 56, 56),
            "pixel_attention_mask": ones(1, 1).bool(),
        },
    ),
    "chameleon": Special(
        config={"vocabulary_map": {"<image>": 3}, "vq_config": _VQ}, inputs=lambda _: padded_text()
    ),
    "emu3": Special(
        config={"vocabulary_map": {"<image>": 3}, "vq_config": _VQ}, inputs=lambda _: padded_text()
    ),
    "gemma4_assistant": _ASSISTANT,
    "gemma4_unified_assistant": _ASSISTANT,
    "muse_glimmer_assistant": Special(
        config={"target_layer_ids": [0, 1], "block_size": 6},
        inputs=lambda m: {
            "noise_embeds": normal(1, 6, m.config.hidden_size),
            "context_hidden_states": normal(1, 8, 2 * m.config.hidden_size),
            "attention_mask": ones(1, 14),
            "position_ids": torch.arange(14)[None],
        },
    ),
    "nemotron_h_omni": Special(
        config={"vision_config": {"video_temporal_patch_size": 2}, "text_config": NEMOTRON_H},
        inputs=lambda _: padded_text(),
    ),
    "vibevoice": Special(
        config={"audio_config": {"num_filters": 4}, "semantic_model_config": {"num_filters": 4}},
        inputs=lambda _: padded_text(),
    ),
    "vibevoice_asr": Special(
        config={
            "acoustic_tokenizer_encoder_config": {"num_filters": 4},
            "semantic_tokenizer_encoder_config": {"num_filters": 4},
        },
        inputs=lambda _: padded_text(),
    ),
    "instructblipvideo": Special(
        inputs=lambda m: {
            "pixel_values": normal(1, 2, 3, 64, 64),
            "qformer_input_ids": ids(1, 6),
            "qformer_attention_mask": ones(1, 6),
            "input_ids": torch.cat(
                [torch.full((1, 2 * m.config.num_query_tokens), m.config.video_token_id), ids(1, 6)], 1
            ),
            "attention_mask": ones(1, 2 * m.config.num_query_tokens + 6),
        },
        config={"video_token_id": 200},
    ),
    "muse_spark": Special(config={"audio_config": {"num_hidden_layers": 4}}, inputs=lambda _: padded_text()),
    "t5gemma2_encoder": Special(config={"text_config": {"dropout_rate": 0.0}}),
    "qwen2_5_omni_thinker": Special(config=_OMNI, inputs=lambda _: padded_text()),
    "qwen3_omni_moe_thinker": Special(config=_OMNI, inputs=lambda _: padded_text()),
    "qwen3_omni_moe": Special(
        config={
            "talker_config": {"text_config": {"shared_expert_intermediate_size": 64}},
            "thinker_config": _OMNI,
        }
    ),
    "step3p7": Special(config={"text_config": {"sliding_window": 6}}, inputs=lambda _: padded_text()),
    "shieldgemma2": Special(config={"mm_tokens_per_image": 4, "yes_token_index": 10, "no_token_index": 20}),
    "qwen4_exp": Special(config={"text_config": QWEN_4}, inputs=lambda _: padded_text()),
    "dots3_note": Special(
        config={
            "audio_config": {"adapter_input_size": WIDTH, "adapter_out_dim": WIDTH},
            "vision_config": {"adapter_in_dim": WIDTH, "adapter_out_dim": WIDTH},
        },
        inputs=lambda _: padded_text(),
    ),
    "granite4_vision": Special(
        config={"deepstack_layer_map": [[-1, 0]], "downsample_rate": "2/4"}, inputs=lambda _: padded_text()
    ),
    "molmo2": Special(
        config={
            "adapter_config": {"vision_feature_layer": [1, 0]},
            "vision_config": {"num_position_embeddings": 16},
        },
        inputs=lambda _: padded_text(),
    ),
    "florence2": Special(config={"vision_config": {"depths": [1, 1, 1, 1], "embed_dim": [16, 32, 64, 64]}}),
    "phi4_multimodal_vision": Special(
        implementation="sdpa",
        inputs=lambda m: {"pixel_values": normal(1, 3, m.config.image_size, m.config.image_size)},
    ),
    "esmfold2": Special(
        recipe=AS_WIDE,
        config={
            "num_loops": 1,
            "sliding_window": 8,
            "folding_trunk_num_hidden_layers": 1,
            "parcae_num_coda_layers": 1,
            "esmc_config": {
                "hidden_size": WIDTH,
                "num_attention_heads": 4,
                "num_key_value_heads": 4,
                "num_hidden_layers": 2,
            },
        },
        inputs=_molecule,
    ),
    "granite_speech": Special(config={"encoder_config": {"context_size": 12}}),
    "granite_speech_plus": Special(config={"encoder_config": {"context_size": 12}}),
    "qwen2_vl": Special(recipe=Recipe(sections=True)),
}

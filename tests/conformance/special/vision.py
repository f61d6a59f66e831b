"""Models of images that need a configuration or inputs of their own."""

from typing import Any

import torch
from torch import randn as normal

from tests.conformance.shrink import VOCABULARY, WIDTH
from tests.conformance.special.base import Special, ids, ones, padded
from tests.conformance.special.sessions import HIERA, SAM2

_RESNET = {
    "use_timm_backbone": False,
    "use_pretrained_backbone": False,
    "backbone": None,
    "backbone_config": {
        "model_type": "resnet",
        "embedding_size": 16,
        "hidden_sizes": [16, 24, 32, 48],
        "depths": [1, 1, 1, 1],
        "out_features": ["stage2", "stage3", "stage4"],
    },
}
_ONE_STAGE = {**_RESNET, "backbone_config": {**_RESNET["backbone_config"], "out_features": ["stage4"]}}
_NECK = {"neck_hidden_sizes": [16, 24, 32, 48], "fusion_hidden_size": 16}
_DINO = {
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
    "num_hidden_layers": 4,
    "out_indices": None,
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
_WINDOWS = {
    "image_size": 64,
    "patch_size": 4,
    "embed_dim": 16,
    "depths": [2, 2],
    "num_heads": [2, 4],
    "window_size": 4,
}
_SMALL_DETR = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_queries": 10,
}
_RT_DETR = {
    "backbone_config": {
        "model_type": "rt_detr_resnet",
        "embedding_size": 16,
        "hidden_sizes": [16, 24, 32, 48],
        "depths": [1, 1, 1, 1],
        "out_features": ["stage2", "stage3", "stage4"],
        "layer_type": "basic",
    },
    "encoder_in_channels": [24, 32, 48],
    "decoder_in_channels": [64, 64, 64],
    "encoder_hidden_dim": 64,
    "num_queries": 10,
    "num_denoising": 0,
    "d_model": 64,
    "encode_proj_layers": [2],
    "anchor_image_size": None,
    "eval_size": None,
}
_TINY = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": VOCABULARY,
}
_DECODER = {"model_type": "bert", "is_decoder": True, "add_cross_attention": True, **_TINY}
_VISION = {"encoder": {"model_type": "vit", **_TINY, "image_size": 64}, "decoder": _DECODER}


def detr(_: Any) -> dict[str, Any]:
    return {"pixel_values": normal(1, 3, 128, 128)}


def stereo(_: Any) -> dict[str, Any]:
    return {"pixel_values": normal(1, 2, 3, 64, 64)}


def _slices(model: Any) -> dict[str, Any]:
    """One image cut to a row of patches, as high as one patch, with its size in patches."""
    patch = model.config.patch_size
    return {"pixel_values": normal(1, 3, patch, patch * 16), "target_sizes": torch.tensor([[4, 4]])}


_SAM = {"window_size": 2, "global_attn_indexes": [1]}  # windows no larger than the image
_SAM3_DETR_ENCODER = Special(
    inputs=lambda _: {
        "vision_features": [normal(1, WIDTH, 6, 5)],
        "text_features": normal(1, 7, WIDTH),
        "vision_pos_embeds": [normal(1, WIDTH, 6, 5)],
        "text_mask": padded(7).bool(),
    }
)
_SAM3_DETR_DECODER = Special(
    inputs=lambda _: {
        "vision_features": normal(1, 30, WIDTH),
        "text_features": normal(1, 7, WIDTH),
        "vision_pos_encoding": normal(1, 30, WIDTH),
        "text_mask": padded(7).bool(),
        "spatial_shapes": torch.tensor([[6, 5]]),
    }
)
_SAM3_MASK_DECODER = Special(
    inputs=lambda _: {
        "decoder_queries": normal(1, 5, WIDTH),
        "backbone_features": [normal(1, WIDTH, 24, 20), normal(1, WIDTH, 12, 10), normal(1, WIDTH, 6, 5)],
        "encoder_hidden_states": normal(1, 30, WIDTH),
        "prompt_features": normal(1, 7, WIDTH),
        "prompt_mask": padded(7).bool(),
    }
)

_VQ = {
    "base_channels": 32,
    "channel_multiplier": [1, 2],
    "num_res_blocks": 1,
    "num_embeddings": 32,
    "embed_dim": 16,
    "latent_channels": 16,
}


def detr_64(_: Any) -> dict[str, Any]:
    return {"pixel_values": normal(1, 3, 64, 64)}


VISION: dict[str, Special] = {
    "conditional_detr": Special(config=_ONE_STAGE, inputs=detr),
    "dab-detr": Special(config=_ONE_STAGE, inputs=detr),
    "deformable_detr": Special(config=_RESNET, inputs=detr),
    "detr": Special(config=_ONE_STAGE, inputs=detr),
    "table-transformer": Special(config=_ONE_STAGE, inputs=detr),
    "lightglue": Special(inputs=stereo),
    "superglue": Special(inputs=stereo),
    "bridgetower_vision_model": Special(inputs=lambda _: {"image": normal(1, 3, 64, 64)}),
    "sam3_detr_encoder": _SAM3_DETR_ENCODER,
    "sam3_lite_text_detr_encoder": _SAM3_DETR_ENCODER,
    "sam3_detr_decoder": _SAM3_DETR_DECODER,
    "sam3_lite_text_detr_decoder": _SAM3_DETR_DECODER,
    "sam3_mask_decoder": _SAM3_MASK_DECODER,
    "sam3_lite_text_mask_decoder": _SAM3_MASK_DECODER,
    "deepseek_ocr2_encoder": Special(
        inputs=lambda _: {"inputs_embeds": normal(1, 16, WIDTH), "num_patches": 8}
    ),
    "gemma4_vision": Special(
        inputs=lambda m: {
            "pixel_values": normal(1, 36, 3 * m.config.patch_size**2),
            "pixel_position_ids": torch.cartesian_prod(torch.arange(6), torch.arange(6))[None],
        }
    ),
    "oneformer": Special(
        config={
            "backbone_config": {
                "model_type": "swin",
                "embed_dim": 16,
                "depths": [1, 1, 1, 1],
                "num_heads": [2, 2, 2, 2],
                "image_size": 64,
                "window_size": 2,
                "out_features": ["stage1", "stage2", "stage3", "stage4"],
            },
            "is_training": False,
            "task_seq_len": 7,
            "max_seq_len": 7,
            "text_encoder_vocab_size": 100,
            "num_queries": 10,
        },
        inputs=lambda _: {"pixel_values": normal(1, 3, 64, 64), "task_inputs": ids(1, 7)},
    ),
    "seggpt": Special(
        config={
            "image_size": [64, 32],
            "patch_size": 16,
            "intermediate_hidden_state_indices": [0, 1],
            "merge_index": 0,
        },
        inputs=lambda _: {
            "pixel_values": normal(1, 3, 32, 32),
            "prompt_pixel_values": normal(1, 3, 32, 32),
            "prompt_masks": normal(1, 3, 32, 32),
        },
    ),
    "video_llama_3_vision": Special(
        inputs=lambda m: {
            "pixel_values": normal(24, 3 * m.config.patch_size**2),
            "grid_thw": torch.tensor([[1, 4, 6]]),
            "merge_sizes": torch.tensor([2]),
        }
    ),
    "molmo2_adapter": Special(
        inputs=lambda m: {
            "image_features": normal(1, 16, 2 * m.config.hidden_size),
            "pooled_patches_idx": torch.arange(16).view(4, 4),
        },
        config={"vision_feature_layer": [1, 0]},
    ),
    "depth_anything": Special(config={**_NECK, "backbone_config": _DINO}),
    "prompt_depth_anything": Special(config={**_NECK, "backbone_config": _DINO}),
    "depth_pro": Special(
        config={
            "patch_size": 32,
            "fusion_hidden_size": 16,
            "intermediate_hook_ids": [1, 0],
            "intermediate_feature_dims": [16, 16],
            "scaled_images_feature_dims": [16, 16, 16],
            "image_model_config": {"image_size": 32, "patch_size": 8},
            "patch_model_config": {"image_size": 32, "patch_size": 8},
            "fov_model_config": {"image_size": 32, "patch_size": 8},
        },
        inputs=lambda _: {"pixel_values": normal(1, 3, 128, 128)},
    ),
    "llama4_vision_model": Special(
        config={
            "vision_output_dim": 64,
            "projector_input_dim": 64,
            "projector_output_dim": 64,
            "pixel_shuffle_ratio": 0.5,
            "image_size": 56,
            "intermediate_size": 256,
        }
    ),
    "mask2former": Special(
        config={
            "backbone_config": _SWIN,
            "feature_size": 32,
            "mask_feature_size": 32,
            "hidden_dim": 32,
            "num_attention_heads": 4,
            "num_queries": 10,
            "decoder_layers": 3,
            "encoder_layers": 2,
        },
        inputs=detr,
    ),
    "maskformer": Special(
        config={
            "backbone_config": _SWIN,
            "decoder_config": {"model_type": "detr", **_SMALL_DETR},
            "fpn_feature_size": 32,
            "mask_feature_size": 32,
        },
        inputs=detr,
    ),
    "rt_detr": Special(config=_RT_DETR, inputs=detr),
    "rt_detr_v2": Special(config=_RT_DETR, inputs=detr),
    "d_fine": Special(config={**_RT_DETR, "decoder_layers": 2, "eval_idx": -1}, inputs=detr),
    "pp_doclayout_v2": Special(config=_RT_DETR, inputs=detr),
    "upernet": Special(
        config={
            "backbone_config": {**_SWIN, "out_features": ["stage1", "stage2", "stage3", "stage4"]},
            "hidden_size": 16,
            "auxiliary_in_channels": 64,
            "auxiliary_channels": 16,
        },
        inputs=detr,
    ),
    "xclip_vision_model": Special(
        inputs=lambda m: {"pixel_values": normal(8, 3, m.config.image_size, m.config.image_size)}
    ),
    "vision-encoder-decoder": Special(
        start=_VISION, inputs=lambda _: {"pixel_values": normal(1, 3, 64, 64), "decoder_input_ids": ids(1, 9)}
    ),
    "efficientloftr": Special(inputs=stereo),
    "minicpmv4_6_vision": Special(inputs=_slices),
    "minicpmv4_7_vision": Special(inputs=_slices),
    "minicpm_ocr_vision": Special(inputs=_slices),
    "unlimited_ocr_vision_encoder": Special(
        inputs=lambda m: {"patch_embeds": normal(1, m.config.hidden_size, 4, 4)}
    ),
    "chmv2": Special(
        config={**_NECK, "backbone_config": {**_DINO, "return_class_token": True}}, inputs=detr_64
    ),
    "swin": Special(config=_WINDOWS),
    "swinv2": Special(config=_WINDOWS),
    "swin2sr": Special(config={**_WINDOWS, "image_size": 16, "patch_size": 1, "embed_dim": 16}),
    "donut-swin": Special(config=_WINDOWS),
    "maskformer-swin": Special(config={**_WINDOWS, "out_features": ["stage2"]}),
    "dots3_note_vision_encoder": Special(config={"adapter_in_dim": 64}),
    "mllama_vision_model": Special(
        config={"intermediate_layers_indices": [0, 1], "num_hidden_layers": 2, "num_global_layers": 1},
        inputs=lambda m: {
            "pixel_values": normal(1, 1, 4, 3, m.config.image_size, m.config.image_size),
            "aspect_ratio_ids": torch.tensor([[1]]),
            "aspect_ratio_mask": torch.tensor([[[1, 1, 1, 1]]]),
        },
    ),
    "molmo2_vision": Special(
        config={"num_position_embeddings": 16}, inputs=lambda _: {"pixel_values": normal(1, 16, 588)}
    ),
    "muse_glimmer_vision": Special(
        inputs=lambda _: {"pixel_values": normal(24, 1176), "grid_thw": torch.tensor([[1, 4, 6]])}
    ),
    "muse_spark_vision": Special(
        inputs=lambda _: {"pixel_values": normal(24, 1176), "grid_thw": torch.tensor([[1, 4, 6]])}
    ),
    "nougat": Special(
        start={
            "encoder": {"model_type": "donut-swin", **_WINDOWS},
            "decoder": {
                "model_type": "mbart",
                "d_model": 32,
                "decoder_layers": 2,
                "encoder_layers": 2,
                "decoder_attention_heads": 4,
                "decoder_ffn_dim": 64,
                "vocab_size": VOCABULARY,
                "is_decoder": True,
                "add_cross_attention": True,
            },
        },
        inputs=lambda _: {"pixel_values": normal(1, 3, 64, 64), "decoder_input_ids": ids(1, 9)},
        model="VisionEncoderDecoderModel",
    ),
    "paddleocr_vl_vision": Special(
        inputs=lambda _: {"pixel_values": normal(1, 24, 3, 14, 14), "grid_thw": torch.tensor([[1, 4, 6]])}
    ),
    "pvt": Special(config={"num_encoder_blocks": 4, "image_size": 64}),
    "sam_vision_model": Special(config=_SAM),
    "sam_hq_vision_model": Special(config=_SAM),
    "slanext_vision": Special(config=_SAM),
    "deepseek_ocr2_sam_vision_model": Special(config=_SAM),
    "deepseek_ocr2_vision": Special(
        config={"sam_config": {**_SAM, "initializer_range": 0.02, "downsample_channels": [32, WIDTH]}},
        inputs=detr_64,
    ),
    "unlimited_ocr_sam_vision_model": Special(config={**_SAM, "initializer_range": 0.02}),
    "inkling_vision": Special(
        config={"text_hidden_size": WIDTH}, inputs=lambda _: {"pixel_values": normal(1, 2, 40, 40, 3)}
    ),
    "inkling2_vision": Special(
        inputs=lambda m: {
            "pixel_values": normal(6, 2 * m.config.patch_size, 2 * m.config.patch_size, 3),
            "image_grid_thw": torch.tensor([[1, 2, 3]]),
        }
    ),
    "pp_formulanet_vision": Special(config=_SAM),
    "got_ocr2_vision": Special(config=_SAM),
    "sam3_vit_model": Special(config={"window_size": 2, "global_attn_indexes": [1]}),
    "sam3_vision_model": Special(config={"backbone_config": {"window_size": 2, "global_attn_indexes": [1]}}),
    "janus_vqgan": Special(config={**_VQ, "num_patches": 32}, inputs=detr_64),
    "sam2": Special(
        config={"vision_config": SAM2, "prompt_encoder_config": {"image_size": 64}}, inputs=detr_64
    ),
    "sam3_tracker": Special(
        config={
            "vision_config": {
                "backbone_config": {**_SAM, "image_size": 56},
                "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
                "fpn_hidden_size": 64,
            },
            "prompt_encoder_config": {"image_size": 56},
        },
        inputs=lambda _: {
            "pixel_values": normal(1, 3, 56, 56),
            "input_points": torch.tensor([[[[10.0, 20.0]]]]),
            "input_labels": ones(1, 1, 1),
        },
    ),
    "sam2_vision_model": Special(config=SAM2, inputs=detr_64),
    "sam2_hiera_det_model": Special(config=HIERA, inputs=detr_64),
    "zoedepth": Special(
        config={
            "backbone_config": {
                "model_type": "beit",
                "hidden_size": 64,
                "num_hidden_layers": 4,
                "num_attention_heads": 4,
                "intermediate_size": 64,
                "image_size": 64,
                "out_features": ["stage1", "stage2", "stage3", "stage4"],
                "reshape_hidden_states": False,
            },
            **_NECK,
            "bottleneck_features": 16,
            "num_relative_features": 16,
            "backbone_hidden_size": 64,
        },
        inputs=detr_64,
    ),
    "tipsv2_dpt": Special(config={**_NECK, "backbone_config": _DINO}, inputs=detr_64),
}

"""Models of convolutions, whose widths have to fit each other, and detectors that stand on them."""

from typing import Any

import torch
from torch import randn as normal

from tests.conformance.shrink import Recipe
from tests.conformance.special.base import AS_WIDE, Inputs, Special, ids, ones, padded_text

_SMALL_EFFICIENT = {"width_coefficient": 0.5, "depth_coefficient": 0.3, "hidden_dim": 640, "image_size": 64}
_POINT = [1, 1, 0]
_INTRACLASS = {
    "reduce_channel": _POINT,
    "return_channel": _POINT,
    **{
        f"{direction}_{length}ratio": [size, 1, [side // 2 for side in size]]
        for length, width in (("long", 7), ("mid", 5), ("short", 3))
        for direction, size in (
            ("vertical_long_to_small_conv", [width, 1]),
            ("horizontal_small_to_long_conv", [1, width]),
            ("symmetric_conv_long", [width, width]),
        )
    },
}
_SERVER = {
    "neck_out_channels": 32,
    "intraclass_block_config": _INTRACLASS,
    "scale_factor_list": [1, 2, 4, 8],
    "kernel_list": [3, 2, 2],
}
_HGNET = {
    "model_type": "hgnet_v2",
    "stem_channels": [3, 16, 16],
    "embedding_size": 16,
    "hidden_sizes": [16, 24, 32, 48],
    "depths": [1, 1, 1, 1],
    "stage_in_channels": [16, 16, 24, 32],
    "stage_mid_channels": [8, 8, 16, 16],
    "stage_out_channels": [16, 24, 32, 48],
    "stage_num_blocks": [1, 1, 1, 1],
    "stage_numb_of_layers": [2, 2, 2, 2],
    "out_features": ["stage2", "stage3", "stage4"],
    "out_indices": None,
}
_DETR = {
    "encoder_in_channels": [24, 32, 48],
    "decoder_in_channels": [64, 64, 64],
    "encoder_hidden_dim": 64,
    "d_model": 64,
    "num_queries": 10,
    "num_denoising": 0,
    "encode_proj_layers": [2],
    "eval_size": None,
    "anchor_image_size": None,
}
_LAYOUT = {
    **_DETR,
    "backbone_config": {**_HGNET, "out_features": ["stage1", "stage2", "stage3", "stage4"]},
    "x4_feat_dim": 16,
    "mask_feature_channels": [16, 16],
}


def _stages(*stages: int) -> dict[str, Any]:
    """What a backbone hands on: its stages, by their numbers."""
    return {"out_features": [f"stage{stage}" for stage in stages]}


def _image(side: int, name: str = "pixel_values") -> Inputs:
    return lambda _: {name: normal(1, 3, side, side)}


_LCNET_4 = {
    **_stages(1, 2, 3, 4),
    "stem_channels": [3, 8, 16],
    "block_configs": [  # by stages: side of the kernel, channels in and out, stride, excitation
        [[3, 16, 16, 1, False]],
        [[3, 16, 24, 2, False]],
        [[3, 24, 32, 2, False]],
        [[3, 32, 48, 2, False]],
    ],
}
_SWIN = {
    "model_type": "swin",
    "embed_dim": 16,
    "depths": [1, 1, 1, 1],
    "num_heads": [2, 2, 4, 4],
    "image_size": 64,
    "window_size": 2,
    "out_indices": [2, 3, 4],
    "out_features": ["stage2", "stage3", "stage4"],
}


def _named(_: Any) -> dict[str, Any]:
    """An image, what is to be done with it, and three names of what may be on it."""
    return {
        "pixel_values": normal(1, 3, 64, 64),
        "classes_input_ids": ids(3, 5),
        "classes_attention_mask": ones(3, 5),
        "tasks_input_ids": ids(1, 7),
        "tasks_attention_mask": ones(1, 7),
        "classes_structure": torch.tensor([3]),
    }


CONVOLUTION: dict[str, Special] = {
    "align": Special(
        config={"projection_dim": 160, "vision_config": _SMALL_EFFICIENT},
        inputs=lambda _: {**padded_text(), "pixel_values": normal(1, 3, 64, 64)},
    ),
    "efficientnet": Special(config=_SMALL_EFFICIENT, inputs=_image(64)),
    "florence_vision": Special(inputs=_image(64, "hidden_states")),
    "slanet": Special(
        recipe=AS_WIDE,
        model="SLANetForTableRecognition",
        config={"max_text_length": 4, "backbone_config": _stages(2, 3, 4, 5)},
        inputs=_image(64),
    ),
    "slanext": Special(
        model="SLANeXtForTableRecognition",
        config={
            "max_text_length": 4,
            "vision_config": {"window_size": 2, "global_attn_indexes": [1], "initializer_range": 0.02},
        },
        inputs=_image(64),
    ),
    "uvdoc": Special(
        recipe=AS_WIDE, config={"backbone_config": _stages(1, 2, 3, 4, 5, 6)}, inputs=_image(128)
    ),
    "pp_ocrv5_mobile_det": Special(
        recipe=AS_WIDE, config={"backbone_config": _stages(2, 3, 4, 5)}, inputs=_image(64, "hidden_states")
    ),
    "pp_ocrv6_small_det": Special(
        recipe=AS_WIDE,
        config={"backbone_config": _LCNET_4, "layer_list_out_channels": [16, 24, 32, 48]},
        inputs=_image(64),
    ),
    "pp_ocrv5_server_det": Special(
        recipe=AS_WIDE, config={**_SERVER, "backbone_config": _stages(1, 2, 3, 4)}, inputs=_image(64)
    ),
    "pp_ocrv6_medium_det": Special(
        recipe=AS_WIDE, config={**_SERVER, "backbone_config": _LCNET_4}, inputs=_image(64)
    ),
    "pp_doclayout_v3": Special(config=_LAYOUT, inputs=_image(128)),
    "pp_doclayout_v4": Special(config={**_DETR, "backbone_config": _HGNET}, inputs=_image(128)),
    "deimv2": Special(
        config={**_DETR, "backbone_config": _HGNET, "decoder_layers": 2, "eval_idx": -1}, inputs=_image(128)
    ),
    "lw_detr": Special(
        config={
            "projector_scale_factors": [1.0],
            "num_queries": 10,
            "group_detr": 1,
            "backbone_config": {
                "model_type": "lw_detr_vit",
                "image_size": 64,
                "pretrain_image_size": 64,
                "num_windows": 4,
                "window_block_indices": [0],
                "out_indices": [1, 2],
            },
        },
        inputs=_image(128),
    ),
    "omdet-turbo": Special(
        recipe=Recipe(images=False),
        start={"backbone_config": {"model_type": "swin"}},
        config={
            "backbone_config": _SWIN,
            "encoder_in_channels": [32, 64, 128],
            "vision_features_channels": [32, 32, 32],
            "apply_layernorm_after_vision_backbone": False,
            "text_projection_in_dim": 64,
            "text_projection_out_dim": 64,
            "class_embed_dim": 64,
            "decoder_hidden_dim": 32,
            "encoder_hidden_dim": 32,
            "d_model": 32,
            "image_size": 64,
        },
        inputs=_named,
    ),
}

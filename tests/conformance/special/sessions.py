"""Models that follow objects through a video: each call is a frame of a session, which it writes into."""

from typing import Any

import torch
from torch import randn as normal
from transformers.models.edgetam_video.modeling_edgetam_video import EdgeTamVideoInferenceSession
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession
from transformers.models.sam3_tracker_video.modeling_sam3_tracker_video import (
    Sam3TrackerVideoInferenceSession,
)
from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoInferenceSession

from tests.conformance.special.base import Inputs, Special, ids, padded

HIERA = {
    "hidden_size": 16,
    "image_size": [64, 64],
    "embed_dim_per_stage": [16, 32, 64, 128],
    "num_attention_heads_per_stage": [1, 2, 4, 8],
    "blocks_per_stage": [1, 1, 2, 1],
    "window_size_per_stage": [4, 2, 2, 2],
    "global_attention_blocks": [3],
    "window_positional_embedding_background_size": [2, 2],
}
SAM2 = {
    "backbone_config": HIERA,
    "backbone_channel_list": [128, 64, 32, 16],
    "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    "fpn_hidden_size": 64,
}
_WIDTH = 128  # a pointer to an object is that of two memories, which are 64 wide
_VIT = {"window_size": 2, "global_attn_indexes": [1], "image_size": 56, "pretrain_image_size": 56}
_SAM3 = {
    "backbone_config": _VIT,
    "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    "fpn_hidden_size": _WIDTH,
}
_MEMORY = {
    "mask_decoder_config": {"hidden_size": _WIDTH},
    "memory_attention_hidden_size": _WIDTH,
    "memory_encoder_hidden_size": _WIDTH,
    "mask_downsampler_embed_dim": _WIDTH,
    "memory_fuser_embed_dim": _WIDTH,
    "memory_attention_num_layers": 2,
    "memory_attention_rope_feat_sizes": [4, 4],
    "memory_attention_num_attention_heads": 2,
    "memory_encoder_output_channels": 64,
}


def second_frame(session_class: Any, side: int) -> Inputs:
    """The call for a frame after one in which a point was marked: it looks back at that one."""

    def inputs(model: Any) -> dict[str, Any]:
        video = normal(2, 3, side, side)
        session = session_class(video=video, video_height=side, video_width=side, dtype=torch.float32)
        place = session.obj_id_to_idx(1)
        point = {"point_coords": torch.tensor([[[[9.0, 21.0]]]]), "point_labels": torch.tensor([[[1]]])}
        session.add_point_inputs(place, 0, point)
        session.obj_with_new_inputs = [1]
        with torch.inference_mode():
            model(inference_session=session, frame_idx=0)
        return {"inference_session": session, "frame_idx": 1}

    return inputs


def prompted(model: Any) -> dict[str, Any]:
    """The call for the second frame of a video in which what a text names is looked for."""
    session = Sam3VideoInferenceSession(
        video=normal(2, 3, 56, 56), video_height=56, video_width=56, dtype=torch.float32
    )
    prompt = session.add_prompt("the cat")
    session.prompt_input_ids[prompt] = ids(1, 6)
    session.prompt_attention_masks[prompt] = padded(6, 0)
    with torch.inference_mode():
        model(inference_session=session, frame_idx=0)
    return {"inference_session": session, "frame_idx": 1}


SESSIONS: dict[str, Special] = {
    "sam2_video": Special(
        config={
            **_MEMORY,
            "vision_config": {**SAM2, "fpn_hidden_size": _WIDTH},
            "prompt_encoder_config": {"image_size": 64, "hidden_size": _WIDTH},
            "image_size": 64,
        },
        inputs=second_frame(Sam2VideoInferenceSession, 64),
    ),
    "edgetam_video": Special(
        config={
            **_MEMORY,
            "vision_config": {**SAM2, "fpn_hidden_size": _WIDTH},
            "prompt_encoder_config": {"image_size": 64, "hidden_size": _WIDTH},
            "image_size": 64,
            "memory_attention_rope_k_sizes": [2, 2],
            "sigmoid_scale_for_mem_enc": 1.0,  # 20 makes as much of what is rounded
            "sigmoid_bias_for_mem_enc": 0.0,
            "perceiver_resampler_num_latents": 4,
            "perceiver_resampler_num_latents_2d": 4,
            "perceiver_resampler_hidden_size": 64,
            "perceiver_resampler_attention_head_dim": 64,
        },
        inputs=second_frame(EdgeTamVideoInferenceSession, 64),
    ),
    "sam3_tracker_video": Special(
        config={
            **_MEMORY,
            "vision_config": _SAM3,
            "prompt_encoder_config": {"image_size": 56, "hidden_size": _WIDTH},
            "image_size": 56,
        },
        inputs=second_frame(Sam3TrackerVideoInferenceSession, 56),
    ),
    "sam3_video": Special(
        config={
            "detector_config": {
                "vision_config": _SAM3,
                **{
                    f"{part}_config": {"hidden_size": _WIDTH}
                    for part in ("geometry_encoder", "detr_encoder", "detr_decoder", "mask_decoder")
                },
            },
            "tracker_config": {
                **_MEMORY,
                "vision_config": _SAM3,
                "prompt_encoder_config": {"image_size": 56, "hidden_size": _WIDTH},
                "image_size": 56,
            },
            "low_res_mask_size": 16,
            "score_threshold_detection": 0.0,
            "new_det_thresh": 0.0,
        },
        inputs=prompted,
    ),
}

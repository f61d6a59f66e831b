"""Models of sound that need a configuration or inputs of their own."""

from typing import Any

import torch
from torch import randn as normal

from tests.conformance.shrink import VOCABULARY, WIDTH
from tests.conformance.special.base import Special, ids, of_audio, ones, padded, padded_text, text_around
from tests.conformance.special.text import NEMOTRON_H

_TINY = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": VOCABULARY,
}
_DECODER = {"model_type": "bert", "is_decoder": True, "add_cross_attention": True, **_TINY}
_SPEECH = {
    "encoder": {"model_type": "wav2vec2", **_TINY, "conv_dim": [32] * 7, "num_conv_pos_embedding_groups": 4},
    "decoder": _DECODER,
}
_CODEC = {"quantization_dim": 2 * WIDTH, "encoder_hidden_size": 8}
_STREAM = {"sliding_window": 8, "default_num_lookahead_tokens": 3}


def _stream(_: Any) -> dict[str, Any]:
    return {"input_features": normal(1, 160, 80)}


def _streamed_text(model: Any) -> dict[str, Any]:
    return {**_stream(model), "decoder_input_ids": ids(1, 3)}


def _latents(model: Any) -> dict[str, Any]:
    return {"latents": normal(1, model.config.hidden_size, 6)}


def _speech(_: Any) -> dict[str, Any]:
    """A second of sound, and what a feature extractor makes of it."""
    return {"input_values": normal(1, 1, 16000), "input_features": normal(1, 50, 160)}


AUDIO: dict[str, Special] = {
    "phi4_multimodal_audio": Special(
        inputs=lambda m: {"hidden_states": normal(1, 64, m.config.input_size), "mask": ones(1, 64).bool()},
    ),
    "qwen3_omni_moe_audio_encoder": Special(
        inputs=lambda m: {
            "input_features": normal(m.config.num_mel_bins, 120),
            "feature_lens": torch.tensor([120]),
        },
    ),
    "qwen2_5_omni_audio_encoder": Special(
        inputs=lambda m: {
            "input_features": normal(m.config.num_mel_bins, 120),
            "feature_lens": torch.tensor([120]),
            "aftercnn_lens": torch.tensor([60]),
        },
    ),
    "dia_decoder": Special(
        inputs=lambda m: {
            "input_ids": ids(1, 9, m.config.num_channels),
            "encoder_hidden_states": normal(1, 7, WIDTH),
        }
    ),
    "kyutai_speech_to_text": Special(inputs=lambda m: {"input_ids": ids(1, 14, m.config.num_codebooks + 1)}),
    "clap_audio_model": Special(
        config={
            "spec_size": 64,
            "num_mel_bins": 16,
            "window_size": 4,
            "depths": [1, 1],
            "num_attention_heads": [2, 4],
            "patch_embeds_hidden_size": 16,
            "hidden_size": 32,
        },
        inputs=lambda _: {"input_features": normal(1, 1, 256, 16), "is_longer": torch.tensor([[False]])},
    ),
    "granite_speech_encoder": Special(
        inputs=lambda m: {"hidden_states": normal(1, 24, m.config.input_dim)}, config={"context_size": 12}
    ),
    "granite_speech_plus_encoder": Special(
        inputs=lambda m: {"hidden_states": normal(1, 24, m.config.input_dim)}, config={"context_size": 12}
    ),
    "csm": Special(
        config={
            "codec_config": {
                "model_type": "mimi",
                "num_filters": 8,
                "hidden_size": 64,
                "codebook_dim": 32,
                "vector_quantization_hidden_dimension": 32,
                "upsample_groups": 64,
            }
        },
        model="CsmBackboneModel",
        inputs=lambda m: {"input_ids": ids(1, 14, m.config.num_codebooks), "attention_mask": padded(14)},
    ),
    "bark": Special(model="BarkSemanticModel", part="semantic_config", inputs=lambda _: padded_text()),
    "fun_asr_nano_encoder": Special(inputs=of_audio(560)),
    "gemma4_audio": Special(inputs=of_audio(128)),
    "speech-encoder-decoder": Special(
        start=_SPEECH, inputs=lambda _: {"input_values": normal(1, 4000), "decoder_input_ids": ids(1, 9)}
    ),
    "gemma3n_audio": Special(
        inputs=lambda m: {
            "audio_mel": normal(1, 64, m.config.input_feat_size),
            "audio_mel_mask": torch.zeros(1, 64).bool(),
        }
    ),
    "granite_speech5_encoder": Special(inputs=lambda _: {"input_features": normal(1, 60, 320)}),
    "granite_speech5_ctc": Special(inputs=lambda _: {"input_features": normal(1, 60, 320)}),
    "moshi_depth": Special(
        inputs=lambda m: {"input_ids": ids(1, 4), "last_hidden_state": normal(1, 4, m.config.input_size)},
        implementation="sdpa",
    ),
    "muse_spark_audio": Special(
        config={"num_hidden_layers": 4}, inputs=lambda _: {"input_values": normal(1, 1920 * 16)}
    ),
    "musicgen_decoder": Special(
        inputs=lambda _: {"inputs_embeds": normal(1, 14, WIDTH), "encoder_hidden_states": normal(1, 7, WIDTH)}
    ),
    "musicgen_melody_decoder": Special(inputs=lambda _: {"inputs_embeds": normal(1, 14, WIDTH)}),
    "musicgen": Special(
        model="MusicgenForConditionalGeneration",
        inputs=lambda _: {**padded_text(), "decoder_inputs_embeds": normal(1, 9, WIDTH)},
    ),
    "musicgen_melody": Special(
        model="MusicgenMelodyForConditionalGeneration",
        inputs=lambda _: {**padded_text(), "decoder_inputs_embeds": normal(1, 9, WIDTH)},
    ),
    "clap": Special(
        config={
            "audio_config": {
                "spec_size": 64,
                "num_mel_bins": 16,
                "window_size": 4,
                "depths": [1, 1],
                "num_attention_heads": [2, 4],
                "patch_embeds_hidden_size": 16,
                "hidden_size": 32,
            },
        },
        inputs=lambda _: {
            **padded_text(),
            "input_features": normal(1, 1, 256, 16),
            "is_longer": torch.tensor([[False]]),
        },
    ),
    "fastspeech2_conformer_hifigan": Special(
        inputs=lambda m: {"spectrogram": normal(1, 20, m.config.model_in_dim)}
    ),
    "speecht5_hifigan": Special(inputs=lambda m: {"spectrogram": normal(1, 20, m.config.model_in_dim)}),
    "mimi_decoder": Special(config={"upsample_groups": 64}, inputs=_latents),
    "pocket_tts_audio_tokenizer_decoder": Special(config={"upsample_groups": 64}, inputs=_latents),
    "vibevoice_acoustic_tokenizer": Special(config={"num_filters": 4}),
    "vibevoice_acoustic_tokenizer_encoder": Special(
        config={"num_filters": 4}, inputs=lambda _: {"hidden_states": normal(1, 1, 6400)}
    ),
    "vibevoice_acoustic_tokenizer_decoder": Special(
        config={"num_filters": 4}, inputs=lambda m: {"hidden_states": normal(1, m.config.hidden_size, 4)}
    ),
    "dots3_note_audio_encoder": Special(
        config={"adapter_input_size": 64},
        inputs=lambda m: {
            "input_features": normal(1, m.config.feature_size, 120),
            "chunk_sample_lengths": torch.tensor([120 * m.config.hop_length]),
        },
    ),
    "musicflamingo": Special(
        config={"audio_token_id": 200},
        inputs=lambda m: {
            **text_around(200, 64, padding=3),
            "input_features": normal(1, m.config.audio_config.num_mel_bins, 256),
            "input_features_mask": ones(1, 256),
        },
    ),
    "moss_transcribe_diarize": Special(
        config={"audio_token_id": 200},
        inputs=lambda m: {
            **text_around(200, 32, padding=3),
            "input_features": normal(1, m.config.audio_config.num_mel_bins, 256),
            "input_features_mask": ones(1, 256),
        },
    ),
    "qwen2_audio": Special(
        config={"audio_token_id": 200},
        inputs=lambda m: {
            **text_around(200, 64),
            "input_features": normal(1, m.config.audio_config.num_mel_bins, 256),
            "feature_attention_mask": ones(1, 256),
        },
    ),
    "voxtral": Special(
        config={"audio_token_id": 200, "audio_config": {"intermediate_size": 4 * WIDTH}},
        inputs=lambda m: {
            **text_around(200, 32, padding=3),
            "input_features": normal(1, m.config.audio_config.num_mel_bins, 256),
        },
    ),
    "voxtral_realtime_encoder": Special(
        inputs=lambda m: {"input_features": normal(1, m.config.num_mel_bins, 64)}
    ),
    "voxtral_realtime": Special(
        inputs=lambda m: {
            "input_ids": ids(1, 8),
            "input_features": normal(1, m.config.audio_config.num_mel_bins, 64),
        },
    ),
    "fastspeech2_conformer_with_hifigan": Special(
        inputs=lambda _: {"input_ids": torch.arange(3, 17)[None], "attention_mask": ones(1, 14)}
    ),
    "inkling_audio": Special(
        config={"text_hidden_size": WIDTH, "mel_vocab_size": 16},
        inputs=lambda m: {"audio_input_ids": ids(1, 6, m.config.n_mel_bins) % 16},
    ),
    "nemo_speechlm": Special(
        config={"audio_token_id": 200, "text_config": NEMOTRON_H},
        inputs=lambda _: {
            **text_around(200, 16, padding=3),
            "input_features": normal(1, 128, 128),
            "input_features_mask": ones(1, 128),
        },
    ),
    "nemotron_asr_streaming_encoder": Special(config=_STREAM, inputs=_stream, implementation="sdpa"),
    "nemotron_asr_streaming": Special(
        config={"encoder_config": _STREAM}, inputs=_streamed_text, implementation="sdpa"
    ),
    "nemotron3_5_asr": Special(
        config={"encoder_config": _STREAM}, inputs=_streamed_text, implementation="sdpa"
    ),
    "qwen2_5_omni_token2wav": Special(
        config={"bigvgan_config": {"upsample_initial_channel": 64}},
        implementation="sdpa",
        inputs=lambda m: {
            "code": ids(1, 6),
            "conditioning": normal(1, m.config.dit_config.enc_emb_dim),
            "reference_mel": normal(1, 12, m.config.dit_config.mel_dim),
            "num_steps": 2,
        },
    ),
    "neucodec": Special(config=_CODEC, inputs=_speech),
    "xcodec2": Special(config=_CODEC, inputs=_speech),
    "qwen2_5_omni_bigvgan": Special(
        config={"upsample_initial_channel": 64}, inputs=lambda _: {"mel_spectrogram": normal(1, 80, 12)}
    ),
}

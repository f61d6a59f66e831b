"""What a model is called with: tensors made from the names of its forward's parameters and its configuration.

Several sets are offered, the richest first: what a model can do without is only known by trying.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

TOKENS = 14
PADDING = 3
TARGETS = 9
FRAMES = 60

Tensors = dict[str, Any]


def candidates(model: PreTrainedModel) -> Iterator[Tensors]:
    """Sets of inputs for this model, the richest first."""
    torch.manual_seed(11)
    parameters = inspect.signature(model.forward).parameters
    required = [
        name for name, parameter in parameters.items()
        if parameter.default is parameter.empty and parameter.kind == parameter.POSITIONAL_OR_KEYWORD
    ]  # fmt: skip
    yield from _sets(model, list(parameters), required)


def _sets(model: PreTrainedModel, names: list[str], required: list[str]) -> Iterator[Tensors]:
    config = model.config
    text = _text(config, names)
    for media in _media(model, names, required):
        if text and media:
            yield from _with_placeholders(model, text, media)
        yield {**text, **media}
    if text:
        yield text


# Text


def _text(config: PreTrainedConfig, names: list[str]) -> Tensors:
    tensors: Tensors = {}
    mask = torch.ones(1, TOKENS, dtype=torch.long)
    if "input_ids" in names:
        tensors["input_ids"] = _ids(config, TOKENS)
        if "attention_mask" in names:
            mask[:, slice(0, PADDING) if _reads_forwards(config) else slice(TOKENS - PADDING, TOKENS)] = 0
            tensors["attention_mask"] = mask
    if "decoder_input_ids" in names:
        tensors["decoder_input_ids"] = _ids(config, TARGETS)
    if "bbox" in names:
        tensors["bbox"] = torch.tensor([[[1, 2, 30, 40]]]).expand(1, TOKENS, 4).clone()
    return tensors


def _reads_forwards(config: PreTrainedConfig) -> bool:
    """Whether the model is a decoder alone, whose texts are padded on the left."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    text = config.get_text_config(decoder=True)
    encodes = config.is_encoder_decoder or CAUSAL.get(config.model_type) is None
    also_masked = config.model_type in ("bert", "roberta")
    return not encodes and text is config and not also_masked and not _is_masked(config)


def _is_masked(config: PreTrainedConfig) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    return config.model_type in MASKED


def _ids(config: PreTrainedConfig, count: int) -> Tensor:
    """Tokens, of which some come twice, none special."""
    text = config.get_text_config(decoder=True)
    size = getattr(text, "vocab_size", None) or getattr(config, "vocab_size", None) or 100
    special = {value for value in _values(config) if value < size}
    usable = [token for token in range(3, min(int(size), 200)) if token not in special]
    return torch.tensor([[usable[place * 37 % len(usable)] for place in range(count - 3)] + usable[:3]])


def _values(config: PreTrainedConfig) -> Iterator[int]:
    """Numbers that a configuration gives to special tokens."""
    for name, value in vars(config).items():
        if isinstance(value, PreTrainedConfig):
            yield from _values(value)
        elif (
            isinstance(value, int)
            and not isinstance(value, bool)
            and ("token" in name or name.endswith("_id"))
        ):
            yield value


# Images, sounds


def _media(model: PreTrainedModel, names: list[str], required: list[str]) -> Iterator[Tensors]:
    makers: dict[str, Callable[[PreTrainedModel], Iterator[Tensors]]] = {
        "pixel_values": _images,
        "input_features": _features,
        "input_values": _waves,
        "audio_values": _waves_as("audio_values"),
        "inputs_embeds": _embeddings,
        "hidden_states": _states,
        "flattened_patches": _patches,
        "pixel_values_videos": _videos,
        "past_values": _series,
    }
    main = next((name for name in makers if name in required), None) or next(
        (name for name in (model.main_input_name, *makers) if name in names and name in makers), None
    )
    if main in ("inputs_embeds", "hidden_states") and "input_ids" in names:
        main = None
    if main is None:
        return
    for tensors in makers[main](model):
        kept = {name: tensor for name, tensor in tensors.items() if name in names}
        yield {**_companions(model, names), **kept}


def _companions(model: PreTrainedModel, names: list[str]) -> Tensors:
    """What a decoder is to have written."""
    extra: Tensors = {}
    if "decoder_input_ids" in names and model.config.is_encoder_decoder:
        extra["decoder_input_ids"] = _ids(model.config, TARGETS)
    return extra


def looked_up(config: PreTrainedConfig, *names: str, default: Any = None) -> Any:
    """The first of the fields that the configuration or one of its parts for images or sounds has."""
    parts = [config, *(value for value in vars(config).values() if isinstance(value, PreTrainedConfig))]
    parts += [
        value for part in parts[1:] for value in vars(part).values() if isinstance(value, PreTrainedConfig)
    ]
    parts.sort(key=lambda part: "text" in part.model_type)
    for name in names:
        for part in parts:
            if getattr(part, name, None) is not None:
                return getattr(part, name)
    return default


def _side(size: Any) -> int:
    if isinstance(size, dict):
        return int(next(iter(size.values())))
    return int(max(size) if isinstance(size, list | tuple) else size)


def _sides(config: PreTrainedConfig) -> tuple[int, int]:
    size = looked_up(config, "image_size", "img_size", "input_size", "pretrain_image_size", default=64)
    if isinstance(size, dict):
        return int(size.get("height", 64)), int(size.get("width", 64))
    return (
        (int(size[0]), int(size[1]))
        if isinstance(size, list | tuple) and len(size) == 2
        else (_side(size),) * 2
    )


def _images(model: PreTrainedModel) -> Iterator[Tensors]:
    config = model.config
    channels = looked_up(config, "num_channels", "in_channels", "in_chans", "num_input_channels", default=3)
    channels = channels if isinstance(channels, int) else 3
    height, width = _sides(config)
    patch = _side(looked_up(config, "patch_size", "spatial_patch_size", default=16))
    temporal = int(looked_up(config, "temporal_patch_size", default=1))
    frames = int(looked_up(config, "num_frames", "frames_per_clip", default=0) or 0)
    merge = _side(looked_up(config, "spatial_merge_size", "merge_kernel_size", "merge_size", default=2))
    image = torch.randn(1, channels, height, width)
    names = inspect.signature(model.forward).parameters
    grids = [name for name in ("image_grid_thw", "grid_thw", "image_grid_hw") if name in names]
    if grids or "spatial_shapes" in names or "pixel_position_ids" in names or "image_position_ids" in names:
        yield from _flat_patches(channels, patch, temporal, merge)
    if frames:
        yield {"pixel_values": torch.randn(1, frames, channels, height, width)}
        yield {"pixel_values": torch.randn(1, channels, frames, height, width)}
    sizes = {"image_sizes": torch.tensor([[height, width]])}
    yield {"pixel_values": image, **sizes}
    yield {"pixel_values": image[:, None], **sizes, "pixel_attention_mask": torch.ones(1, 1, height, width)}
    yield {"pixel_values": image[:, None].expand(1, 5, channels, height, width).clone(), **sizes}
    for side in (32, 64, 96, 128, 224, 256, 384, 512):
        yield {
            "pixel_values": torch.randn(1, channels, side, side),
            "image_sizes": torch.tensor([[side, side]]),
        }


def _flat_patches(channels: int, patch: int, temporal: int, merge: int) -> Iterator[Tensors]:
    """Patches of one image in a row, with its grid beside them."""
    rows, columns = 2 * merge, 3 * merge
    for times in (temporal, 1):
        flat = torch.randn(rows * columns, channels * times * patch * patch)
        grid = torch.tensor([[1, rows, columns]])
        mask = torch.ones(1, rows * columns, dtype=torch.long)
        places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))[None]
        yield {
            "pixel_values": flat, "image_grid_thw": grid, "grid_thw": grid, "image_grid_hw": grid[:, 1:],
        }  # fmt: skip
        yield {
            "pixel_values": flat[None], "spatial_shapes": grid[:, 1:], "pixel_attention_mask": mask,
            "image_position_ids": places, "pixel_position_ids": places,
        }  # fmt: skip
        yield {
            "pixel_values": flat.reshape(-1, channels, patch, patch),
            "image_grid_thw": grid,
            "grid_thw": grid,
        }


def _videos(model: PreTrainedModel) -> Iterator[Tensors]:
    config = model.config
    height, width = _sides(config)
    for frames in dict.fromkeys((int(looked_up(config, "num_frames", "frames_per_clip", default=4)), 4, 2)):
        yield {"pixel_values_videos": torch.randn(1, frames, 3, height, width)}


def _features(model: PreTrainedModel) -> Iterator[Tensors]:
    config = model.config
    bins = looked_up(
        config, "num_mel_bins", "input_feat_per_channel", "feature_size", "n_mels", "input_feature_size",
        "mel_bins", "feature_projection_input_dim", "input_dim", default=80,
    )  # fmt: skip
    positions = looked_up(config, "max_source_positions", default=FRAMES // 2)
    for frames in dict.fromkeys(
        (2 * positions, FRAMES, 200, looked_up(config, "max_length", "spec_size", default=64))
    ):
        features = torch.randn(1, bins, frames)
        mask = torch.ones(1, frames, dtype=torch.long)
        masks = {"input_features_mask": mask, "feature_attention_mask": mask, "attention_mask": mask,
                 "feature_lens": torch.tensor([frames])}  # fmt: skip
        for shaped in (features, features.transpose(1, 2).contiguous(), features[:, None]):
            yield {"input_features": shaped, **masks}
            yield {"input_features": shaped}
            yield {
                "input_features": shaped,
                **masks,
                "attention_mask": mask.bool(),
                "input_features_mask": mask.bool(),
            }


def _waves(model: PreTrainedModel) -> Iterator[Tensors]:
    config = model.config
    bins = looked_up(config, "num_mel_bins", default=80)
    for length in (4000, 16000, 32000):
        wave = torch.randn(1, length)
        yield {"input_values": wave}
        yield {"input_values": wave[:, None]}
        yield {"input_values": wave, "padding_mask": torch.ones(1, length, dtype=torch.long)}
    for frames in (looked_up(config, "max_length", default=FRAMES), FRAMES):
        yield {"input_values": torch.randn(1, frames, bins)}
        yield {"input_values": torch.randn(1, 1, frames, bins)}


def _waves_as(name: str) -> Callable[[PreTrainedModel], Iterator[Tensors]]:
    def waves(model: PreTrainedModel) -> Iterator[Tensors]:
        for tensors in _waves(model):
            yield {name: tensors["input_values"]}

    return waves


def _embeddings(model: PreTrainedModel) -> Iterator[Tensors]:
    for width in dict.fromkeys((_width(model), _width(model.config.get_text_config()))):
        yield {"inputs_embeds": torch.randn(1, TOKENS, width), "attention_mask": torch.ones(1, TOKENS)}
        yield {"inputs_embeds": torch.randn(1, TOKENS, width)}


def _states(model: PreTrainedModel) -> Iterator[Tensors]:
    config = model.config
    width = _width(model)
    yield {
        "hidden_states": torch.randn(1, TOKENS, width),
        "attention_mask": torch.ones(1, TOKENS),
        "encoder_hidden_states": torch.randn(
            1, TARGETS, looked_up(config, "encoder_hidden_size", default=width)
        ),
    }
    yield {"hidden_states": torch.randn(1, TOKENS, width)}
    channels = looked_up(config, "in_channels", "num_channels", default=3)
    patch = _side(looked_up(config, "patch_size", default=14))
    temporal = int(looked_up(config, "temporal_patch_size", default=1))
    merge = _side(looked_up(config, "spatial_merge_size", default=2))
    rows, columns = 2 * merge, 3 * merge
    grid = torch.tensor([[1, rows, columns]])
    if isinstance(channels, int):
        yield {
            "hidden_states": torch.randn(rows * columns, channels * temporal * patch * patch),
            "grid_thw": grid, "image_grid_thw": grid,
        }  # fmt: skip


def _width(model: Any) -> int:
    width = looked_up(
        getattr(model, "config", model), "hidden_size", "d_model", "embed_dim", "dim", default=64
    )
    return int(width[0] if isinstance(width, list | tuple) else width)


def _patches(model: PreTrainedModel) -> Iterator[Tensors]:
    patch, channels = _side(looked_up(model.config, "patch_size", default=16)), 3
    width = looked_up(model.config, "patch_embed_hidden_size", default=patch * patch * channels)
    places = torch.cartesian_prod(torch.arange(1, 4), torch.arange(1, 5)).float()
    for size in dict.fromkeys((patch * patch * channels, width)):
        flat = torch.cat([places, torch.randn(len(places), size)], dim=1)[None]
        yield {"flattened_patches": flat, "attention_mask": torch.ones(1, len(places))}
        yield {"flattened_patches": flat}


def _series(model: PreTrainedModel) -> Iterator[Tensors]:
    """A time series and its future, with as many features as the configuration names."""
    config = model.config
    lags = getattr(config, "lags_sequence", None) or [0]
    past = (getattr(config, "context_length", None) or 32) + max(lags)
    future = getattr(config, "prediction_length", None) or 8
    channels = getattr(config, "num_input_channels", None) or getattr(config, "input_size", 1)
    features = getattr(config, "num_time_features", 0) or 0
    shape = (1, past) if channels == 1 and lags != [0] else (1, past, channels)
    tensors = {
        "past_values": torch.randn(shape),
        "past_time_features": torch.randn(1, past, features),
        "past_observed_mask": torch.ones(shape),
        "future_values": torch.randn(1, future),
        "future_time_features": torch.randn(1, future, features),
    }
    yield tensors
    yield {"past_values": torch.randn(1, past, channels)}
    yield {"past_values": torch.randn(1, past)}


# Images in a text


def _with_placeholders(model: PreTrainedModel, text: Tensors, media: Tensors) -> Iterator[Tensors]:
    """The text with as many places for the image as the model makes features of it."""
    token = next(
        (getattr(model.config, name) for name in ("image_token_id", "image_token_index", "media_token_id",
         "audio_token_id", "audio_token_index", "speech_token_id")
         if isinstance(getattr(model.config, name, None), int)), None,
    )  # fmt: skip
    if token is None:
        return
    count = _features_of(model, text, media)
    if not count:
        return
    ids = text["input_ids"]
    places = torch.full((1, count), token)
    joined = torch.cat([ids[:, :4], places, ids[:, 4:]], dim=1)
    tensors = {**text, **media, "input_ids": joined}
    names = inspect.signature(model.forward).parameters
    if "attention_mask" in text:
        mask = text["attention_mask"]
        tensors["attention_mask"] = torch.cat([mask[:, :4], torch.ones_like(places), mask[:, 4:]], dim=1)
    for name in ("mm_token_type_ids", "token_type_ids"):
        if name in names:
            tensors[name] = (joined == token).long()
    yield tensors
    tensors.pop("mm_token_type_ids", None)
    yield tensors


def _features_of(model: PreTrainedModel, text: Tensors, media: Tensors) -> int:
    """How many places an image or a sound takes in the text."""
    for name in ("get_image_features", "get_audio_features"):
        function = getattr(model, name, None)
        if function is None:
            continue
        taken = inspect.signature(function).parameters
        given = {key: value for key, value in media.items() if key in taken}
        try:
            with torch.inference_mode():
                features = function(**given)
        except Exception:
            continue
        features = getattr(features, "pooler_output", features)
        if isinstance(features, list | tuple):
            features = torch.cat([part.reshape(-1, part.shape[-1]) for part in features])
        if isinstance(features, Tensor):
            return features.numel() // features.shape[-1]
    return _told(model, text, media)


def _told(model: PreTrainedModel, text: Tensors, media: Tensors) -> int:
    """How many features a model says that it has when they do not fit the text."""
    try:
        with torch.inference_mode():
            model(**text, **media)
    except Exception as error:  # whatever else it says
        found = re.search(r"features:? (\d+)", str(error))
        return int(found[1]) if found else 0
    return 0

"""Weights times values are what an attention module gives, in the very run that was captured.

Nothing else is needed to know that weights are those that the model used, and where they belong: values and
outputs are the model's own, noted by hooks on its modules.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.models.t5gemma2.configuration_t5gemma2 import T5Gemma2DecoderConfig
from transformers.models.t5gemma2.modeling_t5gemma2 import T5Gemma2Decoder

from attnviz.captures import Capture
from attnviz.models.live import LiveSource
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from tests.models import zoo

TOKENS = 32
HEADS = 4

Noted = list[tuple[str, nn.Module, tuple[Tensor, ...], Any]]


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def model_of(kind: str, **config: object) -> nn.Module:
    torch.manual_seed(3)
    model: nn.Module = AutoModel.from_config(AutoConfig.for_model(kind, **config))
    zoo.sharpen(model)
    return model.eval()


@contextmanager
def noted(model: nn.Module, suffix: str) -> Iterator[Noted]:
    """What the modules whose path ends so were given, and what they gave."""
    calls: Noted = []

    def note(module: nn.Module, given: tuple[Tensor, ...], options: dict[str, Any], made: Any) -> None:
        arguments = (*given, *(value for value in options.values() if isinstance(value, Tensor)))
        calls.append((names[module], module, arguments, made))

    names = {module: name for name, module in model.named_modules()}
    handles = [
        module.register_forward_hook(note, with_kwargs=True)
        for module, name in names.items()
        if name.endswith(suffix)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def seen_with(model: nn.Module, suffix: str, **tensors: Tensor) -> tuple[Capture, Noted]:
    source = LiveSource(model)
    encoded = source.prepared(tensors)
    source.facts  # noqa: B018 - what it is looked over with is not noted
    with noted(model, suffix) as calls:
        return observe(source, encoded, [KeepMaps()]), calls


def by_heads(tensor: Tensor, heads: int = HEADS) -> Tensor:
    """``[tokens, heads * size]`` as ``[heads, tokens, size]``."""
    return tensor.view(len(tensor), heads, -1).transpose(0, 1)


def read(weights: np.ndarray, values: Tensor) -> Tensor:
    """What heads read, side by side: ``[tokens, heads * size]``."""
    return (torch.from_numpy(weights) @ values).transpose(0, 1).flatten(1)


def tokens(count: int = TOKENS) -> Tensor:
    return torch.randint(5, zoo.VOCABULARY - 5, (1, count), generator=torch.Generator().manual_seed(5))


REFORMER = {
    "vocab_size": zoo.VOCABULARY, "hidden_size": 64, "num_attention_heads": HEADS, "attention_head_size": 16,
    "local_attn_chunk_length": 4, "lsh_attn_chunk_length": 4, "num_buckets": 4, "feed_forward_size": 96,
    "axial_pos_shape": [8, 16], "axial_pos_embds_dim": [32, 32], "max_position_embeddings": 128,
}  # fmt: skip


@pytest.mark.parametrize("decoder", [False, True])
def test_hashed_tokens_are_put_back(decoder: bool) -> None:
    """Reformer: chunks of the tokens in the order of their buckets, and the chunk before."""
    model = model_of("reformer", **REFORMER, attn_layers=["lsh", "local"], is_decoder=decoder)
    seen, calls = seen_with(model, "self_attention", input_ids=tokens())
    assert len(calls) == len(seen.maps) == 2
    for maps, (_, module, given, made) in zip(seen.maps, calls, strict=True):
        values = by_heads(module.value(given[0])[0])  # type: ignore[operator]
        np.testing.assert_allclose(read(maps.weights, values), made[0][0], atol=1e-4)
        assert not maps.computed.all()


def test_several_rounds_of_hashing_are_not_made_up() -> None:
    model = model_of("reformer", **REFORMER, attn_layers=["lsh", "local"], num_hashes=2)
    seen, _ = seen_with(model, "self_attention", input_ids=tokens())
    assert len(seen.maps) == 1


def test_blocks_seen_several_times_count_as_often() -> None:
    """BigBird: its random blocks are all the first one outside training, what it returns holds that once."""
    model = model_of(
        "big_bird", vocab_size=zoo.VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=HEADS,
        intermediate_size=96, block_size=4, num_random_blocks=2, max_position_embeddings=128,
    )  # fmt: skip
    seen, calls = seen_with(model, "attention.self", input_ids=tokens(48))
    assert len(calls) == len(seen.maps) == 2
    for maps, (_, module, given, made) in zip(seen.maps, calls, strict=True):
        values = by_heads(module.value(given[0])[0])  # type: ignore[operator]
        np.testing.assert_allclose(read(maps.weights, values), made[0][0], atol=1e-4)
        assert not maps.computed.all()


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_position_biases_count_as_often_as_the_model_adds_them(implementation: str) -> None:
    """Falcon's own two ways differ (eager adds ALiBi twice): shown is the one that the model runs with."""
    model = model_of(
        "falcon", vocab_size=zoo.VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=HEADS,
        alibi=True, new_decoder_architecture=False, multi_query=False, attn_implementation=implementation,
    )  # fmt: skip
    seen, calls = seen_with(model, "self_attention", input_ids=tokens())
    for maps, (_, module, given, made) in zip(seen.maps, calls, strict=True):
        fused = module.query_key_value(given[0])[0].view(TOKENS, HEADS, 3, -1)  # type: ignore[operator]
        output = module.dense(read(maps.weights, fused[:, :, 2].transpose(0, 1)))  # type: ignore[operator]
        np.testing.assert_allclose(output, made[0][0], atol=1e-4)


def test_a_band_is_put_back_beside_what_all_see() -> None:
    """LED's encoder: a band, and tokens that see all and are seen by all, entry by entry in the product."""
    model = model_of(
        "led", vocab_size=zoo.VOCABULARY, d_model=64, encoder_layers=2, decoder_layers=1,
        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=96, decoder_ffn_dim=96,
        attention_window=4, max_encoder_position_embeddings=128, max_decoder_position_embeddings=128,
    )  # fmt: skip
    flags = torch.zeros(1, TOKENS, dtype=torch.long)
    flags[0, [0, 7]] = 1
    seen, calls = seen_with(
        model, "longformer_self_attn", input_ids=tokens(), global_attention_mask=flags,
        decoder_input_ids=tokens(5),
    )  # fmt: skip
    for maps, (_, module, given, made) in zip(seen.maps, calls, strict=False):
        near, far = (by_heads(part(given[0])[0]) for part in (module.value, module.value_global))  # type: ignore[operator]
        expected = read(maps.weights, near)
        expected[[0, 7]] = read(maps.weights, far)[[0, 7]]
        np.testing.assert_allclose(expected, made[0][0], atol=1e-4)


@pytest.mark.parametrize("kind", ["swin", "swinv2"])
def test_windows_are_the_models_own_entry_by_entry(kind: str) -> None:
    """7 x 7 patches in windows of 3, every other block shifted by 1: undone by hand."""
    model = model_of(
        kind, image_size=14, patch_size=2, embed_dim=24, depths=[2], num_heads=[4], window_size=3
    )
    image = torch.randn(1, 3, 14, 14, generator=torch.Generator().manual_seed(5))
    source = LiveSource(model)
    seen = observe(source, source.prepared({"pixel_values": image}), [KeepMaps()])
    windows = returned_windows(model, image)
    assert len(windows) == len(seen.maps) == 2
    for shift, (maps, weights) in enumerate(zip(seen.maps, windows, strict=True)):
        whole = np.zeros((4, 81, 81), dtype=np.float32)
        for window in range(9):
            places = [
                9 * ((window // 3 * 3 + down + shift) % 9) + (window % 3 * 3 + right + shift) % 9
                for down in range(3)
                for right in range(3)
            ]
            for query, row in enumerate(places):
                for key, column in enumerate(places):
                    whole[:, row, column] = weights[window, :, query, key]
        np.testing.assert_allclose(maps.weights, whole, atol=1e-5)


def returned_windows(model: Any, image: Tensor) -> list[np.ndarray]:
    """What the model returns under eager attention, ``[windows, heads, places, places]`` a block."""
    model.set_attn_implementation("eager")
    weights: list[np.ndarray] = []

    def note(module: nn.Module, given: Any, made: Any) -> None:
        del module, given
        weights.append(made[1].numpy())

    blocks = [module.attention for module in model.modules() if hasattr(module, "shift_size")]
    handles = [block.register_forward_hook(note) for block in blocks]
    model(pixel_values=image, output_attentions=True)
    for handle in handles:
        handle.remove()
    return weights


GEMMA = {
    "vocab_size": zoo.VOCABULARY, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": HEADS,
    "num_key_value_heads": 2, "intermediate_size": 96, "head_dim": 16,
    "layer_types": ["full_attention", "sliding_attention"], "sliding_window": 4,
}  # fmt: skip


def test_two_attentions_in_one_softmax_are_told_apart() -> None:
    """T5Gemma 2: what is written and what was read share each row, as the model returns it."""
    sight = {
        "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
        "image_size": 28, "patch_size": 14,
    }  # fmt: skip
    encoder = {"text_config": GEMMA, "vision_config": sight, "mm_tokens_per_image": 4}
    model: Any = model_of("t5gemma2", encoder=encoder, decoder=GEMMA)
    given = {"input_ids": tokens(9), "decoder_input_ids": tokens(9)}
    source = LiveSource(model)
    seen = observe(source, source.prepared(given), [KeepMaps()])
    model.set_attn_implementation("eager")
    returned = model(**given, output_attentions=True)
    for layer in range(2):
        own, across = (getattr(returned, f"{stack}_attentions")[layer][0] for stack in ("decoder", "cross"))
        np.testing.assert_allclose(seen.maps[f"decoder.{layer}"].weights, own, atol=1e-5)
        np.testing.assert_allclose(seen.maps[f"cross.{layer}"].weights, across, atol=1e-5)
        np.testing.assert_allclose((own.sum(-1) + across.sum(-1)), 1, atol=1e-5)


def test_what_was_read_is_as_long_as_its_states_where_a_decoder_is_alone() -> None:
    torch.manual_seed(3)
    model: Any = T5Gemma2Decoder(T5Gemma2DecoderConfig(**GEMMA, dropout_rate=0.0)).eval()
    zoo.sharpen(model)
    given = {"input_ids": tokens(9), "encoder_hidden_states": torch.randn(1, 5, 64)}
    source = LiveSource(model)
    seen = observe(source, source.prepared(given), [KeepMaps()])
    model.set_attn_implementation("eager")
    returned = model(**given, output_attentions=True)
    for layer in range(2):
        np.testing.assert_allclose(seen.maps[f"{layer}"].weights, returned.attentions[layer][0], atol=1e-5)
        np.testing.assert_allclose(
            seen.maps[f"cross.{layer}"].weights, returned.cross_attentions[layer][0], atol=1e-5
        )


def test_what_a_row_reads_that_a_mask_leaves_nothing_to_see_is_the_models_own() -> None:
    """A mask of the lowest number leaves such a row the mean of all values, which later layers read."""
    model: Any = model_of(
        "llama",
        vocab_size=zoo.VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=HEADS,
        num_key_value_heads=2, intermediate_size=96,
    )  # fmt: skip
    mask = torch.zeros(1, 1, 7, 7)
    mask[:, :, 2] = torch.finfo(mask.dtype).min
    given = {"input_ids": tokens(7), "attention_mask": mask}
    source = LiveSource(model)
    seen = observe(source, source.prepared(given), [KeepMaps()])
    model.set_attn_implementation("eager")
    own = model(**given, output_attentions=True).attentions[1][0]
    seeing = [row for row in range(7) if row != 2]
    np.testing.assert_allclose(seen.maps["1"].weights[:, seeing], own[:, seeing], atol=1e-5)

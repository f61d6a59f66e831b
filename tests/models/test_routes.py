"""Models that do not all go through the attention interface: their weights are their own all the same."""

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from attnviz.captures import Capture
from attnviz.inputs import Sample
from attnviz.models.base import Encoded, Source
from attnviz.models.live import LiveSource
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from tests.models import zoo

Directories = Callable[[str], Path]
Sources = Callable[[str], Source]

STACKS = {"attentions": "", "encoder_attentions": "encoder", "decoder_attentions": "decoder"}
STACKS["cross_attentions"] = "cross"
LONG = " ".join([zoo.TEXT] * 3)


def own(directory: Path, encoded: Encoded) -> Iterator[tuple[str, Tensor]]:
    """What a model itself returns under eager attention: by stack, ``[heads, queries, keys]`` a layer."""
    model = AutoModel.from_pretrained(directory, attn_implementation="eager", dtype=torch.float32)
    with torch.inference_mode():
        outputs = model(**encoded.tensors, output_attentions=True)
    for field, stack in STACKS.items():
        for attention in outputs.get(field) or ():
            yield stack, attention[0]


def seen_of(source: Source, text: str = zoo.TEXT, pair: str | None = None) -> tuple[Encoded, Capture]:
    encoded = source.encode(Sample(text, pair))
    return encoded, observe(source, encoded, [KeepMaps()])


def pair_of(source: Source) -> str | None:
    return "A dog slept." if len({layer.stack for layer in source.facts.layers}) > 1 else None


@pytest.mark.parametrize("family", zoo.OTHERS)
def test_weights_are_what_the_model_returns(
    family: str, directory_of: Directories, source_of: Sources
) -> None:
    source = source_of(family)
    encoded, seen = seen_of(source, pair=pair_of(source))
    returned = list(own(directory_of(family), encoded))
    assert len(seen.maps) == len(returned)
    left = list(seen.maps)
    for stack, weights in returned:
        maps = next(maps for maps in left if stack in ("", maps.stack))
        left.remove(maps)
        np.testing.assert_allclose(maps.weights, weights.numpy(), atol=1e-5)


@pytest.mark.parametrize("family", [*zoo.OTHERS, *zoo.BANDED])
def test_attention_is_far_from_flat(family: str, source_of: Sources) -> None:
    """Else mistakes would hide in the flatness."""
    source = source_of(family)
    _, seen = seen_of(source, pair=pair_of(source))
    largest = [float(maps.weights.max(-1).mean()) for maps in seen.maps]
    assert np.mean(largest) > 2.5 / len(seen.maps[0].keys)


@pytest.mark.parametrize("family", [*zoo.OTHERS, *zoo.BANDED])
def test_rows_sum_to_one(family: str, source_of: Sources) -> None:
    source = source_of(family)
    _, seen = seen_of(source, LONG, pair_of(source))
    for maps in seen.maps:
        np.testing.assert_allclose(maps.weights.sum(-1), 1, atol=1e-4)


@pytest.mark.parametrize("family", ["t5", "bart", "marian", "led", "longt5"])
def test_an_encoder_decoder_has_three_stacks_with_axes_of_their_own(family: str, source_of: Sources) -> None:
    encoded, seen = seen_of(source_of(family), pair="A dog slept.")
    assert [maps.name for maps in seen.maps] == [
        f"{stack}.{layer}" for layer in (0, 1) for stack in ("encoder",)
    ] + [f"{stack}.{layer}" for layer in (0, 1) for stack in ("decoder", "cross")]
    read, written = encoded.axes["encoder"][0], encoded.axes["decoder"][0]
    assert encoded.axes["cross"] == (written, read)
    assert "slept" in "".join(written.labels).replace("+", "")
    assert seen.map("cross.1.2").shape == (len(written), len(read))


def test_without_a_target_the_decoder_reads_its_first_token_alone(source_of: Sources) -> None:
    _, seen = seen_of(source_of("bart"))
    assert seen.map("decoder.0.0").tolist() == [[1.0]]
    assert seen.map("cross.0.0").shape[0] == 1


# Bands and blocks: what was not computed is told from what has no weight


def band(maps: np.ndarray, weights: np.ndarray, reach: int) -> None:
    """Longformer's layout, read entry by entry."""
    queries = weights.shape[1]
    for query in range(maps.shape[1]):
        for place in range(2 * reach + 1):
            key = query - reach + place
            if 0 <= key < min(queries, maps.shape[2]):
                np.testing.assert_allclose(maps[:, query, key], weights[:, query, place], atol=1e-6)


def test_a_band_is_put_back(directory_of: Directories, source_of: Sources) -> None:
    encoded, seen = seen_of(source_of("longformer"), LONG)
    for maps, (_, weights) in zip(seen.maps, own(directory_of("longformer"), encoded), strict=True):
        band(maps.weights, weights.numpy(), reach=2)
        near = np.abs(np.subtract.outer(range(len(maps.queries)), range(len(maps.keys)))) <= 2
        np.testing.assert_array_equal(np.broadcast_to(maps.computed, maps.weights.shape)[0], near)


def test_tokens_that_see_all_and_are_seen_by_all(directory_of: Directories, source_of: Sources) -> None:
    """Longformer's global attention: rows of their own, and columns beside the band."""
    source = source_of("longformer")
    assert isinstance(source, LiveSource)
    tensors = dict(source.encode(Sample(LONG)).tensors)
    tensors["global_attention_mask"] = torch.zeros_like(tensors["input_ids"])
    tensors["global_attention_mask"][0, [0, 7]] = 1
    encoded = source.prepared(tensors)
    seen = observe(source, encoded, [KeepMaps()])
    model = AutoModel.from_pretrained(directory_of("longformer"), attn_implementation="eager")
    with torch.inference_mode():
        outputs = model(**tensors, output_attentions=True)
    length = len(seen.maps[0].keys)
    for maps, near, far in zip(seen.maps, outputs.attentions, outputs.global_attentions, strict=True):
        for place, token in enumerate((0, 7)):
            np.testing.assert_allclose(maps.weights[:, token], far[0, :, :length, place].numpy(), atol=1e-6)
            np.testing.assert_allclose(maps.weights[:, 20, token], near[0, :, 20, place].numpy(), atol=1e-6)
        np.testing.assert_allclose(maps.weights[:, 20, 19], near[0, :, 20, 2 + 1].numpy(), atol=1e-6)
        np.testing.assert_allclose(maps.weights.sum(-1), 1, atol=1e-4)


def test_blocks_that_are_not_computed_are_told(directory_of: Directories, source_of: Sources) -> None:
    encoded, seen = seen_of(source_of("big_bird"), LONG)
    length = len(seen.maps[0].keys)
    assert length > 28  # else it attends to all
    for maps, (_, weights) in zip(seen.maps, own(directory_of("big_bird"), encoded), strict=True):
        sees_all = [*range(4), *range(length - length % 4, length)]  # the first block and the last
        expected = weights[:, sees_all, :length].numpy()
        np.testing.assert_allclose(maps.weights[:, sees_all], expected, atol=1e-6)
        np.testing.assert_allclose(
            maps.weights[:, 4:8, 4:length], weights[:, 4:8, 4:length].numpy(), atol=1e-6
        )
        computed = np.broadcast_to(maps.computed, maps.weights.shape)
        assert computed[:, sees_all].all()
        assert not computed[:, 10, 20:28].any()


def test_a_short_text_leaves_block_sparse_layers_as_they_are(source_of: Sources) -> None:
    """The model itself exchanges them for full ones, for good."""
    source = source_of("big_bird")
    seen_of(source, "The cat")
    _, seen = seen_of(source, LONG)
    assert not seen.maps[0].computed.all()


@pytest.mark.parametrize(("family", "before", "after"), [("longt5", 1, 1), ("reformer", 1, 0)])
def test_chunks_are_put_back(
    family: str, before: int, after: int, directory_of: Directories, source_of: Sources
) -> None:
    encoded, seen = seen_of(source_of(family), LONG, pair_of(source_of(family)))
    returned = [weights for stack, weights in own(directory_of(family), encoded) if weights.ndim == 4]
    layers = [maps for maps in seen.maps if maps.stack in ("", "encoder")]
    for maps, own_layout in zip(layers, returned, strict=True):
        weights = own_layout.transpose(0, 1) if family == "reformer" else own_layout  # [chunks, heads, ...]
        length = weights.shape[2]
        for query in range(len(maps.queries)):
            for place in range(length * (before + 1 + after)):
                key = (query // length - before) * length + place
                if 0 <= key < len(maps.keys):
                    expected = weights[query // length, :, query % length, place].numpy()
                    np.testing.assert_allclose(maps.weights[:, query, key], expected, atol=1e-6)


# Images


def image_model(kind: str, **config: object) -> torch.nn.Module:
    torch.manual_seed(3)
    model: torch.nn.Module = AutoModel.from_config(AutoConfig.for_model(kind, **config))
    zoo.sharpen(model)
    return model.eval()


@pytest.mark.parametrize("kind", ["swin", "swinv2"])
def test_windows_are_put_back_into_the_image(kind: str) -> None:
    """A window of 3 over 7 x 7 patches, shifted by 1 in every other block: padded to 9 x 9."""
    model = image_model(
        kind, image_size=14, patch_size=2, embed_dim=24, depths=[2], num_heads=[4], window_size=3
    )
    source = LiveSource(model)
    seen = observe(source, source.prepared({"pixel_values": torch.randn(1, 3, 14, 14)}), [KeepMaps()])
    assert [maps.weights.shape for maps in seen.maps] == [(4, 81, 81)] * 2
    for shift, maps in enumerate(seen.maps):
        np.testing.assert_allclose(maps.weights.sum(-1), 1, atol=1e-4)
        for query in range(81):
            window = [(side + (9 - shift)) % 9 // 3 for side in divmod(query, 9)]
            here = {
                9 * ((3 * window[0] + down + shift) % 9) + (3 * window[1] + right + shift) % 9
                for down in range(3)
                for right in range(3)
            }
            assert set(np.flatnonzero(np.broadcast_to(maps.computed, (4, 81, 81))[0, query])) == here


def test_several_images_see_nothing_of_each_other() -> None:
    model = image_model(
        "vit", image_size=8, patch_size=4, hidden_size=32, num_hidden_layers=2, num_attention_heads=4
    )
    source = LiveSource(model)
    images = torch.randn(3, 3, 8, 8)
    several = replace(
        source.prepared({"pixel_values": images[:1]}), tensors={"pixel_values": images}, axes={}
    )
    together = observe(source, several, [KeepMaps()])  # as beside a text
    alone = observe(source, source.prepared({"pixel_values": images[1:2]}), [KeepMaps()])
    np.testing.assert_allclose(together.map("1.2")[5:10, 5:10], alone.map("1.2"), atol=1e-5)
    assert together.map("1.2")[5:10, :5].max() == 0


# What a run keeps


@pytest.mark.parametrize("family", ["longformer", "longt5"])
def test_the_weights_of_one_layer_at_a_time_are_kept(
    family: str, source_of: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the model collects of those that it returns holds one number each."""
    source = source_of(family)
    encoded = source.encode(Sample(LONG))
    shapes: list[tuple[int, ...]] = []
    collected: list[Tensor] = []
    from attnviz.models.routes import hook

    made = hook.empty
    monkeypatch.setattr(hook, "empty", lambda weights: collected.append(made(weights)) or collected[-1])
    observe(source, encoded, [KeepMaps()])
    gc.collect()
    shapes += [tuple(tensor.shape) for tensor in collected]
    assert len(shapes) >= 2
    assert all(tensor.untyped_storage().nbytes() == 4 for tensor in collected)


def routes(source: Source) -> Sequence[str]:
    return sorted({layer.route for layer in source.facts.layers if layer.heads})


@pytest.mark.parametrize(
    ("family", "expected"),
    [("bart", ["interface"]), ("bloom", ["softmax"]), ("longformer", ["hook"]), ("led", ["hook", "softmax"])],
)
def test_the_route_is_told(family: str, expected: list[str], source_of: Sources) -> None:
    assert routes(source_of(family)) == expected


def test_layers_without_attention_are_told_from_those_with_it(tmp_path: Path) -> None:
    del tmp_path
    config = AutoConfig.for_model(
        "jamba", vocab_size=zoo.VOCABULARY, hidden_size=32, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, intermediate_size=48, attn_layer_period=2, attn_layer_offset=1,
        num_experts=2, use_mamba_kernels=False, mamba_d_state=4,
    )  # fmt: skip
    layers = LiveSource(AutoModel.from_config(config)).facts.layers
    assert [(layer.name, layer.heads, layer.key_heads, layer.kind) for layer in layers] == [
        ("0", 0, None, "mamba"),
        ("1", 4, 2, "attention"),
        ("2", 0, None, "mamba"),
        ("3", 4, 2, "attention"),
    ]

"""Stacks and numbers of attentions, from their paths."""

import pytest

from attnviz.models.naming import Attention, named


def names(*paths: str, reads: int | None = None, writes: int | None = None) -> list[str]:
    attentions = [Attention(path, 8, 8) for path in paths]
    return [f"{stack}.{number}" for stack, number in named(attentions, reads=reads, writes=writes)]


def test_the_models_own_numbers_are_kept() -> None:
    """A hybrid attends in its layers 4 and 12 only."""
    assert names("layers.4.self_attn", "layers.12.self_attn") == [".4", ".12"]


def test_one_layer_is_called_as_the_model_calls_it() -> None:
    assert names("layers.3.self_attn") == [".3"]


def test_a_module_that_comes_by_several_times_is_several_layers() -> None:
    assert names(*["encoder.albert_layer_groups.0.albert_layers.0.attention"] * 3) == [".0", ".1", ".2"]


def test_stages_of_blocks_are_counted_on() -> None:
    paths = (f"encoder.layers.{stage}.blocks.{block}.attention" for stage in (0, 1) for block in (0, 1))
    assert names(*paths) == [".0", ".1", ".2", ".3"]


def test_a_number_that_is_the_same_in_all_tells_nothing() -> None:
    assert names("h.0.layer.1.attn", "h.1.layer.1.attn") == [".0", ".1"]


def test_an_encoder_decoder_has_three_stacks() -> None:
    paths = ("encoder.block.0.layer.0.SelfAttention", "decoder.block.0.layer.0.SelfAttention")
    assert names(*paths, "decoder.block.0.layer.1.EncDecAttention") == ["encoder.0", "decoder.0", "cross.0"]


def test_what_reads_one_side_and_asks_from_the_other_is_cross_attention_whatever_it_is_called() -> None:
    attentions = [
        Attention("encoder.0.a", 8, 8),
        Attention("decoder.0.a", 3, 3),
        Attention("decoder.0.b", 3, 8),
    ]
    assert [stack for stack, _ in named(attentions, reads=8, writes=3)] == ["encoder", "decoder", "cross"]


@pytest.mark.parametrize(
    ("path", "stack"),
    [
        ("vision_tower.vision_model.encoder.layers.0.self_attn", "vision"),
        ("visual.blocks.0.attn", "vision"),
        ("audio_tower.layers.0.self_attn", "audio"),
        ("qformer.encoder.layer.0.attention.attention", "qformer"),
    ],
)
def test_towers_are_called_after_what_they_read(path: str, stack: str) -> None:
    assert names(path, "language_model.layers.0.self_attn") == [f"{stack}.0", "text.0"]


def test_the_only_tower_needs_no_name() -> None:
    assert names("vision_model.encoder.layers.0.self_attn", "vision_model.encoder.layers.1.self_attn") == [
        ".0",
        ".1",
    ]

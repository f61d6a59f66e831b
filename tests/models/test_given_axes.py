"""Prepared tensors: what the rows and columns of their maps stand for, and what follows from that."""

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertModel,
    DeiTConfig,
    DeiTModel,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    LxmertConfig,
    LxmertModel,
    PreTrainedModel,
    SwinConfig,
    SwinModel,
    ViTConfig,
    ViTModel,
    YolosConfig,
    YolosModel,
)

import attnviz
from attnviz.captures import Grid
from tests.models import zoo
from tests.models.given import HEADS, IDS, PADDED, SMALL, check_same, made, own, seen_of, t5


def bart() -> PreTrainedModel:
    sizes = {"d_model": 32, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 40}
    heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
    layers = {"encoder_layers": 2, "decoder_layers": 2}
    torch.manual_seed(7)
    config = BartConfig(**SMALL, **sizes, **heads, **layers, decoder_start_token_id=1)
    return BartForConditionalGeneration(config).eval()


@pytest.mark.parametrize("kind", ["bart", "t5"])
def test_a_decoder_that_makes_its_tokens_itself_is_numbered_and_keeps_all_of_them(kind: str) -> None:
    model, extra = (bart(), {}) if kind == "bart" else (t5().eval(), {"labels": IDS})
    seen = seen_of({**PADDED, **extra}, model, tokenizer=zoo.wordpiece())
    encoder, decoder, cross = (seen.maps[f"{stack}.0"] for stack in ("encoder", "decoder", "cross"))
    assert encoder.keys.ids == tuple(IDS[0, :5].tolist())
    assert decoder.queries.labels == decoder.keys.labels == tuple("0123456")
    assert cross.queries.labels == tuple("0123456")
    assert cross.keys == encoder.keys
    weights = own(model, {**PADDED, **extra})
    check_same(
        seen,
        {
            name: each[:, : len(seen.maps[name].queries), : len(seen.maps[name].keys)]
            for name, each in weights.items()
        },
    )


def test_what_the_encoder_made_already_is_masked_and_its_decoder_keeps_its_name() -> None:
    model = made("t5")[0]
    with torch.no_grad():
        done = model.get_encoder()(**PADDED)
    ids = torch.tensor([[0, 7, 13, 19, 31, 4, 6]])
    given = {"encoder_outputs": done, "attention_mask": PADDED["attention_mask"], "decoder_input_ids": ids}
    seen = seen_of(given, model)
    assert {name.rpartition(".")[0] for name in seen.maps.names} == {"decoder", "cross"}
    decoder, cross = seen.maps["decoder.1"], seen.maps["cross.1"]
    assert decoder.queries.ids == decoder.keys.ids == cross.queries.ids == tuple(ids[0].tolist())
    assert cross.keys.labels == tuple("01234")
    weights = own(model, given)
    np.testing.assert_allclose(decoder.weights, weights["decoder.1"], atol=1e-5)
    np.testing.assert_allclose(cross.weights, weights["cross.1"][:, :, :5], atol=1e-5)


MASK = PADDED["attention_mask"]


def lxmert() -> PreTrainedModel:
    torch.manual_seed(7)
    layers = {"l_layers": 1, "r_layers": 1, "x_layers": 1, "visual_feat_dim": 16}
    return LxmertModel(LxmertConfig(**HEADS, **layers, vocab_size=zoo.VOCABULARY)).eval()


def bert_that_reads_another() -> PreTrainedModel:
    torch.manual_seed(7)
    config = BertConfig(**HEADS, num_hidden_layers=2, vocab_size=zoo.VOCABULARY)
    config.is_decoder = config.add_cross_attention = True
    return BertModel(config).eval()


def test_regions_of_an_image_that_are_as_many_as_the_tokens_are_not_taken_for_them() -> None:
    regions = {"visual_feats": torch.randn(1, 7, 16), "visual_pos": torch.rand(1, 7, 4)}
    seen = seen_of({**PADDED, **regions}, lxmert())
    text, image = tuple(IDS[0, :5].tolist()), ()
    over = {maps.name: (maps.queries.ids, maps.keys.ids) for maps in seen.maps}
    assert over["0"] == over["2"] == (text, text)
    assert over["1"] == over["3"] == (image, image)
    assert (over["cross.0"], over["cross.1"]) == ((text, image), (image, text))
    assert len(seen.maps["cross.0"].keys) == 7
    assert len(seen.maps["cross.1"].keys) == 5


def test_states_of_another_model_that_are_as_long_as_the_text_are_not_taken_for_it() -> None:
    states = {"encoder_hidden_states": torch.randn(1, 7, 32)}
    theirs = torch.tensor([[0, 0, 1, 1, 1, 1, 1]])
    model = bert_that_reads_another()
    given = {**PADDED, **states, "encoder_attention_mask": theirs}
    seen = seen_of(given, model)
    assert seen.maps["cross.1"].keys.labels == tuple("0123456")
    assert seen.maps["cross.1"].queries.ids == tuple(IDS[0, :5].tolist())
    weights = own(model, given)["cross.1"]
    np.testing.assert_allclose(seen.map("cross.1.2"), weights[2, :5], atol=1e-5)


def test_what_cannot_be_told_from_the_text_is_numbered() -> None:
    """One token cannot be left out of a text of one."""
    given = {"input_ids": IDS[:, :1], "encoder_hidden_states": torch.randn(1, 1, 32)}
    seen = seen_of(given, bert_that_reads_another())
    assert seen.maps["cross.0"].keys.labels == ("0",)
    assert seen.maps["cross.0"].keys.ids == ()


# Statistics


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_a_text_and_its_tokens_have_the_same_statistics(kind: str) -> None:
    model = made(kind)[0]
    tokenizer = zoo.wordpiece() if kind == "bert" else zoo.byte_bpe()
    text = "The cat, unbelievably, sat: naïve."
    by_text = attnviz.capture(text, model=model, tokenizer=tokenizer)
    by_tokens = attnviz.capture(tokenizer(text, return_tensors="pt"), model=model, tokenizer=tokenizer)
    assert by_text.statistics is not None
    assert by_tokens.statistics is not None
    assert not np.isnan(by_text.statistics.values["punctuation"]).all()
    for name, values in by_text.statistics.values.items():
        np.testing.assert_allclose(by_tokens.statistics.values[name], values, atol=1e-5)
    assert by_text.maps["0"].keys.special == by_tokens.maps["0"].keys.special


def test_bytes_of_a_character_are_read_back_together_and_one_that_is_cut_off_is_none() -> None:
    model, tokenizer = made("gpt2")[0], zoo.byte_bpe()
    ids = tokenizer("the cat 你好", return_tensors="pt")["input_ids"][:, :-1]
    keys = seen_of({"input_ids": ids}, model, tokenizer=tokenizer).maps["0"].keys
    covered = [keys.texts[0][span.start : span.stop] for span in keys.spans if span]
    assert covered[-5:] == ["你", "你", "你", "\ufffd", "\ufffd"]
    assert keys.labels[-5:] == ("<E4>", "+<BD>", "+<A0>", "<E5>", "+<A5>")


# Images

STAGES = {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 2, "patch_size": 4}
CUT = {**HEADS, "num_hidden_layers": 1, "image_size": (32, 48), "patch_size": 8}
DETECTS: dict[str, Any] = {"num_detection_tokens": 10}
SEEING: dict[str, tuple[Any, Any, dict[str, Grid | None]]] = {
    "vit": (ViTModel, ViTConfig(**CUT), {"0": Grid(1, 4, 6)}),
    "deit": (DeiTModel, DeiTConfig(**CUT), {"0": Grid(2, 4, 6)}),
    "registers": (
        Dinov2WithRegistersModel,
        Dinov2WithRegistersConfig(**{**CUT, "image_size": 32}, num_register_tokens=4),
        {"0": Grid(5, 4, 4)},
    ),
    "swin": (SwinModel, SwinConfig(**STAGES, image_size=32), {"0": Grid(0, 8, 12), "1": Grid(0, 4, 6)}),
    "yolos": (YolosModel, YolosConfig(**CUT, **DETECTS), {"0": None}),
}


@pytest.mark.parametrize("kind", SEEING)
def test_patches_of_an_image_lie_on_their_grid_and_have_no_distance_without(kind: str) -> None:
    kind_of, config, grids = SEEING[kind]
    torch.manual_seed(7)
    pixels = {"pixel_values": torch.randn(1, 3, 32, 32 if kind == "registers" else 48)}
    seen = attnviz.capture(pixels, model=kind_of(config).eval())
    assert {maps.name: maps.keys.grid for maps in seen.maps} == grids
    assert {maps.keys.unit for maps in seen.maps} == {"patch"}
    assert seen.statistics is not None
    assert ("distance" in seen.statistics.values) == (kind != "yolos")
    for head, value in zip(seen.statistics.heads, seen.statistics.values.get("distance", ()), strict=False):
        grid = grids[str(head.layer)]
        assert grid is not None
        places = np.stack(np.divmod(np.arange(grid.rows * grid.columns), grid.columns), 1)
        far = np.linalg.norm(places[:, None] - places[None], axis=-1)
        own = seen.map(head.name)[grid.first :, grid.first :]
        np.testing.assert_allclose(value, (own * far).sum(1).mean(), rtol=1e-4)


def test_of_several_things_that_a_model_reads_the_first_is_its_input() -> None:
    config = ViTConfig(**HEADS, num_hidden_layers=1, image_size=32, patch_size=8)
    model = ViTModel(config)
    model.main_input_name = ["pixel_values", "task_inputs"]  # as OneFormer's
    assert len(seen_of({"pixel_values": torch.randn(1, 3, 32, 32)}, model).maps) == 1


def test_an_image_that_each_stage_cuts_otherwise_has_no_grid() -> None:
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    model = ViTModel(config).eval()
    model.config.patch_size = [7, 3, 3, 3]
    seen = seen_of({"pixel_values": torch.randn(1, 3, 28, 28)}, model)
    assert seen.maps["0"].keys.grid is None

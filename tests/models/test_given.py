"""Models that are already there: the weights are their own, and the models stay as they were."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    DeiTConfig,
    DeiTModel,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    GPT2Config,
    GPT2LMHeadModel,
    LxmertConfig,
    LxmertModel,
    PreTrainedModel,
    SwinConfig,
    SwinModel,
    T5Config,
    T5ForConditionalGeneration,
    ViTConfig,
    ViTModel,
    YolosConfig,
    YolosModel,
)

import attnviz
from attnviz.captures import Capture, Grid
from attnviz.errors import InputError, ModelError, UsageError
from attnviz.models.checks import Reads, check_prepared
from tests.models import zoo

IDS = torch.tensor([[5, 17, 3, 29, 11, 2, 23]])
TEXT = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
TRANSLATED = {**TEXT, "decoder_input_ids": torch.tensor([[0, 7, 13, 19, 31]])}
SMALL = {"vocab_size": zoo.VOCABULARY, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}


def bert() -> PreTrainedModel:
    return BertForSequenceClassification(BertConfig(**zoo.CONFIGS["bert"], vocab_size=zoo.VOCABULARY))


def gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(GPT2Config(**zoo.CONFIGS["gpt2"], **SMALL))


def t5() -> PreTrainedModel:
    sizes = {"d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4}
    return T5ForConditionalGeneration(T5Config(**sizes, **SMALL, decoder_start_token_id=0))


MODELS: dict[str, tuple[Callable[[], PreTrainedModel], Mapping[str, Tensor]]] = {
    "bert": (bert, TEXT),
    "gpt2": (gpt2, TEXT),
    "t5": (t5, TRANSLATED),
}
STACKS = {
    "attentions": "",
    "encoder_attentions": "encoder",
    "decoder_attentions": "decoder",
    "cross_attentions": "cross",
}


def made(kind: str) -> tuple[PreTrainedModel, Mapping[str, Tensor]]:
    torch.manual_seed(5)
    model, tensors = MODELS[kind][0](), MODELS[kind][1]
    zoo.sharpen(model)
    return model.eval(), tensors


def seen_of(tensors: Mapping[str, Tensor], model: Any, **wishes: Any) -> Capture:
    return attnviz.capture(tensors, model=model, statistics=False, **wishes)


def own(model: PreTrainedModel, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """What transformers itself returns, by the name of the layer: ``[heads, queries, keys]``."""
    eager = copy.deepcopy(model).eval()
    eager.set_attn_implementation("eager")
    with torch.inference_mode():
        output = eager(**tensors, output_attentions=True)
    return {
        f"{stack}.{layer}".strip("."): weights[0].numpy()
        for field, stack in STACKS.items()
        for layer, weights in enumerate(getattr(output, field, None) or ())
    }


def check_same(seen: Capture, weights: Mapping[str, np.ndarray]) -> None:
    assert set(seen.maps.names) == set(weights)
    for maps in seen.maps:
        np.testing.assert_allclose(maps.weights, weights[maps.name], atol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_the_weights_are_the_models_own(kind: str) -> None:
    model, tensors = made(kind)
    check_same(seen_of(tensors, model), own(model, tensors))


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_in_training_goes_on_where_it_was(kind: str) -> None:
    model, tensors = made(kind)
    expected = own(model, tensors)
    model.train()
    next(model.children()).eval()  # frozen
    before = [module.training for module in model.modules()]
    torch.manual_seed(23)
    numbers = torch.rand(3)
    torch.manual_seed(23)
    check_same(seen_of(tensors, model), expected)
    assert [module.training for module in model.modules()] == before
    torch.testing.assert_close(torch.rand(3), numbers)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_trained_step_shows() -> None:
    model, tensors = made("gpt2")
    before = seen_of(tensors, model)
    model.train()
    model(**tensors, labels=IDS).loss.backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    after = seen_of(tensors, model)
    check_same(after, own(model, tensors))
    assert np.abs(after.map("2.1") - before.map("2.1")).max() > 1e-4
    assert after.model.fingerprint != before.model.fingerprint


def test_padding_on_the_left_is_no_part_of_what_is_seen() -> None:
    model, _ = made("bert")
    padded = {"input_ids": torch.cat([torch.zeros(1, 3, dtype=torch.long), IDS], 1)}
    padded["attention_mask"] = torch.tensor([[0] * 3 + [1] * 7])
    seen = seen_of(padded, model)
    whole = own(model, padded)
    check_same(seen, {name: weights[:, 3:, 3:] for name, weights in whole.items()})
    assert seen.maps["1"].keys.ids == tuple(IDS[0].tolist())


# Wrapped and changed models


class LowRank(nn.Module):
    """A linear layer with an adapter beside it, as in Hu et al. 2021."""

    def __init__(self, base: nn.Linear, rank: int = 2) -> None:
        super().__init__()
        self.base = base
        self.down, self.up = nn.Linear(base.in_features, rank), nn.Linear(rank, base.out_features)

    def forward(self, states: Tensor) -> Tensor:
        return self.base(states) + self.up(self.down(states))


def test_adapters_show() -> None:
    model, tensors = made("bert")
    before = seen_of(tensors, model)
    attention = model.bert.encoder.layer[1].attention.self
    attention.query = LowRank(attention.query)
    after = seen_of(tensors, model)
    check_same(after, own(model, tensors))
    assert np.abs(after.map("1.0") - before.map("1.0")).max() > 1e-3


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_adapters_of_peft_show() -> None:
    peft = pytest.importorskip("peft")
    model, tensors = made("bert")
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(target_modules=["query", "key"], init_lora_weights=False)
    )
    seen = seen_of(tensors, adapted)
    check_same(seen, own(adapted.get_base_model(), tensors))
    with adapted.disable_adapter():
        assert np.abs(seen.map("1.0") - seen_of(tensors, adapted).map("1.0")).max() > 1e-3


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_adapters_that_add_tokens_are_refused_by_name() -> None:
    peft = pytest.importorskip("peft")
    model, tensors = made("gpt2")
    prompted = peft.get_peft_model(
        model, peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")
    )
    with pytest.raises(ModelError, match=r"puts tokens of its own before the text \(PROMPT_TUNING\)"):
        seen_of(tensors, prompted)


def test_weights_that_are_fetched_when_they_are_needed_show() -> None:
    accelerate = pytest.importorskip("accelerate")
    model, tensors = made("bert")
    expected = own(model, tensors)
    accelerate.cpu_offload(model, execution_device=torch.device("cpu"))
    assert model.device.type == "meta"
    seen = seen_of(tensors, model)
    check_same(seen, expected)
    assert seen.model.device == "cpu"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_quantised_layers_show() -> None:
    model, tensors = made("bert")
    before = seen_of(tensors, model)
    quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    after = seen_of(tensors, quantised)
    check_same(after, own(quantised, tensors))
    assert np.abs(after.map("1.0") - before.map("1.0")).max() > 1e-4


def test_a_compiled_model_runs_as_it_was_written() -> None:
    model, tensors = made("gpt2")
    compiled = torch.compile(model, backend="eager")
    with torch.inference_mode():
        compiled(**tensors)
    check_same(seen_of(tensors, compiled), own(model, tensors))


def test_layers_that_are_compiled_run_as_they_were_written() -> None:
    model, tensors = made("bert")
    expected = own(model, tensors)
    model.bert.encoder.layer[1].compile(backend="eager")
    with torch.inference_mode():
        model(**tensors)
    check_same(seen_of(tensors, model), expected)


@pytest.mark.parametrize("implementation", ["flash_attention_2", "flex_attention", "paged|sdpa"])
def test_a_kernel_without_weights_is_switched_for_the_run(implementation: str) -> None:
    model, tensors = made("gpt2")
    expected = own(model, tensors)
    model.config._attn_implementation_internal = implementation
    check_same(seen_of(tensors, model), expected)
    assert model.config._attn_implementation == implementation


def test_a_kernel_with_numbers_of_its_own_is_refused_by_name() -> None:
    model, tensors = made("gpt2")
    model.config._attn_implementation_internal = "sage_attention"
    with pytest.raises(ModelError, match="'sage_attention', whose numbers may be others"):
        seen_of(tensors, model)


# What is given beside the model


def test_a_text_goes_with_a_tokenizer() -> None:
    model, _ = made("bert")
    tokenizer = zoo.wordpiece()
    seen = attnviz.capture("The cat", model=model, tokenizer=tokenizer, statistics=False)
    assert seen.maps["0"].keys.labels == ("[CLS]", "The", "cat", "[SEP]")
    check_same(seen, own(model, tokenizer("The cat", return_tensors="pt")))
    with pytest.raises(InputError, match="has no tokenizer here: give its prepared tensors"):
        attnviz.capture("The cat", model=model)


def test_tokens_are_called_as_the_tokenizer_calls_them_or_as_is_said() -> None:
    model, tokenizer = made("bert")[0], zoo.wordpiece()
    tensors = tokenizer("The cat", return_tensors="pt")
    by_tokenizer = seen_of(tensors, model, tokenizer=tokenizer).maps["0"].keys
    assert by_tokenizer.labels == ("[CLS]", "the", "cat", "[SEP]")
    assert by_tokenizer.special == (True, False, False, True)
    assert seen_of(tensors, model, labels=["a", "b", "c", "d"]).maps["0"].keys.labels == ("a", "b", "c", "d")
    with pytest.raises(InputError, match="2 labels for 4 tokens"):
        seen_of(tensors, model, labels=["a", "b"])


def test_samples_and_tensors_may_be_mixed_in_a_list() -> None:
    model, tensors = made("bert")
    seen = attnviz.capture(["The cat", tensors], model=model, tokenizer=zoo.wordpiece(), statistics=False)
    assert [len(each.maps["0"].keys) for each in seen] == [4, 7]
    with pytest.raises(UsageError, match="labels are those of one sample"):
        attnviz.capture(["The cat", tensors], model=model, labels=["a"])  # type: ignore[call-overload]


def test_a_model_of_something_else_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="Linear is no model of transformers"):
        seen_of(TEXT, nn.Linear(2, 3))


def test_a_batch_of_two_is_refused() -> None:
    model, _ = made("bert")
    with pytest.raises(InputError, match=r"input_ids has shape \[2, 7\]: give a batch of one"):
        seen_of({"input_ids": IDS.expand(2, -1)}, model)


def test_a_model_can_be_made_a_source_once() -> None:
    model, tensors = made("gpt2")
    source = attnviz.load_model(model)
    check_same(seen_of(tensors, source), own(model, tensors))


# What the rows and columns stand for


def bart() -> PreTrainedModel:
    sizes = {"d_model": 32, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 40}
    heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
    layers = {"encoder_layers": 2, "decoder_layers": 2}
    torch.manual_seed(7)
    config = BartConfig(**SMALL, **sizes, **heads, **layers, decoder_start_token_id=1)
    return BartForConditionalGeneration(config).eval()


PADDED = {**TEXT, "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 0, 0]])}


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


HEADS = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 32}
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


# What cannot be read


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no tensors were given: give what GPT2LMHeadModel is called with, such as input_ids"),
        ({"input_ids": None}, "no tensors were given"),
        ({"input_ids": [[1, 2, 3]]}, "input_ids is of type list: give tensors, such as torch.tensor"),
        ({"input_ids": np.array([[1, 2, 3]])}, "input_ids is of type numpy.ndarray: give tensors"),
        ({"input_ids": IDS.float()}, "input_ids is of torch.float32: tokens are whole numbers"),
        ({"input_ids": IDS[:, :0]}, r"input_ids has shape \[1, 0\]: give a batch of one, \[1, tokens\]"),
        ({"input_ids": IDS - 4}, f"input_ids holds token -2: .* from 0 to {zoo.VOCABULARY - 1}"),
        ({"input_ids": IDS + zoo.VOCABULARY}, f"input_ids holds token .* from 0 to {zoo.VOCABULARY - 1}"),
        ({"input_ids": IDS.repeat(1, 200)}, "input_ids has 1400 tokens and GPT2LMHeadModel reads at most"),
        ({"input_ids": IDS, "attention_mask": [1] * 7}, "attention_mask is of type list"),
    ],
)
def test_tensors_that_the_model_cannot_read_are_refused_in_a_line(
    given: dict[str, Any], message: str
) -> None:
    model = made("gpt2")[0]
    with pytest.raises(InputError, match=message):
        attnviz.capture(given, model=model)


def test_a_batch_of_two_images_is_refused() -> None:
    model = ViTModel(ViTConfig(**HEADS, num_hidden_layers=1, image_size=32, patch_size=8))
    with pytest.raises(InputError, match=r"pixel_values has shape \[2, 3, 32, 32\]: give a batch of one"):
        seen_of({"pixel_values": torch.randn(2, 3, 32, 32)}, model)


@pytest.mark.parametrize(
    "given",
    [
        {"pixel_values": torch.randn(6, 8, 8, 3), "image_grid_thw": torch.tensor([[1, 2, 3]])},
        {"pixel_values": torch.randn(4, 3, 8, 8)},
    ],
    ids=["patches with their grid", "frames"],
)
def test_several_images_of_one_sample_are_taken(given: dict[str, Tensor]) -> None:
    check_prepared(given, Reads("m", "pixel_values", {}, positions=None, books=False, frames=4))
    with pytest.raises(InputError, match="give a batch of one"):
        check_prepared(
            {"pixel_values": torch.randn(2, 3, 8, 8)},
            Reads("m", "pixel_values", {}, positions=None, books=False),
        )


def test_of_several_things_that_a_model_reads_the_first_is_its_input() -> None:
    config = ViTConfig(**HEADS, num_hidden_layers=1, image_size=32, patch_size=8)
    model = ViTModel(config)
    model.main_input_name = ["pixel_values", "task_inputs"]  # as OneFormer's
    assert len(seen_of({"pixel_values": torch.randn(1, 3, 32, 32)}, model).maps) == 1


@pytest.mark.parametrize("model", [None, 3])
def test_what_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(UsageError, match=f"model={model} is no model: give a name"):
        attnviz.capture("The cat", model=model)


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(UsageError, match="tokenizer='path' is none: give what AutoTokenizer"):
        attnviz.capture("The cat", model=made("gpt2")[0], tokenizer="path")


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


def test_images_that_do_not_fit_into_memory_are_told_while_the_model_is_looked_over() -> None:
    config = ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28)
    model = ViTModel(config).eval()
    model.layernorm.register_forward_pre_hook(lambda *_: torch.empty(2**50))
    told = r"while ViTModel was looked over with pixel_values \[1, 3, 28, 28\]: its own work takes more than"
    with pytest.raises(InputError, match=told):
        seen_of({"pixel_values": torch.randn(1, 3, 28, 28)}, model)


def test_an_image_that_each_stage_cuts_otherwise_has_no_grid() -> None:
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    model = ViTModel(config).eval()
    model.config.patch_size = [7, 3, 3, 3]
    seen = seen_of({"pixel_values": torch.randn(1, 3, 28, 28)}, model)
    assert seen.maps["0"].keys.grid is None

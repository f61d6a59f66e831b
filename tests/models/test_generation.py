"""Text that a model writes itself: its attention put together from the passes is that of one pass over it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel

import attnviz
from attnviz import load_model
from attnviz.builtin import store
from attnviz.builtin.decoder.model import CausalLanguageModel
from attnviz.captures import Capture
from attnviz.cli.app import run
from attnviz.errors import InputError, ModelError
from attnviz.inputs import Sample
from attnviz.models.live import LiveSource
from attnviz.observe.keep import KeepMaps
from attnviz.observe.pool import PoolMaps
from attnviz.observe.rollout import Rollout
from attnviz.observe.run import observe
from tests.models import zoo

TOKENS = {"bos_token_id": 0, "eos_token_id": None, "pad_token_id": 0}
T5 = {
    "d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4,
    "decoder_start_token_id": 0,
}  # fmt: skip
BART = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 96, "decoder_ffn_dim": 96,
    "max_position_embeddings": 128, "decoder_start_token_id": 0, "forced_eos_token_id": None,
}  # fmt: skip
WRITERS: dict[str, tuple[Any, dict[str, Any]]] = {
    **{family: (AutoModelForCausalLM, zoo.CONFIGS[family]) for family in zoo.CAUSAL},
    "bloom": (AutoModelForCausalLM, {"hidden_size": 64, "n_layer": 3, "n_head": 4}),
    "gptj": (
        AutoModelForCausalLM,
        {"n_embd": 64, "n_layer": 3, "n_head": 4, "rotary_dim": 8, "n_positions": 128},
    ),
    "t5": (AutoModelForSeq2SeqLM, T5),
    "bart": (AutoModelForSeq2SeqLM, BART),
}
STACKS = {
    "encoder_attentions": "encoder.",
    "decoder_attentions": "decoder.",
    "cross_attentions": "cross.",
    "attentions": "",
}


def writer(family: str, **changes: Any) -> PreTrainedModel:
    kind, sizes = WRITERS[family]
    torch.manual_seed(7)
    config = AutoConfig.for_model(family, vocab_size=zoo.VOCABULARY, **{**TOKENS, **sizes, **changes})
    model = kind.from_config(config).eval()
    zoo.sharpen(model)
    return model


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return zoo.byte_bpe()


def written(model: PreTrainedModel, tokenizer: Any, count: int, text: str = "The cat sat") -> Capture:
    sample = Sample(text, generate=count)
    return attnviz.capture(sample, model=model, tokenizer=tokenizer, keep="all", statistics=False)


def one_pass(model: PreTrainedModel, seen: Capture) -> dict[str, np.ndarray]:
    """The model's own eager attention over the text that it has written, all at once."""
    ids = {name: torch.tensor([axes[0].ids]) for name, axes in seen.axes.items()}
    tensors = (
        {"input_ids": ids["encoder"], "decoder_input_ids": ids["decoder"]}
        if "decoder" in ids
        else {"input_ids": ids[""]}
    )
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        output = model(**tensors, output_attentions=True, use_cache=False)
    return {
        f"{stack}{layer}": weights[0].numpy()
        for field, stack in STACKS.items()
        for layer, weights in enumerate(getattr(output, field, None) or ())
    }


@pytest.mark.parametrize("family", WRITERS)
def test_the_passes_together_are_one_pass_over_everything(family: str, tokenizer: Any) -> None:
    model = writer(family)
    seen = written(model, tokenizer, 11)
    own = one_pass(model, seen)
    assert set(seen.maps.names) == set(own)
    for maps in seen.maps:
        np.testing.assert_allclose(maps.weights, own[maps.name], atol=1e-5, err_msg=maps.name)
        if maps.stack in ("", "decoder"):
            assert not np.triu(maps.weights, 1).any()


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_the_text_is_what_the_model_itself_writes(family: str, tokenizer: Any) -> None:
    model = writer(family)
    seen = written(model, tokenizer, 7)
    prompt = tokenizer("The cat sat", return_tensors="pt")
    own = model.generate(
        **{name: prompt[name] for name in ("input_ids", "attention_mask")},
        do_sample=False,
        max_new_tokens=7,
        use_cache=False,
    )
    axis = seen.axes.get("decoder", seen.axes.get(""))[0]
    assert axis.ids == tuple(own[0].tolist())
    assert seen.notes == ("the last 7 tokens were written by the model (greedily)",)


def test_writing_stops_at_an_end_token(tokenizer: Any) -> None:
    third = written(writer("gpt2"), tokenizer, 3).axes[""][0].ids[-1]
    ended = written(writer("gpt2", eos_token_id=third), tokenizer, 9)
    prompt = len(tokenizer("The cat sat").input_ids)
    assert ended.axes[""][0].ids[-1] == third
    assert len(ended.axes[""][0]) <= prompt + 3
    count = len(ended.axes[""][0]) - prompt
    last = "the last token was" if count == 1 else f"the last {count} tokens were"
    assert ended.notes == (f"{last} written by the model (greedily)",)


def test_what_is_written_is_called_by_its_characters(tokenizer: Any) -> None:
    axis = written(writer("gpt2"), tokenizer, 9).axes[""][0]
    prompt = len(tokenizer("The cat sat").input_ids)
    text = tokenizer.decode(axis.ids[prompt:], skip_special_tokens=True)
    assert axis.texts == ("The cat sat", text)
    covered = "".join(text[span.start : span.stop] for span in axis.spans[prompt:] if span is not None)
    assert set(covered) <= set(text)
    assert axis.positions == tuple(range(len(axis)))


def test_a_window_keeps_its_place_while_the_text_grows(tokenizer: Any) -> None:
    seen = written(writer("mistral"), tokenizer, 12)
    for maps in seen.maps:
        keys = [np.flatnonzero(row) for row in maps.visible[0]]
        assert all(seen_keys.max() == query for query, seen_keys in enumerate(keys))
        assert max(len(seen_keys) for seen_keys in keys) == 5


def test_other_observers_see_the_same_passes(tokenizer: Any) -> None:
    source = LiveSource(writer("llama"), tokenizer=tokenizer)
    encoded = source.encode(Sample("The cat sat", generate=10))
    seen = observe(source, encoded, [KeepMaps(), PoolMaps(4)])
    whole = seen.maps["1"].weights
    by = -(-whole.shape[-1] // 4)
    starts = np.arange(0, whole.shape[-1], by)
    pooled = np.add.reduceat(np.add.reduceat(whole, starts, 1), starts, 2)
    counts = np.diff([*starts, whole.shape[-1]])
    np.testing.assert_allclose(seen.pooled["1"].weights, pooled / counts[:, None], atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_statistics_are_those_of_one_pass(family: str, tokenizer: Any) -> None:
    model = writer(family)
    seen = attnviz.capture(Sample("The cat sat", generate=25), model=model, tokenizer=tokenizer, keep=None)
    ids = torch.tensor([seen.axes[""][0].ids])
    whole = attnviz.capture({"input_ids": ids}, model=model, keep=None)
    assert seen.statistics is not None
    assert whole.statistics is not None
    for name in ("entropy", "confidence", "distance", "previous", "first", "positional", "induction"):
        np.testing.assert_allclose(seen.statistics.values[name], whole.statistics.values[name], atol=1e-5)
        np.testing.assert_array_equal(seen.statistics.rows[name], whole.statistics.rows[name])


@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_the_rollout_is_that_of_one_pass(family: str, tokenizer: Any) -> None:
    source = LiveSource(writer(family), tokenizer=tokenizer)
    encoded = source.encode(Sample("The cat sat", generate=9))
    whole = source.prepared({"input_ids": torch.tensor([encoded.axes[""][0].ids])})
    (made,), (expected,) = (observe(source, each, [Rollout()]).rollout for each in (encoded, whole))
    np.testing.assert_allclose(made.weights, expected.weights, atol=1e-5)


def test_a_batch_in_which_one_is_written_is_seen_one_by_one(tokenizer: Any) -> None:
    source = LiveSource(writer("gpt2"), tokenizer=tokenizer)
    batch = [source.encode(Sample("The cat sat", generate=count)) for count in (0, 5)]
    keepers = [KeepMaps(), KeepMaps()]
    for keeper, encoded in zip(keepers, batch, strict=True):
        keeper.start(encoded.axes)
    source.run(batch, keepers)
    alone = [observe(source, encoded, [KeepMaps()]) for encoded in batch]
    for keeper, single in zip(keepers, alone, strict=True):
        np.testing.assert_allclose(
            keeper.added_to(single).maps[-1].weights, single.maps[-1].weights, atol=1e-6
        )


# What cannot be written


def test_a_model_without_a_head_to_write_with_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ModelError, match="GPT2Model has no language head to write with"):
        written(writer("gpt2").transformer, tokenizer, 5)


def test_an_encoder_is_refused(tokenizer: Any) -> None:
    config = AutoConfig.for_model("bert", vocab_size=zoo.VOCABULARY, **zoo.CONFIGS["bert"])
    with pytest.raises(ModelError, match="BertLMHeadModel is an encoder: it reads a text"):
        written(AutoModelForCausalLM.from_config(config), tokenizer, 5)


def test_more_than_there_are_positions_for_is_refused(tokenizer: Any) -> None:
    with pytest.raises(InputError, match="has positions for 128: 200 more do not fit"):
        written(writer("gpt2"), tokenizer, 200)


def test_a_text_that_is_cut_makes_room_for_what_is_written(tokenizer: Any) -> None:
    source, text = LiveSource(writer("gpt2"), tokenizer=tokenizer), "The cat sat " * 60
    encoded = source.encode(Sample(text, generate=20), truncate=True)
    assert encoded.tensors["input_ids"].shape == (1, 128)
    assert encoded.notes[0].startswith("cut to 108 of ")
    with pytest.raises(InputError, match="has positions for 128: 500 more do not fit, 120 at most"):
        source.encode(Sample(text, generate=500), truncate=True)


def test_a_decoder_that_ships_writes_the_likeliest_tokens() -> None:
    source = load_model("builtin:decoder")
    encoded = source.encode(Sample("The cat sleeps. The", generate=5))
    (axis, _) = encoded.axes[""]
    stored = store.load(store.shipped("decoder"), CausalLanguageModel).model
    ids = torch.tensor([axis.ids])
    likeliest = stored.scores(stored(ids)).argmax(-1)
    assert likeliest[0, -6:-1].tolist() == list(axis.ids[-5:])
    assert encoded.written == 5
    assert encoded.notes == ("the last 5 tokens were written by the model (greedily)",)
    with pytest.raises(InputError, match="positions for 512: 600 more do not fit"):
        source.encode(Sample("The cat", generate=600))


# From the command line


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    directory = tmp_path_factory.mktemp("gpt2") / "writer"
    writer("gpt2").save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def test_a_command_shows_what_the_model_writes(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heatmap", "The cat", "-m", str(saved), "--generate", "4", "-H", "1.2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["recipe"]["sample"]["generate"] == 4
    assert document["recipe"]["sample"]["notes"] == ["the last 4 tokens were written by the model (greedily)"]
    assert run(["heatmap", "The cat", "-m", str(saved), "--generate", "4", "-H", "1.2"]) == 0
    assert "the last 4 tokens were written by the model (greedily)" in capsys.readouterr().out


def test_a_command_refuses_to_let_an_encoder_write(
    directory_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["heatmap", "The cat", "-m", str(directory_of("bert")), "--generate", "4"]) == 1
    assert "is an encoder: it reads a text, and only decoders write one" in capsys.readouterr().err
    assert run(["heatmap", "The cat", "--generate", "4"]) == 1
    assert "builtin:encoder reads text and writes none" in capsys.readouterr().err
    assert run(["heatmap", "The cat", "--pair", "x", "--generate", "4"]) == 2


def test_a_language_head_that_is_not_in_the_files_is_missed(
    directory_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["heatmap", "The cat", "-m", str(directory_of("llama")), "--generate", "4"]) == 1
    assert "1 weights of" in capsys.readouterr().err


def test_what_a_token_is_beside_its_number_goes_along_in_every_step() -> None:
    """GPT-2 adds an embedding of the token's type, where its tokenizer gives one."""
    model = writer("gpt2")
    tokenizer = zoo.byte_bpe()
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    source = LiveSource(model, tokenizer=tokenizer)
    encoded = source.encode(Sample("The cat sat on", generate=5))
    seen = observe(source, encoded, [KeepMaps()])
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        own = model(**encoded.tensors, output_attentions=True).attentions
    assert "token_type_ids" in encoded.tensors
    for maps, weights in zip(seen.maps, own, strict=True):
        np.testing.assert_allclose(maps.weights, weights[0].numpy(), atol=1e-5)

"""What the doctor finds: healthy models pass, and whatever is wrong with a capture is noticed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel

import attnviz
from attnviz.errors import ModelError
from attnviz.models import tap
from attnviz.models.calls import AttentionCall
from attnviz.models.diagnosis import Diagnosis
from tests.models import zoo

CONFIGS: dict[str, Mapping[str, Any]] = {
    **{name: zoo.CONFIGS[name] for name in ("bert", "albert", "modernbert", "gpt2", "mistral", "gpt_oss")},
    "bloom": {"hidden_size": 64, "n_layer": 3, "n_head": 4},
    "t5": {
        "d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0,
    },
}  # fmt: skip
ROUTES = {"bloom": "softmax"}


def model(family: str) -> PreTrainedModel:
    torch.manual_seed(7)
    config = AutoConfig.for_model(family, vocab_size=zoo.VOCABULARY, **CONFIGS[family])
    made = AutoModel.from_config(config).eval()
    zoo.sharpen(made)
    return made


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return zoo.byte_bpe()


def examined(family: str, tokenizer: Any) -> Diagnosis:
    return attnviz.doctor(zoo.TEXT, model=model(family), tokenizer=tokenizer)


@pytest.mark.parametrize("family", CONFIGS)
def test_a_model_that_is_captured_exactly_passes(family: str, tokenizer: Any) -> None:
    found = examined(family, tokenizer)
    assert found.passed
    assert found.reference == "its own eager attention"
    for layer in found.layers:
        assert layer.facts.route == ROUTES.get(family, "interface")
        assert layer.difference is not None
        assert layer.difference < 1e-5
        assert layer.sums is not None
        assert layer.sums < 1e-5
        assert layer.disturbed is not None
        assert layer.disturbed > 1e-5


def test_the_model_that_ships_passes() -> None:
    found = attnviz.doctor("The cat sat on the mat", tokens=[512])
    assert found.passed
    assert [layer.facts.name for layer in found.layers] == ["0", "1", "2", "3"]
    assert all(layer.disturbed is not None and layer.disturbed > 0.01 for layer in found.layers)
    assert found.needs[0].maps == 4 * 512 * 512 * (4 * 8 + 2)
    assert found.needs[0].statistics < found.needs[0].maps
    assert found.needs[0].seconds > 0


def test_layers_without_attention_are_told(tokenizer: Any) -> None:
    sizes = {
        **zoo.CONFIGS["llama"], "num_experts": 2, "attn_layer_period": 2, "attn_layer_offset": 1,
        "use_mamba_kernels": False,
    }  # fmt: skip
    config = AutoConfig.for_model("jamba", vocab_size=zoo.VOCABULARY, **sizes)
    found = attnviz.doctor(zoo.TEXT, model=AutoModel.from_config(config).eval(), tokenizer=tokenizer)
    assert [(layer.facts.kind, layer.sums is None) for layer in found.layers] == [
        ("mamba", True), ("attention", False), ("mamba", True),
    ]  # fmt: skip


def test_a_capture_that_drops_the_mask_fails(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_mask(*args: Any, **options: Any) -> AttentionCall:
        return replace(AttentionCall(*args, **options), mask=None, causal=False)

    monkeypatch.setattr(tap, "AttentionCall", without_mask)
    found = examined("gpt2", tokenizer)
    assert not found.passed
    assert "layer 0: weights differ from its own eager attention by" in found.failures[0]


def test_weights_that_are_not_used_fail(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnviz.models.doctor._alike", lambda weights: weights)
    found = examined("bert", tokenizer)
    assert found.failures == tuple(
        f"layer {layer}: disturbing its weights does not disturb the model's output" for layer in range(3)
    )


def test_layers_that_share_a_module_are_disturbed_one_at_a_time(tokenizer: Any) -> None:
    found = examined("albert", tokenizer)
    assert len({layer.disturbed for layer in found.layers}) == 3


def test_a_model_that_returns_no_weights_has_nothing_to_be_compared_with(tokenizer: Any) -> None:
    sizes = {
        **zoo.CONFIGS["bert"], "embedding_size": 64, "q_groups": 2, "k_groups": 2, "v_groups": 2,
        "post_attention_groups": 1, "intermediate_groups": 2, "output_groups": 2,
    }  # fmt: skip
    config = AutoConfig.for_model("squeezebert", vocab_size=zoo.VOCABULARY, **sizes)
    found = attnviz.doctor(zoo.TEXT, model=AutoModel.from_config(config).eval(), tokenizer=tokenizer)
    assert found.passed  # it returns scores: rows sum to 1, and disturbing them disturbs
    assert found.reference == ""
    assert all(layer.difference is None for layer in found.layers)


def test_a_model_without_attention_says_so(tokenizer: Any) -> None:
    config = AutoConfig.for_model("mamba", vocab_size=zoo.VOCABULARY, hidden_size=32, num_hidden_layers=2)
    with pytest.raises(ModelError, match="MambaModel cannot be captured: it has no attention"):
        attnviz.doctor(zoo.TEXT, model=AutoModel.from_config(config).eval(), tokenizer=tokenizer)

"""Small random models as somebody has them already, and what they return themselves."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

import attnviz
from attnviz.captures import Capture
from tests.models import zoo

IDS = torch.tensor([[5, 17, 3, 29, 11, 2, 23]])
TEXT = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
TRANSLATED = {**TEXT, "decoder_input_ids": torch.tensor([[0, 7, 13, 19, 31]])}
PADDED = {**TEXT, "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 0, 0]])}
SMALL = {"vocab_size": zoo.VOCABULARY, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}
HEADS = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 32}


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

"""Models and prepared tensors that cannot be looked at: each is a line that says why."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import (
    ViTConfig,
    ViTModel,
)

import attnviz
from attnviz.errors import InputError, ModelError, UsageError
from attnviz.models.checks import Reads, check_prepared
from tests.models import zoo
from tests.models.given import HEADS, IDS, TEXT, made, seen_of


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


@pytest.mark.parametrize("model", [None, 3])
def test_what_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(UsageError, match=f"model={model} is no model: give a name"):
        attnviz.capture("The cat", model=model)


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(UsageError, match="tokenizer='path' is none: give what AutoTokenizer"):
        attnviz.capture("The cat", model=made("gpt2")[0], tokenizer="path")


def test_a_kernel_with_numbers_of_its_own_is_refused_by_name() -> None:
    model, tensors = made("gpt2")
    model.config._attn_implementation_internal = "sage_attention"
    with pytest.raises(ModelError, match="'sage_attention', whose numbers may be others"):
        seen_of(tensors, model)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_adapters_that_add_tokens_are_refused_by_name() -> None:
    peft = pytest.importorskip("peft")
    model, tensors = made("gpt2")
    prompted = peft.get_peft_model(
        model, peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")
    )
    with pytest.raises(ModelError, match=r"puts tokens of its own before the text \(PROMPT_TUNING\)"):
        seen_of(tensors, prompted)


def test_a_model_of_something_else_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="Linear is no model of transformers"):
        seen_of(TEXT, nn.Linear(2, 3))


def test_a_batch_of_two_is_refused() -> None:
    model, _ = made("bert")
    with pytest.raises(InputError, match=r"input_ids has shape \[2, 7\]: give a batch of one"):
        seen_of({"input_ids": IDS.expand(2, -1)}, model)


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


def test_images_that_do_not_fit_into_memory_are_told_while_the_model_is_looked_over() -> None:
    config = ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28)
    model = ViTModel(config).eval()
    model.layernorm.register_forward_pre_hook(lambda *_: torch.empty(2**50))
    told = r"while ViTModel was looked over with pixel_values \[1, 3, 28, 28\]: its own work takes more than"
    with pytest.raises(InputError, match=told):
        seen_of({"pixel_values": torch.randn(1, 3, 28, 28)}, model)

"""Models that are already there: the weights are their own, and the models stay as they were."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import attnviz
from attnviz.errors import InputError, UsageError
from tests.models import zoo
from tests.models.given import IDS, MODELS, check_same, made, own, seen_of


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


def test_a_model_can_be_made_a_source_once() -> None:
    model, tensors = made("gpt2")
    source = attnviz.load_model(model)
    check_same(seen_of(tensors, source), own(model, tensors))

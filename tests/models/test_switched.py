"""A model that somebody else is using: switched for a run, and left as it was."""

import random
import threading
import time
from collections.abc import Iterator

import pytest
import torch
import torch._dynamo.eval_frame as compiler
from transformers import (
    BertConfig,
    BertModel,
    BigBirdConfig,
    BigBirdModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
)

from attnviz.errors import ModelError
from attnviz.models.steady import steady
from attnviz.models.switched import HEEDLESS, parts_of, watchable
from tests.models import zoo

IDS = torch.tensor([[5, 17, 3, 29, 11, 2, 23]])


@pytest.fixture
def bert() -> BertModel:
    config = BertConfig(**zoo.CONFIGS["bert"], vocab_size=zoo.VOCABULARY)
    torch.manual_seed(3)
    return BertModel(config).eval()


def implementations(model: torch.nn.Module) -> Iterator[str]:
    for module in model.modules():
        if hasattr(module, "config"):
            yield module.config._attn_implementation


@pytest.mark.parametrize(
    "implementation",
    ["flash_attention_2", "flash_attention_3", "flex_attention", "paged|sdpa", "paged|flash_attention_2",
     "kernels-community/flash-attn2", "kernels-community/vllm-flash-attn3@main"],
)  # fmt: skip
def test_a_kernel_without_weights_is_switched_for_the_run(bert: BertModel, implementation: str) -> None:
    with torch.inference_mode():
        plain = bert(IDS).last_hidden_state
        bert.config._attn_implementation_internal = implementation
        with watchable(parts_of(bert)):
            assert set(implementations(bert)) == {"sdpa"}
            torch.testing.assert_close(bert(IDS).last_hidden_state, plain)
    assert set(implementations(bert)) == {implementation}


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_an_implementation_that_can_be_watched_stays(bert: BertModel, implementation: str) -> None:
    bert.set_attn_implementation(implementation)
    with watchable(parts_of(bert)):
        assert set(implementations(bert)) == {implementation}


def test_a_module_with_a_copy_of_the_name_is_switched_too() -> None:
    model = GPT2LMHeadModel(GPT2Config(**zoo.CONFIGS["gpt2"], bos_token_id=0, eos_token_id=0))
    model.config._attn_implementation_internal = "flex_attention"
    model.transformer._attn_implementation = "flex_attention"
    with watchable(parts_of(model)):
        assert model.transformer._attn_implementation == "sdpa"
    assert model.transformer._attn_implementation == "flex_attention"


def test_a_model_without_sdpa_runs_its_own_eager_attention(bert: BertModel) -> None:
    bert._supports_sdpa = False
    bert.config._attn_implementation_internal = "flash_attention_2"
    with watchable(parts_of(bert)):
        assert set(implementations(bert)) == {"eager"}


def test_attention_that_may_be_another_is_refused_by_name(bert: BertModel) -> None:
    bert.config._attn_implementation_internal = "sage_attention"
    with (
        pytest.raises(ModelError, match=r"BertModel .* 'sage_attention', whose numbers may be others"),
        watchable(parts_of(bert)),
    ):
        pass
    assert set(implementations(bert)) == {"sage_attention"}


def test_a_layer_that_is_a_kernel_itself_is_refused_by_name(bert: BertModel) -> None:
    class FalconFlashAttention2(torch.nn.Identity):
        pass

    bert.encoder.layer[1].attention.self = FalconFlashAttention2()
    with pytest.raises(ModelError, match="BertModel was built with FalconFlashAttention2"):
        parts_of(bert)


def test_training_goes_on_where_it_was(bert: BertModel) -> None:
    with torch.inference_mode():
        plain = bert(IDS).last_hidden_state
    bert.train()
    bert.encoder.layer[0].eval()  # frozen
    bert.activation_checkpointing_enable()
    bert.embeddings.requires_grad_(False)
    before = state(bert)
    with watchable(parts_of(bert)), torch.inference_mode():
        assert not any(module.training for module in bert.modules() if type(module) not in HEEDLESS)
        torch.testing.assert_close(bert(IDS).last_hidden_state, plain)
    assert state(bert) == before


def state(model: PreTrainedModel) -> list[object]:
    flags = [(module.training, getattr(module, "gradient_checkpointing", None)) for module in model.modules()]
    return [*flags, *(parameter.requires_grad for parameter in model.parameters())]


def test_an_exception_leaves_everything_as_it_was(bert: BertModel) -> None:
    bert.train()
    bert.config._attn_implementation_internal = "flex_attention"
    before = state(bert)
    with pytest.raises(ZeroDivisionError), watchable(parts_of(bert)):
        raise ZeroDivisionError
    assert state(bert) == before
    assert set(implementations(bert)) == {"flex_attention"}


def test_random_numbers_go_on_where_they_were(bert: BertModel) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    with watchable(parts_of(bert)):
        torch.rand(1000)
    torch.testing.assert_close(torch.rand(3), expected)


def test_compiled_code_runs_as_it_was_written(bert: BertModel) -> None:
    compiled: list[int] = []

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        compiled.append(1)
        return graph.forward

    bert.encoder.layer[1].compile(backend=backend)
    with torch.inference_mode():
        with watchable(parts_of(bert)), watchable(parts_of(bert)):
            inside = bert(IDS).last_hidden_state
        assert not compiled
        torch.testing.assert_close(bert(IDS).last_hidden_state, inside)
    assert compiled


def test_caches_are_off_inside(bert: BertModel) -> None:
    bert.config.use_cache = True
    with watchable(parts_of(bert)):
        assert bert.config.use_cache is False
    assert bert.config.use_cache is True


def test_plain_attention_can_be_asked_for(bert: BertModel) -> None:
    with watchable(parts_of(bert), eager=True):
        assert set(implementations(bert)) == {"eager"}
    assert set(implementations(bert)) == {"sdpa"}


def test_who_wants_a_model_otherwise_waits_until_others_have_left(bert: BertModel) -> None:
    order: list[str] = []

    def plainly() -> None:
        with watchable(parts_of(bert), eager=True):
            order.append("eager")

    other = threading.Thread(target=plainly)
    with watchable(parts_of(bert)):
        other.start()
        other.join(timeout=0.2)
        assert set(implementations(bert)) == {"sdpa"}
        order.append("sdpa")
    other.join(timeout=5)
    assert order == ["sdpa", "eager"]


def test_threads_that_are_inside_at_once_leave_everything_as_it_was(bert: BertModel) -> None:
    bert.train()
    bert.config._attn_implementation_internal = "flex_attention"
    before, failures = state(bert), []

    def go_in_and_out() -> None:
        for _ in range(20):
            with watchable(parts_of(bert)):
                time.sleep(random.random() / 1000)
                if (
                    compiler._stance.stance != "force_eager"
                    or bert.training
                    or "sdpa" not in implementations(bert)
                ):
                    failures.append(1)

    threads = [threading.Thread(target=go_in_and_out) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert compiler._stance.stance == "default"
    assert state(bert) == before
    assert set(implementations(bert)) == {"flex_attention"}


class Lottery(torch.nn.Linear):
    """Draws from Python's random numbers in every run, as nobody could know from outside."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return super().forward(states) * random.random()


def test_random_numbers_are_kept_where_a_module_may_draw_them(bert: BertModel) -> None:
    assert not parts_of(bert).draws
    bert.encoder.layer[0].output.dense = Lottery(*bert.encoder.layer[0].output.dense.weight.shape[::-1])
    assert parts_of(bert).draws
    before = random.getstate()
    with steady(bert):
        bert(IDS)
    assert random.getstate() == before


def test_a_model_whose_file_knows_numpy_may_draw_from_it() -> None:
    config = BigBirdConfig(
        hidden_size=20, num_attention_heads=2, num_hidden_layers=1, intermediate_size=8, vocab_size=11
    )
    assert parts_of(BigBirdModel(config)).draws

"""The conformance run in small: fifty model types of every route, kind and stack."""

import pytest

from attnviz.models.reasons import Reason
from tests.conformance.compare import NEAR
from tests.conformance.outcome import CAPTURED, EXACT, PART, REFUSED, outcome

pytestmark = pytest.mark.filterwarnings("ignore")  # what models say of themselves

TYPES = (
    # encoders of text
    "albert", "bert", "distilbert", "electra", "modernbert", "mpnet", "roformer", "convbert", "deberta-v2",
    "xlm",
    # decoders: grouped, latent and windowed keys, soft caps, sinks, linear biases, experts
    "gpt2", "gpt_neo", "gpt_neox", "gptj", "codegen", "bloom", "falcon", "opt", "llama", "mistral", "mixtral",
    "gemma2", "gemma3_text", "gpt_oss", "deepseek_v3", "qwen3_moe", "modernbert-decoder",
    # with layers that are no attention
    "jamba", "qwen3_next",
    # two sides
    "t5", "bart", "whisper", "led",
    # bands, blocks, two streams, pooled keys, latents
    "longformer", "big_bird", "bigbird_pegasus", "xlnet", "funnel", "perceiver",
    # images, sounds, several at once
    "vit", "swin", "swinv2", "pvt_v2", "detr", "segformer", "wav2vec2", "clip", "siglip", "qwen2_vl",
    "layoutlm",
)  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_weights_are_the_models_own(kind: str) -> None:
    found = outcome(kind)
    assert (found.status, found.why) == (CAPTURED, "")
    assert found.difference is not None
    assert found.difference <= (NEAR if kind == "xlm" else EXACT)
    assert found.layers
    assert found.heads


def test_a_model_without_attention_is_refused_for_that() -> None:
    found = outcome("mamba")
    assert (found.status, found.why) == (REFUSED, Reason.NO_ATTENTION.value)


def test_a_configuration_without_a_model_is_a_part_of_another() -> None:
    assert outcome("sam_prompt_encoder").status == PART

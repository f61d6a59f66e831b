"""The comparison notices a capture that drops something of the model's own scores."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from attnviz.errors import ModelError
from attnviz.models import calls
from attnviz.models.calls import AttentionCall
from tests.conformance.cases import Case, case
from tests.conformance.outcome import captured, comparison

pytestmark = pytest.mark.filterwarnings("ignore")  # what models say of themselves

Mutation = Callable[[AttentionCall], AttentionCall]


def without_mask(call: AttentionCall) -> AttentionCall:
    return replace(call, mask=None, causal=False)


def without_window(call: AttentionCall) -> AttentionCall:
    return replace(call, mask=None, causal=True)


def without_bias(call: AttentionCall) -> AttentionCall:
    return replace(call, options={**call.options, "position_bias": None})


def without_soft_cap(call: AttentionCall) -> AttentionCall:
    return replace(call, options={**call.options, "softcap": None})


def without_scale(call: AttentionCall) -> AttentionCall:
    return replace(call, options={**call.options, "scaling": 1.0})


def with_keys_repeated_in_another_order(call: AttentionCall) -> AttentionCall:
    return replace(call, key=call.key.flip(1))


MUTATIONS: list[tuple[Mutation, str]] = [
    *((without_mask, kind) for kind in ("bert", "llama", "gpt2", "bart", "qwen2_vl")),
    *((without_window, kind) for kind in ("mistral", "gemma2", "gpt_oss")),
    (without_bias, "t5"),
    (without_soft_cap, "gemma2"),
    *((without_scale, kind) for kind in ("bert", "llama", "vit", "clip")),
    *((with_keys_repeated_in_another_order, kind) for kind in ("llama", "mistral")),
]


def difference(made: Case) -> float:
    """How far a capture is off; one that is refused is as far off as can be."""
    try:
        return comparison(made, captured(made)).difference
    except ModelError:
        return 1.0


@pytest.mark.parametrize(("mutation", "kind"), MUTATIONS)
def test_what_is_dropped_is_noticed(mutation: Mutation, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = case(kind)
    assert difference(made) < 1e-5
    monkeypatch.setattr(calls, "in_single_precision", mutation)
    assert difference(made) > 1e-3

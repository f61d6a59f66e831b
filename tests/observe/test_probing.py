"""Sequences of random tokens, and what heads make of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

import attnviz
from attnviz.captures import numbered
from attnviz.errors import InputError
from attnviz.inputs import Sample
from attnviz.models.base import Encoded, Source
from attnviz.models.given import source_of
from attnviz.observe.keep import KeepMaps
from attnviz.observe.probing import first_of, random_tokens
from attnviz.observe.run import observe
from tests.fakes import FakeSource
from tests.models import zoo


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    names = ("gpt2", "bert", "t5")
    return {name: source_of(str(zoo.save_model(name, tmp_path_factory.mktemp(name)))) for name in names}


@pytest.mark.parametrize("name", ["gpt2", "bert", "t5"])
def test_tokens_stand_where_a_text_would(name: str, families: dict[str, Source]) -> None:
    source = families[name]
    text = next(iter(source.encode(Sample("a b")).axes.values()))[0]
    encoded = source.encode_ids([40, 41, 42])
    keys = next(iter(encoded.axes.values()))[1]
    own = [number for number, special in zip(text.ids, text.special, strict=True) if special]
    assert [number for number, special in zip(keys.ids, keys.special, strict=True) if special] == own
    assert [number for number, special in zip(keys.ids, keys.special, strict=True) if not special] == [
        40,
        41,
        42,
    ]


def test_random_tokens_are_different_and_none_is_the_models_own(families: dict[str, Source]) -> None:
    source = families["bert"]
    for seen in random_tokens(source, 5, 11, times=2, seed=0):
        keys = seen.axes[""][1]
        ids = [number for number, own in zip(keys.ids, keys.special, strict=True) if not own]
        assert ids[:11] == ids[11:]
        assert len({*ids}) == 11
        assert not {*ids} & {0, 1, 2, 3, 4}


def test_the_same_seed_draws_the_same(families: dict[str, Source]) -> None:
    ids = [
        [seen.axes[""][1].ids for seen in random_tokens(families["gpt2"], 2, 5, times=1, seed=seed)]
        for seed in (3, 3, 4)
    ]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0][0] != ids[0][1]


def test_the_score_is_the_weight_on_what_came_after_the_first_time(families: dict[str, Source]) -> None:
    """The diagonal of the second half's rows, from the whole maps."""
    source = families["gpt2"]
    [seen] = random_tokens(source, 1, 13, times=2, seed=0)
    whole = observe(source, source.encode_ids(seen.axes[""][1].ids), [KeepMaps()])
    assert seen.statistics is not None
    for head, score, copied in zip(
        seen.statistics.heads,
        seen.statistics.values["induction"],
        seen.statistics.values["duplicate"],
        strict=True,
    ):
        weights = whole.map(head.name)
        rows = np.arange(13, 26)
        assert score == pytest.approx(weights[rows, rows - 12].mean(), abs=1e-6)
        assert copied == pytest.approx(weights[rows, rows - 13].mean(), abs=1e-6)


class Copier(FakeSource):
    """Three heads by hand: one looks at all alike, one at the token before, one for what came next."""

    def plain_ids(self) -> Sequence[int]:
        return range(2, 99)

    def encode_ids(self, ids: Sequence[int]) -> Encoded:
        count = len(ids)
        axis = replace(numbered(count), ids=tuple(ids), unit="token")
        return Encoded(Sample(""), {"input_ids": torch.tensor([ids])}, {"": (axis, axis)})

    def weights(self, layer: int, length: int) -> Tensor:  # noqa: ARG002 - of the fake
        alike = torch.ones(length, length).tril()
        alike /= alike.sum(-1, keepdim=True)
        rows = torch.arange(length)
        before, after = torch.zeros(length, length), 0.25 * alike
        before[rows, (rows - 1).clamp(min=0)] = 1
        after[rows, (rows - length // 2 + 1).clamp(min=0)] += 0.75
        return torch.stack([alike, before, after])


def test_the_head_that_goes_on_as_before_is_the_first() -> None:
    table = attnviz.induction(model=Copier(layers=1, causal=True), sequences=10, length=16)
    names = [column.name for column in table.columns]
    first, second, third = (dict(zip(names, row, strict=True)) for row in table.rows)
    assert first["head"] == "0.2"
    alike = (1 / np.arange(17, 33)).mean()
    assert first["induction"] == pytest.approx(0.75 + 0.25 * alike)
    assert first["induction.baseline"] == pytest.approx(alike)
    assert first["induction.low"] == first["induction.high"] == pytest.approx(first["induction"])
    assert (second["head"], second["induction"]) == ("0.0", pytest.approx(alike))
    assert (third["head"], third["induction"]) == ("0.1", 0)
    assert third["previous"] == pytest.approx(1)
    assert second["duplicate"] == pytest.approx(alike)


def test_a_first_token_of_the_models_own_is_told(families: dict[str, Source]) -> None:
    assert first_of(families["bert"]) == "[CLS]"
    assert first_of(families["gpt2"]) == ""
    assert first_of(source_of("builtin:encoder")) == "[CLS]"


def test_what_does_not_fit_is_refused_with_what_does(families: dict[str, Source]) -> None:
    with pytest.raises(
        InputError, match=r"2 times 70 tokens are 140, and gpt2\d* reads at most 128: --length 64 fits"
    ):
        next(random_tokens(families["gpt2"], 1, 70, times=2, seed=0))
    with pytest.raises(InputError, match=r"2 times 64 tokens and 2 of its own are 130, .*--length 63 fits"):
        next(random_tokens(families["bert"], 1, 64, times=2, seed=0))


def test_a_model_without_a_tokenizer_draws_nothing() -> None:
    model = GPT2LMHeadModel(
        GPT2Config(**zoo.CONFIGS["gpt2"], vocab_size=zoo.VOCABULARY, bos_token_id=0, eos_token_id=0)
    )
    with pytest.raises(InputError, match="GPT2LMHeadModel has no tokenizer here"):
        next(random_tokens(source_of(model), 1, 5, times=2, seed=0))

"""What the stored encoder has learnt; and that nothing passes which has not learnt it."""

import pytest
import torch

from attnviz.builtin import check as checks
from attnviz.builtin import store
from attnviz.builtin.check import Share, check, examine
from attnviz.builtin.model import MaskedLanguageModel
from attnviz.builtin.questions import QUESTS, Pair, draw, shuffled


@pytest.fixture(scope="module")
def questions():
    return draw()


def test_the_stored_encoder_passes(questions) -> None:
    result = check(store.shipped(), questions)
    assert result.agrees
    assert [finding.relation for finding in result.findings if not finding.passed] == []
    assert result.passed


def test_an_untrained_encoder_fails_everywhere(questions) -> None:
    stored = store.load(store.shipped())
    torch.manual_seed(0)
    untrained = MaskedLanguageModel(stored.model.config).eval()
    result = examine(untrained, stored.tokenizer, questions)
    assert not result.agrees
    assert [finding.relation for finding in result.findings if finding.needed and finding.passed] == []


def test_with_shuffled_gold_the_stored_encoder_fails_everywhere(questions) -> None:
    result = check(store.shipped(), shuffled(questions))
    assert not result.agrees
    assert [finding.relation for finding in result.findings if finding.needed and finding.passed] == []


def test_a_thousand_hard_pairs_at_least_are_asked_of_every_relation(questions) -> None:
    assert set(questions.pairs) == set(QUESTS)
    for name, pairs in questions.pairs.items():
        assert len(pairs) >= 1_000, name
        for pair in pairs:
            assert not all(pair.guessed(baseline) for baseline in QUESTS[name].guesses)
    assert len(questions.agreements) >= 1_000


def test_the_interval_is_wilsons() -> None:
    share = Share(8, 10)
    assert share.value == 0.8
    assert (share.low, share.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_tokens_are_put_to_the_words_that_hold_them() -> None:
    tokenizer = store.load(store.shipped()).tokenizer
    text = "The cat, zqxj."
    encoding = tokenizer.encode(text)
    words = checks._words(encoding, Pair(text, ((0, 3), (4, 7), (9, 13)), 0, 1, 1))
    assert words[1:3] == [0, 1]
    assert {word for word, piece in zip(words, encoding.offsets, strict=True) if 8 <= piece[0] < 13} == {2}
    alone = [words[0], words[3], *words[-2:]]  # [CLS] , . [SEP]
    assert len(set(alone)) == 4
    assert min(alone) >= 3

"""What the stored encoder has learnt; and that nothing passes which has not learnt it."""

from random import Random

import pytest
import torch

from attnviz.analysis.relations import Relation
from attnviz.analysis.shares import Share
from attnviz.builtin import store
from attnviz.builtin.encoder import check as checks
from attnviz.builtin.encoder.check import FLOORS, MARGINS, check, examine
from attnviz.builtin.encoder.model import MaskedLanguageModel
from attnviz.builtin.encoder.questions import QUESTS, Pair, draw, pairs_of, shuffled
from attnviz.builtin.language import Story, Word
from attnviz.builtin.outcome import failed
from attnviz.inputs import Span

SHIPPED = store.shipped("encoder")


@pytest.fixture(scope="module")
def questions():
    return draw()


def test_the_stored_encoder_passes(questions) -> None:
    result = check(SHIPPED, questions)
    assert len(result.figures) == 7
    assert failed(result) == ()


@pytest.fixture(scope="module")
def fewer():
    return draw(read=2_000, hard=500, agreements=500)


def test_an_untrained_encoder_fails_everywhere(fewer) -> None:
    stored = store.load(SHIPPED, MaskedLanguageModel)
    torch.manual_seed(0)
    untrained = MaskedLanguageModel(stored.model.config).eval()
    result = examine(untrained, stored.tokenizer, fewer)
    assert [figure.what for figure in result.figures if figure.needed and figure.passed] == []


def test_with_shuffled_gold_the_stored_encoder_fails_everywhere(fewer) -> None:
    result = check(SHIPPED, shuffled(fewer))
    assert [figure.what for figure in result.figures if figure.needed and figure.passed] == []


def test_a_thousand_hard_pairs_at_least_are_asked_of_every_relation(questions) -> None:
    assert set(questions.pairs) == set(QUESTS)
    for name, pairs in questions.pairs.items():
        assert len(pairs) >= 1_000 or name not in FLOORS | MARGINS, name
        for pair in pairs:
            assert not all(pair.guessed(baseline) for baseline in QUESTS[name].guesses)
    assert len(questions.agreements) >= 1_000


def story(text: str, pos: str, *relations: tuple[str, int, int]) -> Story:
    """A story of words between blanks; pos has a letter for each of them."""
    names = {"d": "determiner", "n": "noun", "v": "verb", "p": "preposition", "o": "pronoun", "x": ""}
    words, start = [], 0
    for word, letter in zip(text.split(), pos, strict=True):
        span = Span(0, start, start + len(word))
        words.append(Word(word, word, names[letter], "", "", span, ""))
        start = span.stop + 1
    links = tuple(Relation(name, words[a].span, words[b].span) for name, a, b in relations)
    return Story(text, tuple(words), links, (), (), "")


def test_the_nearest_candidate_by_hand() -> None:
    told = story(
        "the dog near the cats barks because it hears birds",
        "dnpdnvxovn",
        ("verb-subject", 5, 1),
        ("verb-subject", 8, 7),
        ("pronoun-antecedent", 7, 1),
        ("preposition-object", 2, 4),
        ("verb-object", 8, 9),
    )
    found = [(name, pair.looking, pair.target, pair.nearest) for name, pair in pairs_of(told, Random(0))]
    assert found == [
        ("verb-subject", 5, 1, 4),  # cats
        ("verb-subject", 8, 7, 7),  # a pronoun is a candidate too
        ("pronoun-antecedent", 7, 1, 4),  # birds come after it
        ("preposition-object", 2, 4, 1),  # dog stands nearer than cats
    ]


def test_of_two_candidates_at_the_same_distance_one_is_taken_by_lot() -> None:
    told = story("dog sees the big cat", "nvdxn", ("determiner-noun", 2, 4))
    lot = Random(0)
    drawn = [pair.nearest for _ in range(400) for _, pair in pairs_of(told, lot)]
    assert set(drawn) == {0, 4}
    assert drawn.count(0) == pytest.approx(200, abs=40)


def test_the_interval_is_wilsons() -> None:
    share = Share(8, 10)
    assert share.value == 0.8
    assert (share.low, share.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_tokens_are_put_to_the_words_that_hold_them() -> None:
    tokenizer = store.load(SHIPPED, MaskedLanguageModel).tokenizer
    text = "The cat, zqxj."
    encoding = tokenizer.encode(text)
    words = checks._words(encoding, Pair(text, ((0, 3), (4, 7), (9, 13)), 0, 1, 1))
    assert words[1:3] == [0, 1]
    assert {word for word, piece in zip(words, encoding.offsets, strict=True) if 8 <= piece[0] < 13} == {2}
    alone = [words[0], words[3], *words[-2:]]  # [CLS] , . [SEP]
    assert len(set(alone)) == 4
    assert min(alone) >= 3

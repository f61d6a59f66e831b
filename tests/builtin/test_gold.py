"""The builtin language's own relations as texts to probe with, and what the shipped model finds of them."""

import pytest

import attnviz
from attnviz.analysis.relations import Corpus, Related, Relation
from attnviz.builtin import store
from attnviz.builtin.encoder.check import examine
from attnviz.builtin.encoder.model import MaskedLanguageModel
from attnviz.builtin.encoder.questions import SEED, Pair, draw
from attnviz.builtin.gold import gold
from attnviz.builtin.language import held_out_frame, stories
from attnviz.inputs import Span

MASK = "[MASK]"


def test_gold_texts_are_those_that_training_never_has() -> None:
    corpus = gold(40)
    told = [story for story, _ in zip(stories(SEED, split="test"), range(40), strict=False)]
    assert [text.text for text in corpus.texts] == [story.text for story in told]
    assert all(held_out_frame(frame) for story in told for frame in story.frames)
    assert [len(text.relations) for text in corpus.texts] == [len(story.relations) for story in told]


def test_the_word_that_looks_is_the_source() -> None:
    texts = gold(60).texts
    ends = {
        (link.name, category[link.source], category[link.target])
        for text in texts
        for category in [{tagged.span: tagged.category for tagged in text.tagged}]
        for link in text.relations
    }
    assert ("verb-subject", "verb", "noun") in ends
    assert ("determiner-noun", "determiner", "noun") in ends
    assert {source for name, source, _ in ends if name == "reflexive-antecedent"} == {"reflexive"}


def masked(pair: Pair, number: int) -> Related:
    """A question of the check: the looking word is hidden."""
    (start, stop), (first, last) = pair.words[pair.looking], pair.words[pair.target]
    moved = len(MASK) - (stop - start) if first > start else 0
    text = pair.text[:start] + MASK + pair.text[stop:]
    link = Relation("asked", Span(0, start, start + len(MASK)), Span(0, first + moved, last + moved))
    return Related(text, (link,), name=f"question-{number}")


def test_a_probe_with_the_checks_questions_finds_what_the_check_finds() -> None:
    questions = draw(read=1_500, hard=120, agreements=2)
    stored = store.load(store.shipped("encoder"), MaskedLanguageModel)
    outcome = {
        finding.relation: finding for finding in examine(stored.model, stored.tokenizer, questions).findings
    }
    for relation in ("verb-subject", "pronoun-antecedent", "preposition-object"):
        texts = tuple(masked(pair, number) for number, pair in enumerate(questions.pairs[relation]))
        probed = attnviz.probe(Corpus(relation, texts))
        finding = next(each for each in probed.findings if each.direction == "to target")
        checked = outcome[relation]
        assert finding.head.name == checked.head
        assert finding.low <= checked.found.value <= finding.high
        assert checked.found.low <= finding.found.value <= checked.found.high


def test_the_model_that_ships_beats_both_guesses_where_words_are_far_apart() -> None:
    findings = {(each.relation, each.direction): each for each in attnviz.probe("builtin").findings}
    for relation in ("pronoun-antecedent", "preposition-object", "verb-object"):
        assert findings[relation, "to target"].beats
    pronouns = findings["pronoun-antecedent", "to target"]
    assert pronouns.head.name == "2.4"
    assert pronouns.found.value == pytest.approx(0.83, abs=0.05)

"""The classifier: stories that tell their topic, a bag of words beside it, and words that matter."""

import pytest
import torch

from attnviz.builtin import store
from attnviz.builtin.classifier.bag import BagOfWords
from attnviz.builtin.classifier.check import SEED, STORIES, examine
from attnviz.builtin.classifier.model import TopicClassifier
from attnviz.builtin.classifier.task import ClassifierTask
from attnviz.builtin.classifier.texts import telling_stories
from attnviz.builtin.language import LEXICON, Story, held_out_frame
from attnviz.builtin.outcome import failed
from attnviz.builtin.tokenizer import MASK

SHIPPED = store.shipped("classifier")


def test_stories_have_a_word_of_their_topic_and_none_of_another() -> None:
    topics = {(entry.pos, entry.lemma): entry.topics for entry in LEXICON}
    for story in telling_stories(4, "train", 60):
        own = [topics.get((word.pos, word.lemma), ()) for word in story.words]
        assert {each[0] for each in own if len(each) == 1} == {story.topic}
        assert not any(held_out_frame(frame) for frame in story.frames)
    assert all(held_out_frame(frame) for each in telling_stories(4, "test", 60) for frame in each.frames)


def story(topic: str, text: str) -> Story:
    return Story(text, (), (), (), (), topic)


def test_the_bag_of_words_by_hand() -> None:
    bag = BagOfWords([story("sea", "a ship a wave"), story("farm", "a cow"), story("farm", "a hen")])
    assert bag.topic(story("", "The wave")) == "sea"  # "the" is unknown
    assert bag.topic(story("", "a cow and a hen")) == "farm"


@pytest.fixture(scope="module")
def outcome():
    stored = store.load(SHIPPED, TopicClassifier)
    return examine(stored.model, stored.tokenizer, telling_stories(SEED, "test", STORIES))


def test_the_classifier_that_ships_passes(outcome) -> None:
    assert failed(outcome) == ()
    assert outcome.topics.of == STORIES
    assert outcome.more.value == pytest.approx(outcome.without.value - outcome.other.value)


def test_a_classifier_that_has_learnt_nothing_fails_everywhere() -> None:
    stored = store.load(SHIPPED, TopicClassifier)
    torch.manual_seed(0)
    blank = TopicClassifier(stored.model.config).eval()
    result = examine(blank, stored.tokenizer, telling_stories(SEED, "test", 200))
    assert failed(result) == ("topic", "more than other")


def test_some_tokens_are_hidden_in_training_and_none_in_the_examination() -> None:
    task = ClassifierTask(stories=200, masked=0.3)
    tokenizer = task.tokenizer()
    torch.manual_seed(0)
    batch = next(task.batches(tokenizer, 0))
    hidden = batch.ids.eq(MASK).sum() / batch.ids.gt(2).sum()
    assert hidden == pytest.approx(0.3, abs=0.05)
    assert batch.ids[:, 0].eq(1).all()
    assert not any(each.ids.eq(MASK).any() for each in task.exam(tokenizer))

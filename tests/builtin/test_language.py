import subprocess
import sys
from collections import Counter
from itertools import islice
from random import Random

import pytest

from attnviz.builtin.language import (
    LEXICON,
    Story,
    Word,
    agreement_items,
    held_out_frame,
    held_out_pair,
    stories,
)
from attnviz.builtin.language.draft import takes_an
from attnviz.builtin.language.fits import Dice, Options, describes
from attnviz.builtin.language.frames import FRAMES
from attnviz.builtin.language.lexicon import ADJECTIVES, NAMES, NOUNS, VERBS
from attnviz.builtin.language.stories import write_story

SOURCES = {
    "determiner-noun": {"determiner", "possessive"},
    "adjective-noun": {"adjective"},
    "verb-subject": {"verb"},
    "verb-object": {"verb"},
    "preposition-object": {"preposition"},
    "pronoun-antecedent": {"pronoun", "possessive", "reflexive"},
}
NOUN = {"noun", "name"}
TARGETS = dict.fromkeys(SOURCES, NOUN) | {
    "verb-subject": NOUN | {"pronoun"},
    "verb-object": NOUN | {"pronoun"},
}
SINGULAR = {"a", "an", "this", "that", "every", "each", "another"}
PLURAL = {"these", "those", "two", "three", "four", "many", "several"}


@pytest.fixture(scope="module", params=["train", "test"])
def split(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def told(split) -> list[Story]:
    return list(islice(stories(7, split=split), 1500))


def links(story: Story, name: str) -> list[tuple[Word, Word]]:
    """The pairs (looking word, word looked at) of one relation."""
    at = {word.span: word for word in story.words}
    return [(at[link.source], at[link.target]) for link in story.relations if link.name == name]


# -- the lexicon ------------------------------------------------------------------------------


def test_the_lexicon_has_fifteen_hundred_words_besides_names():
    content = {(entry.pos, entry.lemma) for entry in (*NOUNS, *VERBS, *ADJECTIVES)}
    assert len({lemma for _, lemma in content}) >= 1500
    assert len({entry.lemma for entry in LEXICON}) >= 1600


def test_no_word_is_there_twice():
    counts = Counter((entry.pos, entry.lemma) for entry in (*NOUNS, *NAMES, *VERBS, *ADJECTIVES))
    assert counts.most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    ("lemma", "pos", "forms"),
    [
        ("mouse", "noun", ("mouse", "mice")),
        ("sheep", "noun", ("sheep", "sheep")),
        ("policewoman", "noun", ("policewoman", "policewomen")),
        ("knife", "noun", ("knife", "knives")),
        ("city", "noun", ("city", "cities")),
        ("boy", "noun", ("boy", "boys")),
        ("church", "noun", ("church", "churches")),
        ("potato", "noun", ("potato", "potatoes")),
        ("piano", "noun", ("piano", "pianos")),
        ("study", "verb", ("study", "studies", "studied", "studied")),
        ("stop", "verb", ("stop", "stops", "stopped", "stopped")),
        ("sit", "verb", ("sit", "sits", "sat", "sat")),
        ("swim", "verb", ("swim", "swims", "swam", "swum")),
        ("have", "verb", ("have", "has", "had", "had")),
        ("go", "verb", ("go", "goes", "went", "gone")),
        ("play", "verb", ("play", "plays", "played", "played")),
        ("visit", "verb", ("visit", "visits", "visited", "visited")),
        ("wash", "verb", ("wash", "washes", "washed", "washed")),
    ],
)
def test_forms_are_those_of_english(lemma, pos, forms):
    assert [entry.forms for entry in LEXICON if (entry.lemma, entry.pos) == (lemma, pos)] == [forms]


def test_every_verb_can_be_used_and_every_topic_has_what_a_story_needs():
    topics = Counter(topic for entry in (*NOUNS, *VERBS) for topic in entry.topics)
    assert len(topics) == 12
    assert min(topics.values()) >= 60
    assert all(verb.uses and verb.subjects for verb in VERBS)


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("apple", True),
        ("hour", True),
        ("uniform", False),
        ("useful", False),
        ("house", False),
        ("ugly", True),
    ],
)
def test_an_goes_by_the_sound(word, answer):
    assert takes_an(word) is answer


# -- frames and what is held out --------------------------------------------------------------


def test_about_a_fifth_of_hundreds_of_frames_is_held_out():
    held_out = sum(held_out_frame(frame.text) for frame in FRAMES)
    assert len({frame.text for frame in FRAMES}) == len(FRAMES) > 500
    assert held_out / len(FRAMES) == pytest.approx(0.2, abs=0.02)


def test_about_one_pair_in_eight_is_held_out():
    pairs = [(noun.lemma, verb.lemma) for noun in NOUNS[:300] for verb in VERBS]
    assert sum(held_out_pair(*pair) for pair in pairs) / len(pairs) == pytest.approx(0.125, abs=0.005)


def test_every_part_of_a_frame_is_seen_in_training():
    parts = {part for frame in FRAMES for part in frame.text.split()}
    seen = {part for frame in FRAMES if not held_out_frame(frame.text) for part in frame.text.split()}
    assert parts == seen


def test_training_sees_nothing_that_is_held_out_and_a_test_nothing_else(split, told):
    assert {held_out_frame(frame) for story in told for frame in story.frames} == {split == "test"}
    assert {held_out_pair(*pair) for story in told for pair in story.pairs} == {split == "test"}


def test_every_verb_counts_as_a_pair(told):
    for story in told:
        assert [verb for _, verb in story.pairs] == [word.lemma for word in story.words if word.pos == "verb"]


# -- stories ----------------------------------------------------------------------------------


def test_spans_spell_the_words_in_order(told):
    for story in told:
        assert [story.text[word.span.start : word.span.stop] for word in story.words] == [
            word.text for word in story.words
        ]
        ends = [word.span.stop for word in story.words]
        assert all(word.span.start > end for end, word in zip(ends, story.words[1:], strict=False))


def test_relations_link_the_words_that_their_name_says(told):
    for story in told:
        for name, sources in SOURCES.items():
            for source, target in links(story, name):
                assert source.pos in sources, (name, source, story.text)
                assert target.pos in TARGETS[name], (name, target, story.text)


def test_every_word_that_looks_has_its_link(told):
    for story in told:
        looking = Counter(link.name for link in story.relations)
        pos = Counter(word.pos for word in story.words)
        assert looking["determiner-noun"] == pos["determiner"] + pos["possessive"]
        assert looking["preposition-object"] == pos["preposition"]
        assert looking["pronoun-antecedent"] == pos["pronoun"] + pos["possessive"] + pos["reflexive"]


def test_verbs_agree_with_their_subjects(told):
    forms = {verb.lemma: verb.forms for verb in VERBS}
    be = {
        ("present", "singular"): "is",
        ("present", "plural"): "are",
        ("past", "singular"): "was",
        ("past", "plural"): "were",
    }
    for story in told:
        for verb, subject in links(story, "verb-subject"):
            assert verb.number == subject.number, story.text
            if verb.lemma == "be":
                expected = be[verb.tense, verb.number]
            else:
                base, third, past, _ = forms[verb.lemma]
                expected = past if verb.tense == "past" else base if verb.number == "plural" else third
            assert verb.text == expected, story.text


def test_determiners_agree_with_their_nouns(told):
    for story in told:
        for determiner, noun in links(story, "determiner-noun"):
            word = determiner.text.lower()
            assert noun.number == "singular" or word not in SINGULAR, story.text
            assert noun.number == "plural" or word not in PLURAL, story.text


def test_a_or_an_goes_by_the_next_word(told):
    for story in told:
        for word, following in zip(story.words, story.words[1:], strict=False):
            if word.lemma == "a":
                assert word.text.lower() == ("an" if takes_an(following.text) else "a"), story.text


def reads(pronoun: Word, noun: Word) -> bool:
    """Whether the pronoun's number and gender allow it to stand for this noun."""
    if pronoun.number == "plural" or noun.number == "plural":
        return pronoun.number == noun.number
    return noun.gender == pronoun.gender or (noun.gender == "c" and pronoun.gender in ("m", "f"))


def test_an_antecedent_is_the_only_noun_so_far_that_fits_or_the_only_one_that_makes_sense(told):
    entries = {(entry.pos, entry.lemma): entry for entry in (*NOUNS, *NAMES, *ADJECTIVES)}
    alone = shared = 0
    for story in told:
        for pronoun, antecedent in links(story, "pronoun-antecedent"):
            assert antecedent.span < pronoun.span
            assert reads(pronoun, antecedent), story.text
            before = [word for word in story.words if word.span < pronoun.span and word.pos in NOUN]
            rivals = {word.lemma: word for word in before if reads(pronoun, word)}
            del rivals[antecedent.lemma]
            alone += not rivals
            if rivals:
                shared += 1
                at = story.words.index(pronoun)
                verb, adjective = story.words[at + 1 : at + 3]
                assert (verb.lemma, adjective.pos) == ("be", "adjective"), story.text
                said = entries["adjective", adjective.lemma]
                for rival in rivals.values():
                    assert not describes(said, entries[rival.pos, rival.lemma]), story.text
    assert alone > 20 * shared > 0


def test_pronouns_of_every_number_and_gender_occur(told):
    counts = Counter(word.lemma for story in told for word in story.words if word.pos == "pronoun")
    assert set(counts) == {"he", "she", "it", "they"}
    assert min(counts.values()) > 0.02 * counts.total()


def test_names_and_nouns_come_back(told):
    longer = [story for story in told if len(story.frames) >= 3]
    again = [
        story
        for story in longer
        if Counter(word.lemma for word in story.words if word.pos in NOUN).most_common(1)[0][1] > 1
    ]
    assert len(again) > 0.3 * len(longer)


def test_stories_are_mostly_short_and_at_most_five_sentences(told):
    lengths = Counter(len(story.frames) for story in told)
    assert set(lengths) == {1, 2, 3, 4, 5}
    assert lengths[1] + lengths[2] > 0.7 * lengths.total()


def test_single_sentences_sometimes_end_without_a_full_stop_and_are_sometimes_in_lower_case():
    told = list(islice(stories(3, split="train", sentences=1), 1000))
    assert all(len(story.frames) == 1 for story in told)
    assert 0.1 < sum(not story.text.endswith(".") for story in told) / 1000 < 0.2
    assert 0.02 < sum(story.text.islower() for story in told) / 1000 < 0.08


def test_the_same_seed_tells_the_same_stories_in_every_process():
    script = (
        "from itertools import islice; from attnviz.builtin.language import stories;"
        "print([story.text for story in islice(stories(11, split='test'), 50)])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {f"{[story.text for story in islice(stories(11, split='test'), 50)]}\n"}


def test_other_seeds_tell_other_stories():
    assert next(stories(1, split="train")) != next(stories(2, split="train"))


# -- agreement --------------------------------------------------------------------------------


def test_agreement_items_have_an_attractor_between_subject_and_verb():
    for item in islice(agreement_items(5), 300):
        assert item.text[item.verb.start : item.verb.stop] == item.right != item.wrong
        assert 0 < item.attractor.start < item.attractor.stop < item.verb.start
        first = item.text.split()[0].lower()
        assert first in ("the", "my", "your", "our")


def test_right_and_wrong_verbs_are_singular_and_plural_by_turns():
    singular = {verb.forms[1] for verb in VERBS} | {"is", "was"}
    rights = [item.right in singular for item in islice(agreement_items(5), 300)]
    assert 100 < sum(rights) < 200


# -- the sentence of the first page -----------------------------------------------------------


class Directed(Dice):
    """Chance that falls on the options wanted, and that adds nothing to a sentence."""

    def __init__(self, *wanted: str) -> None:
        super().__init__(Random(0))
        self._wanted = wanted

    def pick(self, options: Options):
        names = [getattr(option, "lemma", getattr(option, "text", option)) for option in options.values]
        return options.values[next((names.index(name) for name in self._wanted if name in names), 0)]

    def chance(self, probability: float) -> bool:  # noqa: ARG002  (as Dice has it)
        return False


def test_the_cat_sat_on_the_mat_because_it_was_tired():
    words = ("the", "cat", "singular", "sit", "past", "on", "mat", "tired")
    dice = Directed("home", "np v.intr at because pron cop.adj", "sense", *words)
    story = write_story(dice, "train", 1)
    assert story.text == "The cat sat on the mat because it was tired."
    assert story.pairs == (("cat", "sit"), ("cat", "be"))
    found = {name: [(a.text, b.text) for a, b in links(story, name)] for name in SOURCES}
    assert found == {
        "determiner-noun": [("The", "cat"), ("the", "mat")],
        "adjective-noun": [],
        "verb-subject": [("sat", "cat"), ("was", "it")],
        "verb-object": [],
        "preposition-object": [("on", "mat")],
        "pronoun-antecedent": [("it", "cat")],
    }

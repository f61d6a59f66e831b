from itertools import islice

import pytest

from attnviz.builtin.language import LEXICON, stories
from attnviz.builtin.language.french import Bitext, bitexts, translate_story
from attnviz.builtin.language.french.lexicon import translated
from attnviz.builtin.language.lexicon import NAMES, NOUNS

SOME = 400


def pairs(bitext: Bitext) -> set[tuple[str, str]]:
    """The links as words."""
    words = [bitext.text[span.start : span.stop] for span in bitext.words]
    return {(bitext.source.words[source].text, words[target]) for source, target in bitext.links}


def test_every_word_of_the_lexicon_has_its_french() -> None:
    known = set(translated())
    names = {name.lemma for name in NAMES}
    missing = {(word.pos, word.lemma) for word in LEXICON if word.lemma not in names} - known
    assert not missing
    assert known - {(word.pos, word.lemma) for word in LEXICON} == {("verb", "be")}


@pytest.mark.parametrize("strange", [0.0, 1.0])
def test_every_word_of_both_sides_is_linked_and_every_span_holds_a_word(strange: float) -> None:
    for bitext in islice(bitexts(3, split="train", strange=strange), SOME):
        assert {source for source, _ in bitext.links} == set(range(len(bitext.source.words)))
        assert {target for _, target in bitext.links} == set(range(len(bitext.words)))
        written = "".join(bitext.text[span.start : span.stop] for span in bitext.words)
        assert written == bitext.text.translate(str.maketrans("", "", " .,"))


def test_the_same_english_has_one_french_whatever_the_seed() -> None:
    french: dict[str, str] = {}
    for seed in range(3):
        for bitext in islice(bitexts(seed, split="test"), SOME):
            assert french.setdefault(bitext.source.text, bitext.text) == bitext.text


def test_no_word_is_left_in_english_and_no_vowels_meet_where_one_is_elided() -> None:
    for bitext in islice(bitexts(4, split="test"), SOME):
        assert not any(
            f" {weak} {vowel}" in bitext.text for weak in ("le", "de", "que", "se") for vowel in "aeiouéê"
        )
        assert not any(
            f" {apart} " in bitext.text for apart in ("de le", "à le", "de les", "à les", "de des")
        )


def test_invented_names_are_copied_and_the_splits_share_none() -> None:
    known = {name.lemma.lower() for name in NAMES}
    names = {}
    for split in ("train", "test"):
        found = set()
        for bitext in islice(bitexts(5, split=split, strange=1.0), SOME):
            invented = {word.lemma for word in bitext.source.words if word.pos == "name"} - known
            new = {name for name in invented if name.lower() not in known}
            assert new
            assert all(name.lower() in bitext.text.lower() for name in new)
            found |= new
        names[split] = found
    assert not names["train"] & names["test"]


def test_the_same_seed_gives_the_same_sentences() -> None:
    first, again, other = (
        [bitext.text for bitext in islice(bitexts(seed, split="train", strange=0.3), 20)]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_any_story_can_be_translated() -> None:
    for story in islice(stories(7, split="train"), SOME):
        assert translate_story(story).source is story


def test_a_noun_that_is_he_or_she_in_english_is_so_in_french() -> None:
    from attnviz.builtin.language.french.lexicon import NOUNS as FRENCH

    differing = {
        noun.lemma for noun in NOUNS if noun.gender in ("m", "f") and FRENCH[noun.lemma].gender != noun.gender
    }
    assert not differing

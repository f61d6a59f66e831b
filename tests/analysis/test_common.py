"""The same words for every tokenizer, and one map carried through two of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attnviz.analysis.common import ground
from attnviz.analysis.compare import compare
from attnviz.analysis.entries import common_entries
from attnviz.analysis.words import word_axis
from attnviz.captures import Axis, Capture, Floats, Grid, LayerMaps, Layers
from attnviz.errors import InputError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span, word_spans, words_of
from attnviz.models.encoding import Reader, tokens_of
from attnviz.models.labels import token_axis
from tests.analysis.readers import SENTENCES
from tests.models import zoo

KINDS: dict[str, Callable[[], Any]] = {
    "byte_bpe": zoo.byte_bpe,
    "wordpiece": zoo.wordpiece,
    "unigram": zoo.unigram,
    "byte_fallback": zoo.byte_fallback,
}
READERS = {kind: Reader(make(), kind, None) for kind, make in KINDS.items()}
TEXTS = {
    "CJK by characters": "我爱东京 and 日本語です",
    "emoji with joiners": "The 👩‍🚀 waved at the 🐈‍⬛ and the 🇫🇷 flag 👋🏽.",
    "apostrophes": "Don't panic: it's the dog's, isn't it?",
    "numbers": "3.14 is not 1,000 but 42%.",
    "code": "def area(width, height):\n    return width * height",
    "accents": "Naïve café, cafe\u0301 and ÇA VA.",
    "compatibility": "ﬁne ½ Ｆｕｌｌ №5 ™",
    "blanks": "two  blanks\tand\u00a0more \n\n here ",
}


def axis(kind: str, text: str, pair: str | None = None) -> Axis:
    return word_axis(token_axis(tokens_of(READERS[kind], Sample(text, pair), truncate=False)))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("kind", KINDS)
def test_words_are_those_of_the_text_whichever_tokenizer(kind: str, name: str) -> None:
    """But for those that a token joins, and those of which a tokenizer reads nothing."""
    text = TEXTS[name]
    starts = {start for start, _ in word_spans(text)}
    made = axis(kind, text)
    for word, span in zip(made.words, made.spans, strict=True):
        if word >= 0 and span is not None:
            piece = text[span.start : span.stop]
            begins = span.start + (len(piece) - len(piece.lstrip()))
            blanks = len(text[:begins]) - len(text[:begins].rstrip(" \t\xa0"))
            assert any(start in starts for start in range(begins - blanks, begins + 1))
    assert [word for word in made.words if word >= 0] == list(range(len(made) - made.words.count(-1)))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "pair", [("byte_bpe", "wordpiece"), ("unigram", "byte_bpe"), ("byte_fallback", "unigram")]
)
def test_two_tokenizers_have_the_same_words(name: str, pair: tuple[str, str]) -> None:
    text = TEXTS[name]
    (one,), (other,) = common_entries([axis(pair[0], text)], [axis(pair[1], text)], Sample(text))
    words = [
        [entry for entry in dict.fromkeys(side) if entry and entry[0] == "word"] for side in (one, other)
    ]
    assert words[0] == words[1] == [("word", 0, rank) for rank in range(len(words[0]))]
    whole = [start for start, stop in word_spans(text) if text[start:stop].strip()]
    assert len(words[0]) >= len(whole) / 3  # what a vocabulary lacks is joined


def test_words_that_one_tokenizer_joins_are_one_for_both() -> None:
    text = "so ... what"
    joined, apart = (
        axis_of(text, spans)
        for spans in ([(0, 2), (3, 6), (7, 11)], [(0, 2), (3, 4), (4, 5), (5, 6), (7, 11)])
    )
    (one,), (other,) = common_entries([joined], [apart], Sample(text))
    assert [entry and entry[-1] for entry in one] == [0, 1, 2]
    assert [entry and entry[-1] for entry in other] == [0, 1, 1, 1, 2]


def axis_of(text: str, places: list[tuple[int, int]]) -> Axis:
    spans = tuple(Span(0, *place) for place in places)
    count = len(spans)
    labels = tuple(text[start:stop] for start, stop in places)
    words = words_of(spans, [text])
    return Axis(labels, tuple(range(count)), spans, words, (False,) * count, texts=(text,))


def test_a_numbering_that_a_joined_word_has_moved_does_not_mislead() -> None:
    """On its own axis the last word is number 2 of one tokenizer and number 4 of the other."""
    text = "so ... what"
    short = axis_of(text, [(3, 6), (7, 11)])
    long = axis_of(text, [(0, 2), (3, 4), (4, 5), (5, 6), (7, 11)])
    assert (short.words[-1], long.words[-1]) == (1, 4)
    (one,), (other,) = common_entries([short], [long], Sample(text))
    assert other == (None, *[one[0]] * 3, one[1])


def test_special_tokens_are_shared_by_label_and_number() -> None:
    text = "The cat"
    (one,), (other,) = common_entries(
        [axis("wordpiece", text, "sat")], [axis("wordpiece", text, "sat")], Sample(text, "sat")
    )
    assert one == other
    own, word = "own", "word"
    first = ((own, "[CLS]", 0), (word, 0, 0), (word, 0, 1), (own, "[SEP]", 0))
    assert one == (*first, (word, 1, 0), (own, "[SEP]", 1))
    (_, (without,)) = common_entries([axis("byte_bpe", text)], [axis("wordpiece", text)], Sample(text))
    assert without == (None, (word, 0, 0), (word, 0, 1), None)


def test_the_words_of_a_message_are_found_in_a_prompt() -> None:
    text, prompt = "The cat", "<|user|>The cat<|end|>"
    told = axis_of(prompt, [(0, 8), (8, 11), (11, 15), (15, 22)])
    (one,), (other,) = common_entries([told], [axis("byte_bpe", text)], Sample(text))
    assert one == (None, *other, None)


def test_ids_without_words_are_known_by_their_place() -> None:
    """Not as if the third one were a token of the model's own."""
    ids = Axis(("9", "5", "9"), (0, 1, 2), (None,) * 3, (-1,) * 3, (False,) * 3, ids=(9, 5, 9))
    (one,), (other,) = common_entries([ids], [replace(ids, labels=("a", "b", "a"))], Sample(""))
    assert one == other == tuple(("place", "token", place) for place in range(3))


def test_words_of_which_only_the_axes_have_the_text_are_words() -> None:
    read = axis_of("the cat", [(0, 3), (4, 7)])
    (one,), _ = common_entries([read], [read], Sample(""))
    assert one == (("word", 0, 0), ("word", 0, 1))


def patches(rows: int, columns: int, first: int = 1) -> Axis:
    count = first + rows * columns
    names = [f"[X{number}]" for number in range(first)]
    return Axis(
        tuple(names + [str(number) for number in range(count - first)]), tuple(range(count)), (None,) * count,
        (-1,) * count, tuple(number < first for number in range(count)), unit="patch",
        grid=Grid(first, rows, columns),
    )  # fmt: skip


def test_patches_are_shared_by_place_where_the_grid_is_the_same() -> None:
    (one,), (other,) = common_entries([patches(2, 3)], [patches(2, 3, first=2)], Sample(""))
    assert one[1:] == other[2:]
    assert [one[0], *other[:2]] == [("own", "[X0]", 0), ("own", "[X0]", 0), None]
    (one,), _ = common_entries([patches(2, 3)], [patches(3, 2)], Sample(""))
    assert one == (("own", "[X0]", 0), *[None] * 6)


def carried(words: Floats, kind: str, sample: Sample) -> Capture:
    """Maps of words, as a model of that tokenizer has them: a word's weight is spread over its tokens."""
    tokens = token_axis(tokens_of(READERS[kind], sample, truncate=False))
    sizes = np.bincount(np.array(tokens.words)[np.array(tokens.words) >= 0])
    there = np.array([word >= 0 for word in tokens.words])
    spread = np.zeros((len(words), len(tokens), len(tokens)), np.float32)
    places = np.array(tokens.words)[there]
    spread[:, there[:, None] & there] = (words[:, places[:, None], places] / sizes[places]).reshape(
        len(words), -1
    )
    every = np.ones((1, 1, 1), bool)
    maps = LayerMaps("", 0, tuple(range(len(words))), spread, every, every, tokens, tokens)
    return Capture(ModelFacts(kind, kind, (LayerFacts("", 0, len(words)),), kind), sample, Layers([maps]))


def test_the_same_maps_through_two_tokenizers_are_the_same() -> None:
    samples = [Sample(text, name=f"text-{number}") for number, text in enumerate(SENTENCES)]
    words = [
        np.random.default_rng(number).dirichlet(np.full(size, 0.3), (5, size)).astype(np.float32)
        for number, size in enumerate(len(word_spans(sample.text)) for sample in samples)
    ]
    one, other = (
        [carried(maps, kind, sample) for maps, sample in zip(words, samples, strict=True)]
        for kind in ("byte_bpe", "wordpiece")
    )
    for measure in ("js", "cka"):
        found = compare(one, other, measure=measure)
        np.testing.assert_allclose(np.diag(found.similarity), 1, atol=1e-3)
        assert [match.first for match in found.matches] == [match.second for match in found.matches]
        assert {match.verdict for match in found.matches} == {"match"}


def test_a_mask_may_be_of_queries_and_keys_alone() -> None:
    maps = carried(np.full((3, 2, 2), 0.5, np.float32), "unigram", Sample("a b"))
    layer = maps.maps[0]
    seen = np.tri(len(layer.keys), dtype=bool)
    flat, stacked = (
        replace(maps, maps=Layers([replace(layer, visible=mask)])) for mask in (seen, seen[None])
    )
    for one, other in zip(ground(flat, flat).first, ground(stacked, stacked).first, strict=True):
        np.testing.assert_array_equal(one.seen, other.seen)
        assert len(one.heads) == len(other.heads) == 3


def test_models_of_other_things_have_nothing_in_common() -> None:
    words = carried(np.full((1, 2, 2), 0.5, np.float32), "byte_bpe", Sample("The cat", name="first"))
    grid = patches(2, 2, first=0)
    every = np.ones((1, 1, 1), bool)
    seen = LayerMaps("", 0, (0,), np.full((1, 4, 4), 0.25, np.float32), every, every, grid, grid)
    image = replace(words, maps=Layers([seen]), model=replace(words.model, name="vit"))
    with pytest.raises(
        InputError, match="first by byte_bpe and by vit: they see words and patches; give two"
    ):
        ground(words, image)
    other = replace(words, sample=replace(words.sample, text="A dog"))
    with pytest.raises(InputError, match="no words in common"):
        ground(other, carried(np.full((1, 2, 2), 0.5, np.float32), "byte_bpe", Sample("No end")))

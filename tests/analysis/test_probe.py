"""Heads against relations: maps made by hand, of which it is known what they find."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.links import Asked
from attnviz.analysis.probe import Finding, Probe, probe
from attnviz.analysis.relations import Corpus, Related, Relation, Tagged
from attnviz.analysis.shares import Share
from attnviz.captures import Axis, Capture, Head, LayerMaps, Layers
from attnviz.errors import InputError, SelectionError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample, Span, word_spans

Pair = tuple[int, int]
Look = Callable[[int, int], int]
"""Which word (its number) a head looks at, from a query word of a text of so many words."""


def text(words: int, pairs: Sequence[Pair], number: int = 0, *, categories: str = "") -> Related:
    """So many words of two letters, with relations between those of the numbers given."""
    spans = [Span(0, 3 * place, 3 * place + 2) for place in range(words)]
    tagged = [Tagged(span, category) for span, category in zip(spans, categories, strict=False)]
    relations = tuple(Relation("r", spans[source], spans[target]) for source, target in pairs)
    return Related(
        " ".join(f"{chr(97 + place)}{number % 10}" for place in range(words)), relations, tuple(tagged)
    )


def axis(of: Related) -> Axis:
    """[CLS] and the words."""
    spans = [None, *(Span(0, *span) for span in word_spans(of.text))]
    labels = tuple("[CLS]" if span is None else of.text[span.start : span.stop].strip() for span in spans)
    count = len(spans)
    return Axis(labels, tuple(range(count)), tuple(spans), tuple(range(-1, count - 1)),
                (True, *(False,) * (count - 1)), texts=(of.text,), unit="word")  # fmt: skip


def seen(of: Related, *looks: Look, causal: bool = False) -> Capture:
    """A layer whose heads look at [CLS] most, and next at the word that each look says."""
    words = axis(of)
    count = len(words)
    weights = np.full((len(looks), count, count), 0.1 / count, np.float32)
    weights[:, :, 0] = 0.6
    for head, look in zip(weights, looks, strict=True):
        for query in range(1, count):
            head[query, 1 + look(query - 1, count - 1)] += 0.3
    visible = np.tril(np.ones((1, count, count), bool)) if causal else np.ones((1, 1, 1), bool)
    maps = LayerMaps("", 0, tuple(range(len(looks))), np.where(visible, weights, 0), visible,
                     np.ones((1, 1, 1), bool), words, words)  # fmt: skip
    facts = ModelFacts("fake", "fake", (LayerFacts("", 0, len(looks)),), "f4ce")
    return Capture(facts, Sample(of.text), words=Layers([maps]))


def found(texts: Sequence[Related], *looks: Look, causal: bool = False, seed: int = 0) -> Probe:
    return probe(
        Corpus("made", tuple(texts)), (seen(each, *looks, causal=causal) for each in texts), seed=seed
    )


def forward(of: Probe) -> Finding:
    return next(finding for finding in of.findings if finding.direction == "to target")


def next_word(query: int, count: int) -> int:
    return (query + 1) % count


def itself(query: int, count: int) -> int:  # noqa: ARG001 - a look
    return query


def first_word(query: int, count: int) -> int:  # noqa: ARG001 - a look
    return 0


NEXT = [text(7, [(1, 2), (4, 5)], number) for number in range(24)]


def test_a_head_that_always_looks_at_the_other_end_finds_all_of_it() -> None:
    finding = forward(found(NEXT, itself, next_word))
    assert finding.head == Head("", 0, 1)
    assert (finding.found, finding.pairs, finding.texts, finding.chosen_on) == (Share(24, 24), 24, 12, 24)
    assert (finding.distance, finding.offset, finding.unseen) == (1, Share(24, 24), 0)
    assert not finding.beats  # the word after it is what the best distance finds


def test_special_tokens_and_the_word_itself_are_left_out_whatever_their_weight() -> None:
    finding = forward(found(NEXT, next_word))
    assert finding.found.value == 1  # although [CLS] has twice the weight
    assert forward(found(NEXT, itself)).found.value == 0


def test_where_all_other_words_have_the_same_weight_nothing_is_found() -> None:
    looks = [text(4, [(1, 0)], number) for number in range(24)]
    assert forward(found(looks, itself)).found.value == 0


def test_a_head_that_beats_both_guesses_is_told() -> None:
    def other_end(query: int, count: int) -> int:
        return count - 1 - query

    texts = [text(6 + number % 3, [(0, 5 + number % 3), (1, 4 + number % 3)], number) for number in range(24)]
    finding = forward(found(texts, next_word, other_end))
    assert (finding.head.head, finding.found.value) == (1, 1.0)
    assert finding.offset.value < 0.5
    assert finding.low == Share(24, 24).low  # a bootstrap would be of no width
    assert finding.beats


def test_a_head_that_finds_what_a_guess_does_and_more_beats_it_though_their_intervals_meet() -> None:
    """In each text it finds the two of four pairs that the best distance does, in some of them a third."""
    texts = [text(12, [(0, 1), (2, 3), (4 + number % 2, 7), (8, 11)], number) for number in range(24)]

    def three_of_four(query: int, count: int) -> int:
        return {0: 1, 2: 3, 4: 7}.get(query, (query + 5) % count)

    finding = forward(found(texts, three_of_four))
    assert 0.5 == finding.offset.value < finding.found.value
    assert finding.low < 0.5
    assert finding.beats
    assert 0 < finding.above < finding.found.value - 0.5
    few = forward(found(texts[:8], three_of_four))
    assert np.isnan(few.above)
    assert not few.beats


def test_a_head_that_beats_the_guess_in_some_texts_and_loses_in_others_does_not_beat_it() -> None:
    def lucky(query: int, count: int) -> int:
        return (query + 1) % count if query else 3

    texts = [
        text(8, [(1, 2), (4, 5), (6, 7)] if number % 2 else [(0, 3)] * 3, number) for number in range(24)
    ]
    finding = forward(found(texts, lucky))
    assert finding.found.value == 1
    assert finding.beats
    beaten = forward(found(texts, lambda query, count: (query + 1) % count))
    assert beaten.above <= 0
    assert not beaten.beats


def test_the_head_is_chosen_on_the_first_half_and_reported_on_the_other() -> None:
    """Of two heads each is right in one half: the one that is chosen finds nothing in the other."""
    half = np.random.default_rng(0).permutation(24)[:12]
    texts = [text(7, [(1, 2), (4, 5)], number) for number in range(24)]

    def captures() -> Iterator[Capture]:
        for number, each in enumerate(texts):
            yield seen(each, *((itself, next_word) if number in half else (next_word, itself)))

    finding = forward(probe(Corpus("made", tuple(texts)), captures()))
    assert (finding.head.head, finding.found) == (1, Share(0, 24))


def test_so_is_the_best_distance() -> None:
    half = np.random.default_rng(0).permutation(24)[:12]
    pairs = [[(3, 5), (4, 6)] if number in half else [(3, 2), (4, 3)] for number in range(24)]
    finding = forward(found([text(8, each, number) for number, each in enumerate(pairs)], next_word))
    assert (finding.distance, finding.offset) == (2, Share(0, 24))


def test_both_directions_are_asked() -> None:
    back = found(NEXT, next_word, lambda query, count: (query - 1) % count).findings
    assert {(each.direction, each.head.head, each.distance) for each in back} == {
        ("to target", 0, 1), ("to source", 1, -1)
    }  # fmt: skip


def test_what_a_head_may_not_see_is_not_asked_and_is_counted() -> None:
    texts = [text(7, [(3, 2), (4, 6), (2, 1)], number) for number in range(24)]
    ahead = found(texts, lambda query, _: max(query - 1, 0), causal=True)
    finding = forward(ahead)
    assert (finding.found, finding.unseen) == (Share(24, 24), 12)
    never = found(NEXT, first_word, causal=True)
    assert never.blind == (Asked("r", "to target"),)
    assert [each.direction for each in never.findings] == ["to source"]


def test_a_pair_with_nothing_else_to_look_at_is_not_asked() -> None:
    texts = [text(3, [(1, 0), (2, 1)], number) for number in range(24)]
    finding = forward(found(texts, lambda query, _: max(query - 1, 0), causal=True))
    assert (finding.pairs, finding.unseen) == (12, 12)  # the second word sees the first alone


def test_any_word_of_an_end_counts_and_the_row_of_several_is_their_mean() -> None:
    texts = [text(8, [], number) for number in range(24)]
    wide = [replace(each, relations=(Relation("r", Span(0, 0, 5), Span(0, 12, 20)),)) for each in texts]
    assert forward(found(wide, lambda query, _: 5 if query == 0 else 3)).found.value == 0  # 4 or 6 are right
    assert (
        forward(found(wide, lambda query, _: 5 if query == 0 else 1)).found.value == 1
    )  # its own is left out


def test_ends_in_one_word_or_cut_off_are_counted_as_lost() -> None:
    inside = Relation("r", Span(0, 0, 1), Span(0, 1, 2))
    texts = [replace(each, relations=(*each.relations, inside)) for each in NEXT]
    told = found(texts, next_word)
    assert (told.lost, told.pairs) == (48, 144)
    short = [text(9, [(1, 2), (7, 8)], number) for number in range(24)]
    cut = [replace(seen(each, next_word), words=seen(text(5, [], number), next_word).words)
           for number, each in enumerate(short)]  # fmt: skip
    relabelled = [_over(capture, each.text) for capture, each in zip(cut, short, strict=True)]
    assert probe(Corpus("made", tuple(short)), relabelled).lost == 48


def _over(capture: Capture, whole: str) -> Capture:
    """The capture with axes that point into a text of which they hold the beginning."""
    [maps] = capture.words
    words = replace(maps.keys, texts=(whole,))
    return replace(capture, words=Layers([replace(maps, queries=words, keys=words)]))


def test_the_nearest_candidate_is_the_nearest_of_the_others_category() -> None:
    far = [text(8, [(1, 6)], number, categories="NDxxxxNV") for number in range(24)]
    assert forward(found(far, next_word)).nearest == Share(0, 12)  # the first word is an N, too
    assert forward(found([text(8, [(1, 6)], n, categories="DDxxxxNV") for n in range(24)], next_word)
                   ).nearest == Share(12, 12)  # fmt: skip


def test_of_two_equally_near_ones_one_is_taken_by_lot() -> None:
    texts = [text(7, [(3, 1)], number, categories="DNDVDND") for number in range(400)]
    assert forward(found(texts, next_word)).nearest.hits == pytest.approx(100, abs=30)


def test_without_categories_the_candidates_are_words_that_were_the_answer_in_the_first_half() -> None:
    texts = [text(8, [(1, 6)], 0) for _ in range(24)]
    assert forward(found(texts, next_word)).nearest == Share(12, 12)
    wrong = [replace(each, text=each.text.replace("a0", "g0")) for each in texts]  # stands beside it
    assert forward(found(wrong, next_word)).nearest == Share(0, 12)


def test_words_of_the_other_half_are_no_candidates() -> None:
    own = [replace(each, text=each.text.replace("g0", f"{number:02}")) for number, each in enumerate(
        [text(8, [(1, 6)], 0)] * 24)]  # fmt: skip
    assert forward(found(own, next_word)).nearest == Share(0, 12)


def test_a_guess_falls_on_what_the_head_may_see() -> None:
    texts = [text(8, [(5, 2)], number, categories="DDNDDVND") for number in range(24)]
    looks_back: Look = lambda query, _: max(query - 1, 0)  # noqa: E731
    assert forward(found(texts, looks_back, causal=True)).nearest == Share(12, 12)
    assert forward(found(texts, looks_back)).nearest == Share(0, 12)  # the seventh word is nearer


def test_special_tokens_that_stand_in_the_text_are_no_words() -> None:
    def with_special(of: Related) -> Capture:
        [maps] = (capture := seen(of, next_word)).words
        words = replace(maps.keys, special=(True, False, False, True, *(False,) * 4))
        return replace(capture, words=Layers([replace(maps, queries=words, keys=words)]))

    told = probe(Corpus("made", tuple(NEXT)), map(with_special, NEXT))
    assert told.lost == 48  # the third word is the other end of one of two


def test_below_ten_texts_the_interval_is_wilsons() -> None:
    pairs = [(0, 1), (2, 3), (4, 6)]
    finding = forward(found([text(8, pairs, number) for number in range(6)], next_word))
    assert finding.found == Share(6, 9)
    assert (finding.low, finding.high) == (finding.found.low, finding.found.high)


def test_pairs_of_a_text_that_go_together_make_the_interval_wider() -> None:
    right, wrong = (
        [(place, place + 1) for place in range(0, 8, 2)],
        [(place, place + 2) for place in range(0, 8, 2)],
    )
    texts = [text(11, right if number % 2 else wrong, number) for number in range(60)]
    finding = forward(found(texts, next_word))
    assert finding.high - finding.low > 1.5 * (finding.found.high - finding.found.low)


def test_relations_with_fewer_than_five_pairs_in_a_half_are_left_out() -> None:
    told = found([text(5, [(1, 2)], number) for number in range(8)], next_word)
    assert not told.findings
    assert told.few == (Asked("r", "to target"), Asked("r", "to source"))
    assert told.shares.shape == (0, 1)


def test_the_same_seed_gives_the_same_and_another_other_halves() -> None:
    texts = [text(9, [(1, 2 + number % 4), (5, 6)], number) for number in range(40)]
    first, again, other = (found(texts, next_word, first_word, seed=seed) for seed in (0, 0, 1))
    assert first.findings == again.findings
    assert first.findings != other.findings


def test_findings_become_a_data_frame_and_every_heads_share_is_kept() -> None:
    told = found(NEXT, itself, next_word)
    frame = told.to_pandas()
    assert list(frame["head"]) == [each.head.name for each in told.findings]
    assert frame["share"].max() == 1.0
    place = told.findings.index(forward(told))
    assert told.shares[place].tolist() == [0, 1]
    assert told.to_polars().shape == frame.shape


def test_one_text_has_no_halves() -> None:
    with pytest.raises(InputError, match="one half of the texts chooses a head and the other reports on it"):
        found(NEXT[:1], next_word)


def test_maps_that_are_no_words_are_refused() -> None:
    bare = (replace(seen(each, next_word), words=Layers()) for each in NEXT)
    with pytest.raises(SelectionError, match="no maps over the words of text are in its capture"):
        probe(Corpus("made", tuple(NEXT)), bare)
    strange = [replace(each, text=each.text.upper()) for each in NEXT]
    with pytest.raises(SelectionError, match="no relation of these texts has its ends in two words"):
        probe(Corpus("made", tuple(strange)), (seen(each, next_word) for each in NEXT))

"""Heads of two models over several texts: what must be found is known beforehand."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.analysis import compare as module
from attnviz.analysis.compare import compare
from attnviz.analysis.comparison import Comparison, Matching, Measure
from attnviz.analysis.expect import number
from attnviz.captures import Capture, Captures, LayerMaps, Layers, numbered
from attnviz.errors import InputError
from attnviz.models.given import encoded, source_of
from attnviz.observe.run import observe
from attnviz.observe.words import WordMaps
from attnviz.stored.textless import without_text
from tests.analysis.readers import SENTENCES, captured, reader, tokenizer

MEASURES: tuple[Measure, ...] = ("js", "cka")
HEADS = 12
SIZE = 16  # of a head


@cache
def seen(seed: int = 1, family: str = "bert", kind: str = "wordpiece") -> list[Capture]:
    return captured(reader(seed, family), kind)


def with_maps(capture: Capture, change: "Sequence[LayerMaps]") -> Capture:
    return replace(capture, words=Layers(change))


def names(found: Comparison) -> list[tuple[str, str]]:
    return [(match.first.name, match.second.name) for match in found.matches]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_model_is_itself(measure: Measure) -> None:
    found = compare(seen(), seen(), measure=measure)
    assert names(found) == [(head.name, head.name) for head in found.first]
    assert len(found.matches) == HEADS
    for match in found.matches:
        assert match.similarity.value == pytest.approx(1, abs=1e-9)
        assert match.similarity.low == pytest.approx(1, abs=1e-9)
        assert match.similarity.samples == len(SENTENCES)
        assert match.floor < 1
        assert match.null < 1
    assert {match.verdict for match in found.matches} == {"match"}
    assert [change.change.value for change in found.changes] == pytest.approx([0] * HEADS, abs=1e-9)
    assert found.hidden == pytest.approx((0, 0), abs=1e-6)


def test_heads_that_look_by_place_alone_are_no_match() -> None:
    """Two models whose every head looks at the word before, each in its own way."""

    def before(capture: Capture, share: float) -> Capture:
        return with_maps(capture, [_previous(maps, share) for maps in capture.words])

    found = compare([before(each, 0.9) for each in seen()], [before(each, 0.8) for each in seen()])
    assert {match.verdict for match in found.matches} == {"position"}


def _previous(maps: LayerMaps, share: float) -> LayerMaps:
    size = len(maps.keys)
    weights = np.full((size, size), (1 - share) / (size - 1), np.float32)
    weights[np.arange(size), np.maximum(np.arange(size) - 1, 0)] = share
    return replace(maps, weights=np.broadcast_to(weights, maps.weights.shape).copy())


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("matching", ["one-to-one", "nearest"])
def test_heads_in_another_order_are_found_again(measure: Measure, matching: Matching) -> None:
    """The slices of the projections of every layer's heads change places."""
    orders = [[2, 0, 3, 1], [1, 2, 3, 0], [3, 2, 1, 0]]
    other = reader(1)
    with torch.no_grad():
        for layer, order in zip(other.encoder.layer, orders, strict=True):
            places = torch.cat([torch.arange(SIZE) + SIZE * head for head in order])
            attention = layer.attention.self
            for projection in (attention.query, attention.key, attention.value):
                projection.weight.copy_(projection.weight[places].clone())
                projection.bias.copy_(projection.bias[places].clone())
            output = layer.attention.output.dense
            output.weight.copy_(output.weight[:, places].clone())
    found = compare(seen(), captured(other), measure=measure, matching=matching)
    wanted = [
        (f"{layer}.{head}", f"{layer}.{order.index(head)}")
        for layer, order in enumerate(orders)
        for head in range(4)
    ]
    assert names(found) == wanted
    assert min(match.similarity.value for match in found.matches) > 0.999


@pytest.mark.parametrize(("layer", "head"), [(2, 1), (0, 3)])
def test_one_disturbed_head_is_named_and_no_other(layer: int, head: int) -> None:
    other = reader(1)
    with torch.no_grad():
        weight = other.encoder.layer[layer].attention.self.query.weight
        part = weight[SIZE * head : SIZE * (head + 1)]
        part.add_(torch.randn(part.shape, generator=torch.Generator().manual_seed(0)) * part.std())
    changes = compare(seen(), captured(other)).changes
    upto = {change.head.name: change.change for change in changes if change.head.layer <= layer}
    assert upto[f"{layer}.{head}"].low > 0.1
    others = [change.value for name, change in upto.items() if name != f"{layer}.{head}"]
    assert len(others) == 4 * layer + 3
    assert max(others) < 1e-5


@pytest.mark.parametrize("kind", ["byte_bpe", "unigram"])
def test_another_tokenizer_puts_the_same_heads_on_the_same_words(kind: str) -> None:
    found = compare(seen(), seen(1, "bert", kind))
    assert found.similarity.shape == (HEADS, HEADS)
    assert not np.isnan(found.similarity).any()
    assert found.hidden[0] > 0.05  # [CLS] and [SEP], which the other does not have
    assert found.hidden[1] < 0.02  # what a tokenizer puts before a text itself


def test_a_causal_model_is_compared_on_what_is_before_or_as_it_is() -> None:
    found = compare(seen(), seen(1, "gpt2", "byte_bpe"))
    assert "restricted to the keys that both may see: GPT2Model sees only what is before" in found.notes
    assert found.hidden[0] > found.hidden[1]
    as_is = compare(seen(), seen(1, "gpt2", "byte_bpe"), as_is=True)
    assert any(note.startswith("compared as they are: ") for note in as_is.notes)
    assert np.nanmax(np.abs(as_is.similarity.values - found.similarity.values)) > 0.05


def test_heads_of_other_architectures_have_no_change_though_they_are_as_many() -> None:
    assert not compare(seen(), seen(1, "gpt2", "byte_bpe")).changes
    assert len(compare(seen(), seen(2)).changes) == HEADS


def test_heads_that_see_one_key_alone_do_not_count_and_are_named_by_their_number() -> None:
    """As those of a decoder that was given a single token."""
    captures = [with_maps(each, [_first_alone(maps) for maps in each.words]) for each in seen()]
    found = compare(captures, captures)
    assert (len(found.first), found.comparable, found.matched) == (HEADS, HEADS - 4, HEADS - 4)
    assert number(found, "matched").value == 1
    assert "4 heads of A cannot be compared: with none of B's they see two keys in common" in found.notes


def _first_alone(maps: LayerMaps) -> LayerMaps:
    """The first layer sees the first key alone."""
    if maps.layer:
        return maps
    first = np.arange(len(maps.keys)) == 0
    weights = np.broadcast_to(first, maps.weights.shape).astype(np.float32)
    return replace(maps, weights=weights, visible=np.broadcast_to(first, (1, *weights.shape[1:])))


def test_layers_that_see_a_window_are_compared_on_it() -> None:
    """Mistral's see five tokens, and so may not see what came first."""
    windowed, whole = seen(1, "mistral", "byte_bpe"), seen(1, "gpt2", "byte_bpe")
    found = compare(windowed, whole)
    assert found.hidden[1] > 0.2
    assert found.hidden[0] < 1e-6
    assert any("sees only a part" in note for note in found.notes)
    mixed = compare(seen(1, "qwen2", "byte_bpe"), whole)
    alone = with_only(seen(1, "qwen2", "byte_bpe"), 1)
    np.testing.assert_allclose(compare(alone, whole).similarity, mixed.similarity[4:8], atol=1e-9)


def with_only(captures: Sequence[Capture], layer: int) -> list[Capture]:
    return [with_maps(each, [maps for maps in each.words if maps.layer == layer]) for each in captures]


def test_a_seed_repeats_every_byte_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(seed: int, threads: int) -> str:
        monkeypatch.setattr(module, "MOST_THREADS", threads)
        found = compare(seen(), seen(2), seed=seed)
        return repr((found.matches, found.changes, found.hidden, found.notes)) + str(
            found.similarity.values.tobytes()
        )

    assert told(0, 1) == told(0, 8)
    assert told(0, 8) != told(1, 8)


def test_below_ten_samples_there_are_no_intervals_and_below_five_no_tests() -> None:
    nine, four = (compare(seen()[:count], seen(2)[:count]) for count in (9, 4))
    assert np.isnan([match.similarity.low for match in nine.matches]).all()
    assert "9 samples: no intervals, which need 10" in nine.notes
    assert not np.isnan([match.q for match in nine.matches]).any()
    assert {match.verdict for match in four.matches} == {"untested"}
    assert four.testing == "matches are not tested: 12 pairs of different texts, and a null needs 20"


def test_each_capture_is_asked_for_once() -> None:
    asked: list[int] = []

    def ask(place: int) -> Capture:
        asked.append(place)
        return seen()[place]

    lazy = Captures(len(SENTENCES), ask)
    compare(lazy, seen(2))
    assert asked == list(range(len(SENTENCES)))


def test_a_sample_in_which_nothing_is_eligible_is_left_out() -> None:
    one, other = (captured(reader(seed), texts=("Cat", *SENTENCES[:10])) for seed in (1, 2))
    hidden = [with_maps(each, [_unspecial(maps) for maps in each.words]) for each in one]
    found = compare(hidden, other)
    assert {match.similarity.samples for match in found.matches} == {10}
    assert not np.isnan(found.similarity).any()


def _unspecial(maps: LayerMaps) -> LayerMaps:
    """Without what is seen of special tokens."""
    words = np.array(maps.keys.special) == np.zeros(len(maps.keys), bool)
    return replace(maps, visible=np.broadcast_to(maps.visible, (1, len(words), len(words))) & words)


def test_maps_of_tokens_do_as_well_as_those_of_words() -> None:
    found = compare([_by_tokens(each) for each in seen()], seen())
    np.testing.assert_allclose(np.diag(found.similarity), 1, atol=1e-6)


def _by_tokens(capture: Capture) -> Capture:
    return replace(capture, words=Layers(), maps=capture.words)


def test_a_text_that_was_not_kept_is_compared_by_the_numbers_of_its_words() -> None:
    textless = [without_text(each) for each in seen()]
    found = compare(textless, seen())
    np.testing.assert_allclose(np.diag(found.similarity), 1, atol=1e-9)
    assert {match.verdict for match in found.matches} == {"match"}


def of_ids(seed: int, draw: int, *, named: bool = False) -> list[Capture]:
    """Samples that are given as token ids, of a model whose tokenizer is known or not."""
    source = source_of(reader(seed), tokenizer("wordpiece") if named else None)
    drawn = torch.randint(5, 100, (5, 9), generator=torch.Generator().manual_seed(draw))
    batch = [encoded(source, {"input_ids": ids[None]}) for ids in drawn]
    return [observe(source, each, [WordMaps()]) for each in batch]


@pytest.mark.parametrize("named", [False, True])
def test_samples_of_ids_are_told_apart_by_their_ids(*, named: bool) -> None:
    found = compare(of_ids(1, 0, named=named), of_ids(1, 0, named=named))
    assert names(found) == [(head.name, head.name) for head in found.first]
    assert {match.verdict for match in found.matches} == {"match"}
    assert not any("place in the sequence" in note for note in found.notes)
    with pytest.raises(InputError, match="BertModel has read input where BertModel has read input, another"):
        compare(of_ids(1, 0, named=named), of_ids(2, 1, named=named))


def test_samples_of_which_nothing_is_known_are_told_apart_by_their_place_and_that_is_said() -> None:
    """As images are: of these not even ids are there."""
    seen = [_nameless(each) for each in of_ids(1, 0)]
    found = compare(seen, seen)
    assert {match.verdict for match in found.matches} == {"match"}
    note = "what was read is not known of 5 samples: taken to be the same by their place in the sequence"
    assert note in found.notes


def _nameless(capture: Capture) -> Capture:
    axis = numbered(len(capture.words[0].keys))
    words = [replace(maps, queries=axis, keys=axis) for maps in capture.words]
    return replace(capture, axes={"": (axis, axis)}, words=Layers(words))


@settings(max_examples=10, deadline=None)
@given(samples=st.integers(2, 6), seed=st.integers(0, 5))
def test_numbers_lie_between_nothing_and_all(samples: int, seed: int) -> None:
    found = compare(seen()[:samples], seen(2)[:samples], seed=seed)
    assert ((found.similarity.values >= 0) & (found.similarity.values <= 1)).all()
    assert all(0 <= share <= 1 for share in found.hidden)
    assert len({match.second for match in found.matches}) == len(found.matches)


def test_what_cannot_be_compared_is_an_error() -> None:
    one, other = seen(), seen(2)
    with pytest.raises(InputError, match=r"one sample tells no .* attnviz diff -m A -m B TEXT"):
        compare(one[:1], other[:1])
    with pytest.raises(InputError, match="3 captures of one model and 2 of the other"):
        compare(one[:3], other[:2])
    with pytest.raises(
        InputError, match="BertModel has read text-2 where BertModel has read text-3, another text"
    ):
        compare(one[:2], [other[0], other[2]])
    with pytest.raises(InputError, match="captures of BertModel and of GPT2Model in one sequence"):
        compare([one[0], seen(1, "gpt2", "byte_bpe")[1]], other[:2])
    with pytest.raises(
        InputError, match="no maps of text-1 by BertModel were kept: capture it again with --keep"
    ):
        compare([with_maps(each, []) for each in one], other)

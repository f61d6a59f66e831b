"""The rows of a decoder, each under what it writes; their words, and what these are linked to."""

from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.alignment import Link
from attnviz.analysis.translated import aligned, usual, written
from attnviz.errors import InputError, SelectionError
from attnviz.facts import LayerFacts
from attnviz.recipes import Choice
from tests.analysis.translations import READ, ROWS, WRITTEN, translation, without_words

HEAD = Choice(heads="cross.1.1")


def test_a_row_is_under_the_token_that_is_written_from_it() -> None:
    maps = written(translation().maps["cross.1"])
    assert maps.queries.labels == ("Le", "ch", "+at", "noir")
    assert maps.queries.positions == (2, 3, 4, 5)
    expected = [ROWS[read] for read in ("<fr>", "Le", "ch", "at")]
    np.testing.assert_array_equal(maps.weights[1], np.array(expected, np.float32))


def test_words_are_the_sum_of_what_is_looked_at_and_the_mean_of_what_is_written() -> None:
    found = aligned(translation(), HEAD)
    assert found.source_words == ("The", "black", "cat")
    assert found.target_words == ("Le", "chat", "noir")
    by_hand = [[0.5, 0.05, 0.25], [0.1, 0.2, 0.5], [0.1, 0.6, 0.2]]
    np.testing.assert_allclose(found.weights, by_hand, atol=1e-6)
    assert found.links == (Link(0, 0), Link(1, 2), Link(2, 1))
    assert found.pharaoh == "0-0 1-2 2-1"
    assert found.translation == "Le chat noir"


def test_special_tokens_of_the_source_are_columns_that_nothing_is_linked_to() -> None:
    heatmap = aligned(translation(), HEAD).alignment.heatmap
    assert heatmap.key_labels == ("The", "black", "cat", "</s>")
    assert heatmap.marked == ((0, 0), (2, 1), (1, 2))
    np.testing.assert_allclose(heatmap.weights.sum(1), 1, atol=1e-6)


def test_special_tokens_can_be_hidden_and_what_they_had_is_told() -> None:
    found = aligned(translation(), replace(HEAD, special="renorm"))
    assert found.alignment.heatmap.key_labels == found.source_words
    np.testing.assert_allclose(found.weights.sum(1), 1, atol=1e-6)
    assert found.hidden["special"] == pytest.approx(0.7 / 4)


def test_a_threshold_links_more_than_the_strongest() -> None:
    assert aligned(translation(), HEAD, 0.25).pharaoh == "0-0 1-2 2-0 2-1"


def test_several_maps_make_an_alignment_each() -> None:
    found = aligned(translation(), Choice(layers="cross.1"))
    assert [each.name for each in found.alignments] == ["cross.1.0", "cross.1.1"]
    assert found.alignments[1].pharaoh == "0-0 1-2 2-1"
    with pytest.raises(SelectionError, match="2 maps make as many alignments"):
        _ = found.links


def test_without_a_choice_it_is_the_best_head_or_the_mean_over_the_last_layer_but_one() -> None:
    layers = translation().model.layers
    assert usual(layers, "cross.2.1") == Choice(heads="cross.2.1")
    assert usual(layers) == Choice(layers="cross.1", mean="heads")
    assert usual([LayerFacts("cross", 0, 4)]) == Choice(layers="cross.0", mean="heads")


def test_where_a_tokenizer_says_nothing_of_places_each_token_is_a_word() -> None:
    found = aligned(without_words(translation()), HEAD)
    assert found.source_words == tuple(READ.labels[:-1])
    assert found.target_words == tuple(WRITTEN.labels[2:])
    assert found.pharaoh == "0-0 2-3 3-1 3-2"


def test_what_was_not_written_cannot_be_aligned() -> None:
    seen = translation()
    start = replace(
        WRITTEN, labels=("<s>",), positions=(0,), spans=(None,), words=(-1,), special=(True,), ids=(0,)
    )
    maps = tuple(replace(each, weights=each.weights[:, :1], queries=start) for each in seen.maps)
    with pytest.raises(InputError, match="interpreter wrote no word of text: give a TARGET"):
        aligned(replace(seen, maps=maps), HEAD)

"""Words made while the model runs, against whole maps reduced afterwards."""

from collections.abc import Sequence

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.words import by_words
from attnviz.captures import Axis
from attnviz.facts import LayerFacts
from attnviz.inputs import Span, words_of
from attnviz.observe.keep import KeepMaps
from attnviz.observe.words import WordMaps
from tests.fakes import MapsSource, random_maps
from tests.observe.looking import assert_same, seen


def pieces_axis(lengths: Sequence[int]) -> Axis:
    """[CLS], words of so many one-letter tokens each, [SEP]."""
    text = " ".join("abcdefghij"[:length] for length in lengths)
    spans = (None, *(Span(0, at, at + 1) for at, letter in enumerate(text) if letter != " "), None)
    return Axis(
        labels=tuple("*" if span is None else text[span.start] for span in spans),
        positions=tuple(range(len(spans))),
        spans=spans,
        words=words_of(spans, [text]),
        special=tuple(span is None for span in spans),
        texts=(text,),
    )


@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    rows=st.integers(1, 9),
    together=st.integers(1, 3),
    mask=st.sampled_from(["none", "causal", "band", "heads"]),
    order=st.integers(0, 3),
)
def test_words_are_what_becomes_of_whole_maps(
    lengths: list[int], rows: int, together: int, *, mask: str, order: int
) -> None:
    axis = pieces_axis(lengths)
    count = len(axis)
    distance = torch.arange(count)[:, None] - torch.arange(count)
    visible = {
        "none": torch.ones(1, 1, 1, dtype=torch.bool),
        "causal": (distance >= 0)[None],
        "band": (distance.abs() < 3)[None],
        "heads": torch.stack([distance >= 0, distance <= 0, distance.abs() < 2]),
    }[mask]
    maps = ((LayerFacts("", 0, 3), random_maps(order, 3, count, count, visible)),)
    source = MapsSource(rows=rows, together=together, maps=maps, seen=visible, order=order, axis=axis)
    for choice in (None, {"0": (0, 2)}):
        capture = seen(source, WordMaps(choice), KeepMaps(choice))
        assert_same(capture.words["0"], by_words(capture.maps["0"]))


def test_a_pair_of_words_is_computed_if_any_of_its_tokens_are() -> None:
    axis = pieces_axis([2, 2])
    done = torch.ones(1, 6, 6, dtype=torch.bool)
    done[0, 3:5, 1:3] = False
    done[0, 1, 3] = False
    maps = ((LayerFacts("", 0, 2), random_maps(0, 2, 6, 6, done)),)
    capture = seen(MapsSource(maps=maps, done=done, axis=axis), WordMaps(), KeepMaps())
    assert_same(capture.words["0"], by_words(capture.maps["0"]))
    assert np.argwhere(~capture.words["0"].computed[0]).tolist() == [[2, 1]]

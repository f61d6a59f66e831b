"""What the tests of observers share."""

from itertools import product

import numpy as np
import pytest

from attnviz.captures import Capture, LayerMaps
from attnviz.inputs import Sample
from attnviz.models.base import Source
from attnviz.observe.base import Observer
from attnviz.observe.run import observe
from tests.fakes import FakeSource

TEXT = "The cat sat on the mat"  # 8 tokens with [CLS] and [SEP]
SOURCES = [
    FakeSource(layers=3, heads=5, causal=causal, rows=rows, together=together)
    for causal, rows, together in product([False, True], [1, 3, 100], [1, 2, 5])
]

tiled = pytest.mark.parametrize("source", SOURCES, ids=repr)


def seen(source: Source, *observers: Observer, text: str = TEXT) -> Capture:
    return observe(source, source.encode(Sample(text)), observers)


def assert_same(made: LayerMaps, expected: LayerMaps) -> None:
    np.testing.assert_allclose(made.weights, expected.weights, atol=1e-6)
    for one, other in ((made.visible, expected.visible), (made.computed, expected.computed)):
        np.testing.assert_array_equal(*np.broadcast_arrays(one, other))
    assert (made.queries, made.keys, made.heads) == (expected.queries, expected.keys, expected.heads)

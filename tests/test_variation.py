"""Variants as they are written on the command line."""

import pytest

from attnviz.errors import UsageError
from attnviz.variation import titles, variants_of


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ["dot", "scaled", "cosine", "linear"]),
        ({"scores": "cosine, dot"}, ["cosine", "dot"]),
        ({"temperatures": "0,1,5"}, ["scaled@0", "scaled", "scaled@5"]),
        ({"scores": "dot,linear", "temperatures": "1,2"}, ["dot", "dot@2", "linear"]),
        ({"masks": "causal,window:2+global:0&causal"}, ["scaled&causal", "scaled&window:2+global:0&causal"]),
    ],
)
def test_what_is_not_given_is_the_models_own(given, names) -> None:
    assert [variant.name for variant in variants_of(**given)] == names


def test_titles_tell_what_varies() -> None:
    assert titles(variants_of()) == ["dot", "scaled", "cosine", "linear"]
    assert titles(variants_of(temperatures="0.5,1")) == ["T = 0.5", "T = 1"]
    assert titles(variants_of("dot,linear", "1,2")) == ["dot, T = 1", "dot, T = 2", "linear"]
    assert titles(variants_of("dot", "2", "causal,block:4")) == ["causal", "block:4"]
    assert titles(variants_of("dot", "2", "causal")) == ["dot"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scores": "scalde"}, "--score 'scalde' is none of dot, scaled, .*; did you mean scaled?"),
        ({"scores": ""}, "names nothing in one place"),
        ({"temperatures": "-1"}, "--temperature '-1' is none"),
        ({"temperatures": "nan"}, "--temperature 'nan' is none"),
        ({"temperatures": "inf"}, "--temperature 'inf' is none"),
        ({"temperatures": "warm"}, "--temperature 'warm' is none"),
        ({"masks": "window:-1"}, "--mask 'window:-1': write window:2"),
        ({"masks": "window"}, "--mask 'window': write window:2"),
        ({"masks": "causal:1"}, "--mask 'causal:1': write causal"),
        ({"masks": "casual"}, "'casual' is none of causal, window, global, block; did you mean causal?"),
        ({"masks": "causal&"}, "'' is none of"),
        ({"masks": "window:99999999999999999999"}, "write window:2, with whole numbers from 0 to 999999999"),
        ({"scores": "linear", "temperatures": "0,1"}, "--temperature: linear has no softmax"),
        ({"masks": "block:0"}, "a block has 1 token or more"),
        ({"scores": "dot,cosine", "temperatures": "0,1,2,3,4", "masks": "causal,block:2,window:1"}, "30 var"),
    ],
)
def test_what_cannot_be_understood_says_what_would(given, message) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        variants_of(**given)

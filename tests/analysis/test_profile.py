"""Where heads look by place alone, learnt from other samples."""

import numpy as np

from attnviz.analysis.common import Block, Entries
from attnviz.analysis.profile import Profile

WORDS: Entries = tuple(("word", 0, place) for place in range(5))


def block(seed: int, words: Entries = WORDS) -> Block:
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(words)), (3, len(words))).astype(np.float32)
    seen = np.tri(len(words), dtype=bool)
    return Block(np.arange(3), weights * seen, weights.sum(-1), seen, words, words)


def test_a_profile_without_a_sample_is_that_of_the_others() -> None:
    own, others = block(0), [block(1), block(2, WORDS[:4])]
    whole, left = Profile(3), Profile(3)
    for each in (own, *others):
        whole.add(each)
    for each in others:
        left.add(each)
    heads = np.array([2, 0])
    found = whole.maps(heads, WORDS, WORDS, without=own)
    np.testing.assert_allclose(found, left.maps(heads, WORDS, WORDS), atol=1e-12)
    assert np.abs(found - whole.maps(heads, WORDS, WORDS)).max() > 0.01


def test_what_only_that_sample_has_is_not_known() -> None:
    profile = Profile(3)
    profile.add(block(0))
    assert not profile.maps(np.arange(3), WORDS, WORDS, without=block(0)).any()

"""Variants of a head worked out from its queries and keys, with the help of small ones made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from attnviz.captures import Axis, Booleans, Capture, Floats, Head, LayerMaps, Layers, numbered
from attnviz.errors import SelectionError
from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample
from attnviz.observe.variants import varied, varied_weights
from attnviz.projections import Projections
from attnviz.variation import Variant, variants_of

QUERIES, KEYS, DIM = 5, 5, 3


def softmax(scores: Floats, visible: Booleans) -> Floats:
    powers = np.where(visible, np.exp(scores), 0)
    return powers / powers.sum(-1, keepdims=True)


def made(*, causal: bool = False, **options: object) -> Projections:
    """A head whose weights are those of its scaled score."""
    random = np.random.default_rng(3)
    query, key, value = (2 * random.normal(size=(5, DIM)).astype(np.float32) for _ in range(3))
    visible = np.tril(np.ones((5, 5), bool)) if causal else np.ones((5, 5), bool)
    axis: Axis = numbered(5)
    weights = softmax(query @ key.T / np.sqrt(DIM), visible)[None].astype(np.float32)
    maps = LayerMaps("", 0, (0,), weights, visible[None], np.ones((1, 1, 1), bool), axis, axis)
    model = ModelFacts("by-hand", "hand", (LayerFacts("", 0, 2),), fingerprint="f4ce")
    seen = Capture(model, Sample("a b c d e"), maps=Layers((maps,)))
    return replace(Projections(Head("", 0, 0), seen, query, key, value, DIM**-0.5), **options)  # type: ignore[arg-type]


def test_each_score_is_its_formula() -> None:
    head = made()
    q, k = head.query, head.key
    feature_q, feature_k = (np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))) for x in (q, k))
    alike = feature_q @ feature_k.T
    lengths = np.linalg.norm(q, axis=-1)[:, None] * np.linalg.norm(k, axis=-1)
    expected = {
        "dot": softmax(q @ k.T, head.visible),
        "scaled": head.weights,
        "cosine": softmax(q @ k.T / lengths, head.visible),
        "linear": alike / alike.sum(-1, keepdims=True),
    }
    for score, weights in expected.items():
        (variant,) = variants_of(score)
        np.testing.assert_allclose(varied_weights(head, variant)[0], weights, atol=1e-6)


def test_masks_go_on_top_of_the_models_own() -> None:
    variants = variants_of(masks="window:1,window:0+global:1,causal&window:1")
    seen = varied(made(causal=True), variants).maps[0]
    drawn = [["".join(".#"[int(one)] for one in row) for row in visible] for visible in seen.visible]
    assert drawn == [
        ["#....", "##...", ".##..", "..##.", "...##"],
        ["#....", "##...", ".##..", ".#.#.", ".#..#"],
        ["#....", "##...", ".##..", "..##.", "...##"],
    ]
    np.testing.assert_allclose(seen.weights.sum(-1), 1, atol=1e-6)
    assert (seen.weights[~seen.visible] == 0).all()


def test_entropy_falls_with_the_temperature_to_that_of_a_lookup() -> None:
    head = made()
    seen = varied(head, variants_of(temperatures="5,1,0.1,0"))
    assert seen.statistics is not None
    entropies = seen.statistics.values["entropy"]
    assert list(entropies) == sorted(entropies, reverse=True)
    assert entropies[-1] == 0
    np.testing.assert_array_equal(seen.maps[0].weights[-1], np.eye(5)[head.weights.argmax(-1)])
    expected = -(head.weights * np.log2(head.weights)).sum(-1).mean()
    assert entropies[1] == pytest.approx(expected, rel=1e-5)


def test_what_the_model_adds_is_added_to_every_score_with_a_softmax() -> None:
    bias = np.diag(np.full(5, 50.0)).astype(np.float32)
    for score in ("dot", "scaled", "cosine"):
        weights, _ = varied_weights(made(bias=bias), Variant(score))
        np.testing.assert_allclose(np.diag(weights), 1, atol=1e-5)
    weights, _ = varied_weights(made(sink=100.0), Variant("dot"))
    assert weights.sum() < 1e-6
    capped, _ = varied_weights(made(cap=0.01), Variant("dot"))
    np.testing.assert_allclose(capped, 0.2, atol=0.01)


def test_a_learnt_score_is_shown_of_the_model_that_learnt_it() -> None:
    learnt = np.arange(25, dtype=np.float32).reshape(5, 5)
    head = made(score="general", learnt=learnt)
    weights, _ = varied_weights(head, Variant("general", temperature=2.0))
    np.testing.assert_allclose(weights, softmax(learnt / 2, head.visible), atol=1e-6)
    with pytest.raises(SelectionError, match=r"additive has parameters .* by-hand has learnt none"):
        varied_weights(head, Variant("additive"))


@pytest.mark.parametrize(
    ("mask", "message"),
    [("global:5", "no token 5, the text has 5, 0 to 4"), ("window:0&global:999", "no token 999")],
)
def test_a_mask_that_does_not_fit_the_text_says_so(mask: str, message: str) -> None:
    with pytest.raises(SelectionError, match=message):
        varied(made(), variants_of(masks=mask))


def test_a_mask_of_another_text_is_refused() -> None:
    with pytest.raises(SelectionError, match=r"head cross\.0\.0 looks at another"):
        varied(made(head=Head("cross", 0, 0)), variants_of(masks="causal"))

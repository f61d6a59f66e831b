"""Pages to draw in tests: weights by arithmetic, so that every text and number below can be worked out."""

import numpy as np

from attnviz.captures import Booleans, Floats
from attnviz.render.views import Atlas, Heatmap, Page

HARMFUL = ("[/INST]", "[red]", ":smile:", r"$\foo$", "</script>", r"\x1b[31m", "שלום", "x" * 300, "=1+2")
WIDE = ("猫", "ねこ", "👨‍👩‍👧", "👍🏽", "❤️", "e\u0301te\u0301", "नमस्ते", "مرحبا")
WORDS = ("The", "cat", "sat", "on", "the", "mat", "because", "it", "was", "very", "tired", "+ly")


def heatmap(
    weights: Floats | list[list[float]],
    queries: tuple[str, ...],
    keys: tuple[str, ...] | None = None,
    *,
    name: str = "0.0",
    visible: Booleans | None = None,
    computed: Booleans | None = None,
) -> Heatmap:
    array = np.array(weights, np.float32)
    everywhere = np.ones(array.shape, np.bool_)
    return Heatmap(
        name=name,
        title="layer {}, head {}".format(*name.rsplit(".", 1)),
        weights=array,
        visible=everywhere if visible is None else visible,
        computed=everywhere if computed is None else computed,
        query_labels=queries,
        key_labels=queries if keys is None else keys,
    )


def spread(queries: tuple[str, ...], keys: tuple[str, ...] | None = None, *, name: str = "0.0") -> Heatmap:
    """A map whose rows differ and sum to 1."""
    shape = len(queries), len(queries if keys is None else keys)
    weights = 1.0 + np.arange(shape[0] * shape[1]).reshape(shape) ** 2 % 11
    return heatmap(weights / weights.sum(1, keepdims=True), queries, keys, name=name)


def causal(labels: tuple[str, ...], *, name: str = "0.0") -> Heatmap:
    """A map whose queries see themselves and what is before, all alike."""
    seen = np.tril(np.ones((len(labels), len(labels)), np.bool_))
    return heatmap(seen / seen.sum(1, keepdims=True), labels, name=name, visible=seen)


def page(*heatmaps: Heatmap, title: str = "a model  “a text”", **others: object) -> Page:
    return Page(title, heatmaps, **others)  # type: ignore[arg-type]


def atlas(layers: int, heads: int, tokens: int) -> Atlas:
    labels = tuple(f"t{token}" for token in range(tokens))
    maps = [
        (row, head, spread(labels, name=f"{row}.{head}")) for row in range(layers) for head in range(heads)
    ]
    return Atlas(tuple(map(str, range(layers))), tuple(maps))


def many(count: int) -> tuple[str, ...]:
    """So many labels, of different lengths."""
    return tuple(WORDS[number % len(WORDS)] for number in range(count))

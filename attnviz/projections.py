"""What one head made its weights of: queries, keys and values. A leaf: no torch."""

from dataclasses import dataclass

import numpy as np

from attnviz.captures import Axis, Booleans, Capture, Floats, Head, LayerMaps


@dataclass(frozen=True)
class Projections:
    """Queries, keys and values of one head over one sample, and the weights that the model made of them.

    seen:   the sample, the model, and the map of this head alone
    query:  ``[queries, head_dim]``, as they meet the keys: turned by their positions where a model does that
    key:    ``[keys, head_dim]``; 0 where no query may see the key
    value:  ``[keys, value_dim]``, likewise
    scale:  what q . k is multiplied by
    cap:    c of a soft cap, c tanh(score / c), if there is one
    bias:   ``[queries, keys]``, what is added to the scores by position, where anything is
    sink:   the score of a place in the softmax that is no key, where there is one
    score:  what the model scores by: "scaled", or with parameters of its own "general", "concat", "additive"
    learnt: ``[queries, keys]``, the scores, where parameters make them
    """

    head: Head
    seen: Capture
    query: Floats
    key: Floats
    value: Floats
    scale: float
    cap: float | None = None
    bias: Floats | None = None
    sink: float | None = None
    score: str = "scaled"
    learnt: Floats | None = None

    @property
    def maps(self) -> LayerMaps:
        """The head's own map."""
        return self.seen.maps[0]

    @property
    def weights(self) -> Floats:
        """``[queries, keys]``: the head's own weights."""
        weights: Floats = self.maps.weights[0]
        return weights

    @property
    def visible(self) -> Booleans:
        """``[queries, keys]``: the query may see the key."""
        whole: Booleans = np.broadcast_to(self.maps.visible, self.maps.weights.shape)[0]
        return whole

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Of the queries and of the keys."""
        return self.maps.queries, self.maps.keys

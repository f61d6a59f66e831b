"""One row of attention worked out by numbers: from a query and its keys to what it reads.

Vaswani et al. 2017, 3.2.1: q . k, scaled, masked, softmax, and the values summed by the weights.
"""

from dataclasses import dataclass

import numpy as np

from attnviz.captures import Booleans, Floats, Numbers
from attnviz.projections import Projections


@dataclass(frozen=True)
class Worked:
    """The numbers of one row, in the order in which they are made; all of keys ``[keys]``.

    row:      number of the query
    query:    ``[head_dim]``
    products: ``[keys, head_dim]``, q and k dimension by dimension; None where a score that was learnt is no
              sum of them
    dots:     their sums, q . k; or the learnt score
    scores:   scaled, capped, and with the bias added: what the softmax is of
    visible:  the query may see the key
    top:      the largest score that is seen
    powers:   e^(score - top), 0 where not seen
    total:    their sum, with that of the sink
    weights:  powers / total
    own:      the weights that the model itself made
    read:     ``[value_dim]``, the values summed by the weights
    """

    row: int
    query: Floats
    products: Numbers | None
    dots: Numbers
    scores: Numbers
    visible: Booleans
    top: float
    powers: Numbers
    total: float
    weights: Numbers
    own: Numbers
    read: Numbers

    @property
    def strongest(self) -> int:
        """The key with the largest weight, of equals the first."""
        return int(self.weights.argmax())


def worked(made: Projections, row: int) -> Worked:
    """A row of a head, in double precision."""
    query, key = made.query[row].astype(np.float64), made.key.astype(np.float64)
    products = None if made.learnt is not None else query * key
    dots = made.learnt[row].astype(np.float64) if made.learnt is not None else (query * key).sum(-1)
    scores, visible = _scores(made, row, dots), made.visible[row]
    seen = [*scores[visible], *([made.sink] if made.sink is not None else [])]
    top = float(max(seen, default=0.0))
    powers = np.where(visible, np.exp(np.minimum(scores - top, 0)), 0.0)
    total = float(powers.sum() + (np.exp(made.sink - top) if made.sink is not None else 0))
    weights = powers / (total or 1.0)
    return Worked(
        row=row,
        query=made.query[row],
        products=products,
        dots=dots,
        scores=scores,
        visible=visible,
        top=top,
        powers=powers,
        total=total,
        weights=weights,
        own=made.weights[row].astype(np.float64),
        read=weights @ made.value.astype(np.float64),
    )


def _scores(made: Projections, row: int, dots: Numbers) -> Numbers:
    scores = dots if made.learnt is not None else dots * made.scale
    if made.cap is not None:
        scores = made.cap * np.tanh(scores / made.cap)
    return scores if made.bias is None else scores + made.bias[row]

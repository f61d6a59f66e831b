"""What the queries of two models may see of the keys that both have, and what is said where that differs."""

from collections.abc import Sequence

import numpy as np

from attnviz.captures import Booleans
from attnviz.inputs import printable

EVERYTHING, BEFORE, PART = "everything", "only what is before", "only a part"
RESTRICTED = "restricted to the keys that both may see"


def sight(seen: Booleans, *, alike: bool) -> str:
    """What is seen, ``[queries, keys]``; alike: queries and keys are the same entries."""
    if seen.all():
        return EVERYTHING
    return BEFORE if alike and np.array_equal(seen, np.tril(np.ones_like(seen))) else PART


def told(names: Sequence[str], sights: Sequence[set[str]], *, all_too: bool = False) -> str:
    """ "gpt2 sees only what is before": of each model what it sees; all_too: also of those that see all."""
    return ", ".join(
        f"{printable(name)} sees {' or '.join(sorted(seen))}"
        for name, seen in zip(names, sights, strict=True)
        if all_too or seen != {EVERYTHING}
    )

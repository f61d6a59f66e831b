"""Models that have learnt nothing have no heads in common."""

from itertools import combinations, islice

import numpy as np

from attnviz.analysis.compare import compare
from tests.analysis.readers import SENTENCES, captured, reader

RUNS = 200


def test_two_random_models_have_at_most_5_percent_matches_over_200_runs() -> None:
    models = [captured(reader(seed), texts=SENTENCES[:10]) for seed in range(21)]
    runs = list(islice(combinations(models, 2), RUNS))
    shares = [
        np.mean([match.verdict == "match" for match in compare(*run, seed=number).matches])
        for number, run in enumerate(runs)
    ]
    assert len(shares) == RUNS
    assert np.mean(shares) <= 0.05, f"{np.mean(shares):.2%} matched; most in a run: {max(shares):.0%}"

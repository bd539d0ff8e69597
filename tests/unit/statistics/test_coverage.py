"""Intervals cover and tests hold their level in simulated studies (the full run is a benchmark)."""

import numpy as np
import pytest

from benchmarks import coverage_of_intervals as simulation

STUDIES = 400
# 95 % of 400, give or take three standard errors.
LEAST, MOST = 0.917, 0.983
NARROW = {("auc", "delong"), ("e50", "drawn_curves"), ("e90", "drawn_curves")}


@pytest.mark.slow
def test_headline_intervals_cover_the_truth():
    random = np.random.default_rng(20)
    true = simulation.truth(0.5)
    hits = {}
    for _ in range(STUDIES):
        y, p, _ = simulation.study(121, 0.5, random)
        for key, make in (simulation.closed(y, p) | simulation.drawn_curves(y, p, random)).items():
            if key[0] in true and key not in NARROW:
                interval = make()
                inside = interval.low <= true[key[0]] <= interval.high
                hits.setdefault(key, []).append(inside)
    assert len(hits) >= 16
    for (metric, method), inside in hits.items():
        share = np.mean(inside)
        assert share >= (LEAST if metric != "ici" else 0.9), (metric, method, share)
        assert share <= MOST, (metric, method, share)


@pytest.mark.slow
def test_tests_reject_a_true_null_at_their_level():
    random = np.random.default_rng(21)
    rejected = {}
    for _ in range(STUDIES):
        for name, test in simulation.null_tests(121, 0.5, random).items():
            rejected.setdefault(name, []).append(test() < 0.05)
    for name, found in rejected.items():
        assert 1 - MOST <= np.mean(found) <= 1 - LEAST, name

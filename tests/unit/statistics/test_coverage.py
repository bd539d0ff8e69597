"""Intervals cover and tests hold their level in simulated studies (the full run is a benchmark)."""

import math

import numpy as np
import pytest
from scipy import special

from benchmarks import coverage_of_intervals as simulation
from thyrocast.statistics import added_value, calibration, calibration_curve, discrimination

STUDIES = 400
# 95 % of 400, give or take three standard errors.
LEAST, MOST = 0.917, 0.983
NARROW = {("auc", "delong")}


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


@pytest.mark.slow
@pytest.mark.parametrize(("n", "prevalence"), [(400, 0.7)])
def test_distances_of_calibration_curves_cover_in_large_studies(n, prevalence):
    random = np.random.default_rng(22)
    true = simulation.truth(prevalence)
    hits = {"ici": [], "e50": [], "e90": []}
    for _ in range(STUDIES // 2):
        y, p, _ = simulation.study(n, prevalence, random)
        found = calibration_curve.error_intervals(y, p, random, 300)
        for name, inside in hits.items():
            inside.append(found[name].low <= true[name] <= found[name].high)
    for name, inside in hits.items():
        assert np.mean(inside) >= 0.905, name


@pytest.mark.slow
@pytest.mark.parametrize("rarer", [5, 11])
def test_auc_intervals_cover_where_one_outcome_is_rare(rarer):
    random = np.random.default_rng(23)
    y = np.arange(10 * rarer) >= rarer
    inside = []
    for _ in range(2 * STUDIES):
        score = random.normal(size=y.size) + math.sqrt(2) * special.ndtri(0.85) * y
        found = discrimination.auc_interval(y, score)
        inside.append(found.low <= 0.85 <= found.high)
    assert 0.935 <= np.mean(inside) <= 0.985


@pytest.mark.slow
def test_calibration_in_the_large_covers_with_readings_of_0_and_1():
    random = np.random.default_rng(24)

    def study(n):
        logit = random.normal(0.3, 1.2, n)
        y, p = random.random(n) < special.expit(logit), special.expit(1.2 * logit)
        return y, np.where(random.random(n) < 0.15, p > 0.5, np.round(p, 1))

    true = calibration.in_the_large(*study(300_000)).estimate
    inside = []
    for _ in range(2 * STUDIES):
        found = calibration.in_the_large(*study(150))
        inside.append(found.low <= true <= found.high)
    assert np.mean(inside) >= 0.935


@pytest.mark.slow
@pytest.mark.parametrize(("k", "size", "spread"), [(4, 40, 0.7), (8, 30, 0.5)])
def test_added_value_is_tested_within_centers(k, size, spread):
    random = np.random.default_rng(25)
    rejected = {"joint": [], "by center": []}
    for _ in range(200):
        center = np.repeat(np.arange(k), size)
        risk = random.normal(size=k * size)
        prevalence = spread * random.normal(size=k)
        y = random.random(k * size) < special.expit(0.6 + prevalence[center] + risk)
        scale = np.exp(0.4 * random.normal(size=k))[center]
        base = special.expit(scale * risk + spread * random.normal(size=k)[center])
        # Without information on the outcome beyond the base model, but different in each center.
        added = special.expit(0.5 * risk + random.normal(size=y.size) - prevalence[center])
        for name, stratum in (("joint", None), ("by center", center)):
            found = added_value.likelihood_ratio(y, base, added, stratum)
            rejected[name].append(found.p_value < 0.05)
    assert np.mean(rejected["joint"]) > 0.1
    assert np.mean(rejected["by center"]) < 0.09

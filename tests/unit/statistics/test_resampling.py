"""Bootstrap draws and intervals."""

import numpy as np
import pytest

from thyrocast.statistics import intervals, resampling, weighted
from thyrocast.statistics.inputs import NotEstimableError


def test_every_resample_keeps_the_size_of_every_stratum():
    stratum = np.array([0, 0, 0, 1, 1, 2])
    counts = np.concatenate([*resampling.draws(stratum, 50, np.random.default_rng(1))])
    assert counts.shape == (50, 6)
    for name in range(3):
        assert (counts[:, stratum == name].sum(axis=1) == np.sum(stratum == name)).all()


def test_strata_number_the_combinations():
    found = resampling.strata(["a", "a", "b", "b"], [0, 1, 0, 0])
    assert len(set(found.tolist())) == 3
    assert found[2] == found[3]


def test_blocks_hold_all_resamples_whatever_their_size(monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK", 70)
    counts = [*resampling.draws(np.zeros(30), 11, np.random.default_rng(2))]
    assert len(counts) > 1
    assert sum(map(len, counts)) == 11


def test_clusters_come_and_go_whole():
    cluster = np.array(["north", "north", "south", "west", "west", "west"])
    counts = np.concatenate([*resampling.cluster_draws(cluster, 40, np.random.default_rng(3))])
    for name in np.unique(cluster):
        inside = counts[:, cluster == name]
        assert (inside == inside[:, :1]).all()
    assert (np.stack([counts[:, 0], counts[:, 2], counts[:, 3]]).sum(axis=0) == 3).all()


def test_leave_one_out_leaves_each_out_once():
    counts = np.concatenate([*resampling.leave_one_out(5)])
    assert (counts == 1 - np.eye(5)).all()


def test_percentile_of_known_replicates():
    found = resampling.percentile(50, np.arange(101.0), 0.9)
    assert found[:3] == pytest.approx((50, 5, 95))


def test_bca_without_bias_or_skew_is_the_percentile_interval():
    replicates = np.linspace(-1, 1, 2001)
    plain = resampling.percentile(0.0, replicates)
    found = resampling.bca(0.0, replicates, np.array([-1.0, 0.0, 1.0]))
    assert found[:3] == pytest.approx(plain[:3], abs=1e-3)


def test_bca_equals_scipy():
    from scipy import stats

    random = np.random.default_rng(4)
    sample = random.exponential(size=40)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=3000, rng=5)
    left = (sample.sum() - sample) / 39
    found = resampling.bca(sample.mean(), theirs.bootstrap_distribution, left)
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=1e-3)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=1e-3)


def test_lost_resamples_are_counted_and_refused():
    values = np.arange(100.0)
    values[:4] = np.nan
    assert np.isfinite(resampling.percentile(50, values).low)
    values[:6] = np.nan
    with pytest.raises(NotEstimableError, match="6 of 100"):
        resampling.percentile(50, values)


def test_an_infinite_limit_is_refused_but_an_infinite_tail_is_not():
    values = np.arange(200.0)
    values[-2:] = np.inf
    assert np.isfinite(resampling.percentile(100, values).high)
    values[-20:] = np.inf
    with pytest.raises(NotEstimableError, match="infinite"):
        resampling.percentile(100, values)


def test_decisions_and_scores_equal_the_resample_itself():
    random = np.random.default_rng(6)
    outcome, p = random.random(40) < 0.5, random.random(40)
    called = p >= 0.5
    weights = np.concatenate([*resampling.draws(np.zeros(40), 20, random)])
    rates = weighted.decisions(outcome, called)(weights)
    scores = weighted.scores(outcome, p)(weights)
    for index, row in enumerate(weights):
        y, c, q = (np.repeat(values, row) for values in (outcome, called, p))
        assert rates["sensitivity"][index] == pytest.approx(c[y].mean())
        assert rates["specificity"][index] == pytest.approx((~c[~y]).mean())
        assert rates["ppv"][index] == pytest.approx(y[c].mean())
        assert rates["npv"][index] == pytest.approx((~y[~c]).mean())
        assert rates["accuracy"][index] == pytest.approx((c == y).mean())
        brier = ((y - q) ** 2).mean()
        assert scores["brier"][index] == pytest.approx(brier)
        assert scores["scaled_brier"][index] == pytest.approx(
            1 - brier / (y.mean() * (1 - y.mean()))
        )
        assert scores["oe_ratio"][index] == pytest.approx(y.sum() / q.sum())
        loss = -np.log(np.where(y, q, 1 - q)).mean()
        assert scores["log_loss"][index] == pytest.approx(loss)


def test_an_empty_denominator_is_no_number():
    rates = weighted.decisions(np.array([True, False]), np.array([False, False]))
    assert np.isnan(rates(np.ones((1, 2)))["ppv"][0])
    with pytest.raises(NotEstimableError):
        intervals.wilson(0, 0)

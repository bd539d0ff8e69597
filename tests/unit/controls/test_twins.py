"""Leaky twins: how much each fault inflates the result where there is nothing to find."""

import numpy as np
import pytest

from tests.unit.controls import example_splits
from thyrocast.config.controls import ControlsConfig
from thyrocast.contract.control_names import LeakyTwin
from thyrocast.controls import selected, twins
from thyrocast.controls.inputs import ControlSplit
from thyrocast.statistics import discrimination, logistic

PERMUTATIONS = 100


def noise_cohort(seed: int = 0) -> ControlSplit:
    """121 patients of noise with 2,048 features, divided 97 to 24 as in the published study."""
    one = example_splits.split(seed, n=97, n_test=24, features=2048)
    return ControlSplit("holdout", "1", one.train, one.test)


@pytest.fixture(scope="module")
def noise_rows():
    config = ControlsConfig.read({"permutations": PERMUTATIONS})
    table = twins.run(noise_cohort(), config, reported=True, seed=1)
    return table[table["outcomes"] == "permuted"].set_index("fault")


def test_selection_before_the_division_finds_what_is_not_there(noise_rows) -> None:
    """Mean over 100 permutations; an AUC of 24 patients varies by .13, their mean by .013."""
    row = noise_rows.loc[LeakyTwin.SELECTION]
    error = (row["ci_high"] - row["ci_low"]) / (2 * 1.96)
    assert error < 0.02
    assert row["honest"] == pytest.approx(0.5, abs=3 * 0.013 + 0.01)
    # benchmarks/controls.py: .909 to .914 in four cohorts; the mean of 100 permutations varies by .006.
    assert row["faulty"] == pytest.approx(0.912, abs=3 * 0.006 + 0.01)


def test_the_other_faults_inflate_as_they_should(noise_rows) -> None:
    low = noise_rows["ci_low"]
    for fault in ("tuning", "threshold", "in_sample", "duplicates"):
        assert low[fault] > 0, fault
    assert noise_rows.loc["in_sample", "faulty"] > 0.95
    # Without outcomes there is nothing to leak.
    for fault in ("scaling", "harmonization"):
        assert abs(noise_rows.loc[fault, "inflation"]) < 0.03, fault


def test_an_honest_signal_is_found_and_a_fault_adds_to_it() -> None:
    one = example_splits.split(n=90, n_test=60, features=200, signal=0.35)
    table = twins.run(one, ControlsConfig.read({"permutations": 20}), reported=True, seed=1)
    rows = table.set_index(["outcomes", "fault"])
    observed = rows.loc[("observed", "selection")]
    assert observed["honest"] > 0.75
    assert observed["ci_low"] <= observed["inflation"] <= observed["ci_high"]
    assert rows.loc[("permuted", "selection"), "honest"] < 0.6


def test_a_small_test_set_is_suppressed() -> None:
    one = example_splits.split()
    table = twins.run(one, ControlsConfig.read({"permutations": 19}), reported=False, seed=1)
    assert (table["status"] == "suppressed").all()
    assert table[["honest", "faulty", "n"]].isna().all(axis=None)


def test_regressions_on_selected_features_are_those_of_the_plain_solver() -> None:
    random = np.random.default_rng(5)
    train, test = random.normal(size=(50, 30)), random.normal(size=(9, 30))
    outcomes = (random.random((4, 50)) < 0.4).astype(float)
    chosen = selected.select(train, outcomes, 5)
    found = selected.scores(train, test, outcomes, chosen)
    for scores, outcome, columns in zip(found, outcomes, chosen, strict=True):
        strength = np.abs([np.corrcoef(column, outcome)[0, 1] for column in train.T])
        assert set(columns) == set(np.argsort(-strength)[:5])
        design = np.hstack([np.ones((50, 1)), train[:, columns]])
        penalty = np.r_[1e-4, np.full(5, selected.PENALTY)]
        weights = logistic.solve(design, outcome, penalty=penalty)
        np.testing.assert_allclose(scores, weights[0] + test[:, columns] @ weights[1:], atol=1e-6)


def test_the_threshold_with_the_greatest_accuracy() -> None:
    random = np.random.default_rng(6)
    outcomes, scores = random.integers(0, 2, (30, 11)).astype(float), random.normal(size=(30, 11))
    for cut, y, s in zip(twins._cut(outcomes, scores), outcomes, scores, strict=True):
        tried = [((s > c) == (y == 1)).mean() for c in [*(s - 1e-9), s.max() + 1]]
        assert ((s > cut) == (y == 1)).mean() == max(tried)


def test_the_observed_inflation_is_delongs_difference() -> None:
    one = example_splits.split(n=80, n_test=50, signal=0.3)
    data = twins.gather(one, ControlsConfig.read({"permutations": 19}), seed=3)
    pair = twins.selection(data)
    table = twins.run(one, ControlsConfig.read({"permutations": 19}), reported=True, seed=3)
    row = table.set_index(["fault", "outcomes"]).loc[("selection", "observed")]
    expected = discrimination.paired_test(pair.outcomes[0], pair.faulty[0], pair.honest[0])
    assert row["inflation"] == pytest.approx(expected.difference, abs=1e-5)

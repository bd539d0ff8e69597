"""P values of shuffled outcomes: uniform without signal, small with it."""

import numpy as np
import pytest
from scipy import stats

from tests.unit.controls import example_splits
from thyrocast.config.controls import ControlsConfig, PermutedModel
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.controls import permuting, shuffled
from thyrocast.statistics import discrimination

LEAST = MinimumCountConfig()
STUDIES = 120


def run(splits, models=("ridge",), least=LEAST, **settings):
    config = ControlsConfig.read({"models": list(models), "permutations": 99} | settings)
    return shuffled.run(splits, config, SignatureConfig(), least, seed=1)


def test_outcomes_are_exchanged_within_centers_only() -> None:
    random = np.random.default_rng(0)
    center = np.array(["a"] * 30 + ["b"] * 20)
    outcome = np.r_[np.ones(28), np.zeros(2), np.ones(5), np.zeros(15)]
    found = permuting.permute(outcome, center, 50, seed=3)
    assert (found[:, :30].sum(axis=1) == 28).all()
    assert len(np.unique(found, axis=0)) > 40
    everywhere = permuting.permute(outcome, None, 50, seed=3)
    assert len(np.unique(everywhere[:, :30].sum(axis=1))) > 3
    scores = random.integers(0, 6, (50, 50)).astype(float)
    expected = [discrimination.auc(outcome, row) for row in scores]
    np.testing.assert_allclose(permuting.areas(outcome, scores), expected)


def test_p_values_are_uniform_without_signal() -> None:
    """Studies without signal, of sizes that no other test has: no more alarms than promised."""
    config = ControlsConfig.read({"models": ["ridge"], "permutations": 19})
    found, both = [], []
    one = example_splits.split(n=30, n_test=24, features=12)
    for seed in range(STUDIES):
        random = np.random.default_rng(seed)
        for side in (one.train, one.test):
            side.embeddings[:] = random.normal(size=side.embeddings.shape)
            side.outcome[:] = random.permutation(side.outcome)
        null = shuffled.null(PermutedModel.RIDGE, one, config, SignatureConfig(), seed)
        assert null is not None
        found.append(permuting.p_value(null.observed, null.permuted))
        both.append(permuting.p_value(null.observed, null.both))
    for values in (found, both):
        # P values are 1/20, 2/20, ..., each as often as the others.
        counts = np.bincount(np.round(20 * np.array(values)).astype(int), minlength=21)[1:]
        assert stats.chisquare(counts).pvalue > 0.001
        assert stats.binomtest(int(counts[0]), STUDIES, 0.05).pvalue > 0.001


def test_a_signal_is_found_by_every_model() -> None:
    one = example_splits.split(n=80, signal=1.0)
    for side in (one.train, one.test):
        side.cohort["gland_mass"] *= np.exp(side.outcome)
        side.cohort["q_mass"] *= np.exp(side.outcome)
    table, permutations = run([one], models=("ridge", "handcrafted", "clinical"))
    # With two predictors, some permutations give their right direction by chance.
    assert table.set_index("model")["p_value"]["ridge"] == 0.01
    assert (table["p_value_both"] == 0.01).all()
    assert (table["auc"] > 0.8).all()
    assert table["null_mean"].between(0.4, 0.6).all()
    assert len(permutations) == 3 * 99


def test_several_splits_are_averaged() -> None:
    parts = [example_splits.split(seed, name=str(seed), signal=0.3) for seed in (1, 2)]
    table, _ = run(parts)
    rows = table.set_index("split")
    pairs = {part.split: part.test.outcome.sum() * (1 - part.test.outcome).sum() for part in parts}
    mean = sum(pairs[name] * rows.loc[name, "auc"] for name in pairs) / sum(pairs.values())
    assert rows.loc["all", "auc"] == pytest.approx(mean, abs=1e-6)
    # The mean over splits varies less.
    width = rows["null_high"] - rows["null_low"]
    assert width["all"] < min(width["1"], width["2"])


def test_small_test_sets_are_suppressed_and_cannot_be_derived() -> None:
    sizes = {"1": 40, "2": 8, "3": 30}
    parts = [example_splits.split(n_test=size, name=name) for name, size in sizes.items()]
    table, permutations = run(parts)
    rows = table.set_index("split")
    assert rows["status"].to_dict() == {
        "1": "estimated",
        "2": "suppressed",
        "3": "suppressed",
        "all": "estimated",
    }
    assert rows.loc[["2", "3"], ["auc", "n", "events", "p_value"]].isna().all(axis=None)
    table, permutations = run(parts, least=MinimumCountConfig(patients=100))
    assert (table["status"] == "suppressed").all()
    assert permutations.empty


def test_one_outcome_only_is_not_estimable() -> None:
    one = example_splits.split()
    one.train.outcome[:] = 1
    table, _ = run([one], models=("ridge", "clinical"))
    assert (table["status"] == "not_estimable").all()
    assert table["auc"].isna().all()

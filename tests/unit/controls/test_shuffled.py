"""P values of shuffled outcomes: uniform without signal, small with it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.unit.controls import example_splits
from thyrocast.config.controls import ControlsConfig, PermutedModel
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.controls import permuting, refits, shuffled
from thyrocast.controls.inputs import ControlSplit, Side
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
    parts[1].train.cohort["patient"] = "other-" + parts[1].train.cohort["patient"]
    table, _ = run(parts)
    rows = table.set_index("split")
    pairs = {part.split: part.test.outcome.sum() * (1 - part.test.outcome).sum() for part in parts}
    mean = sum(pairs[name] * rows.loc[name, "auc"] for name in pairs) / sum(pairs.values())
    assert rows.loc["all", "auc"] == pytest.approx(mean, abs=1e-6)
    # The mean over splits without a patient in common varies less.
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


def left_out_in_turn(n: int = 30, features: int = 20) -> list[ControlSplit]:
    """Three centers, each of which is the test set once."""
    random = np.random.default_rng(0)
    centers = [example_splits.side(random, n, features, prefix=name) for name in "abc"]
    for one, name in zip(centers, "abc", strict=True):
        one.cohort["center"] = name

    def joined(sides: list[Side]) -> Side:
        return Side(
            pd.concat([one.cohort for one in sides], ignore_index=True),
            np.concatenate([one.outcome for one in sides]),
            np.concatenate([one.embeddings for one in sides]),
            np.concatenate([one.full for one in sides]),
            np.arange(n * len(sides)),
        )

    return [
        ControlSplit("loco", name, joined([*centers[:i], *centers[i + 1 :]]), centers[i])
        for i, name in enumerate("abc")
    ]


def draw_without_signal(splits: list[ControlSplit], seed: int) -> None:
    """Replace features and outcomes of all patients by random ones."""
    random = np.random.default_rng(seed)
    for test in [split.test for split in splits]:
        test.embeddings[:] = random.normal(size=test.embeddings.shape)
        test.outcome[:] = random.permutation(np.arange(len(test.outcome)) % 2)
    for place, split in enumerate(splits):
        others = [one.test for one in (*splits[:place], *splits[place + 1 :])]
        split.train.embeddings[:] = np.concatenate([one.embeddings for one in others])
        split.train.outcome[:] = np.concatenate([one.outcome for one in others])


def test_p_over_splits_that_share_patients_raises_no_false_alarms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such splits depend on each other: the mean of independent permutations would be a wrong reference."""

    def mean_difference(_: PermutedModel, split: ControlSplit, outcomes: np.ndarray, *__: object):
        """A linear model that is fitted at once."""
        return (outcomes - 0.5) @ split.train.embeddings @ split.test.embeddings.T

    monkeypatch.setattr(refits, "scores", mean_difference)
    splits = left_out_in_turn()
    config = ControlsConfig.read({"models": ["ridge"], "permutations": 39})
    studies = 6 * STUDIES
    averaged, first, both, narrow, outside = [], [], [], [], []
    for seed in range(studies):
        draw_without_signal(splits, seed)
        nulls = [
            shuffled.null(PermutedModel.RIDGE, one, config, SignatureConfig(), seed)
            for one in splits
        ]
        observed = np.mean([one.observed for one in nulls])
        means = [
            np.mean([getattr(one, of) for one in nulls], axis=0) for of in ("permuted", "both")
        ]
        low, high = np.quantile(means[0], [0.025, 0.975])
        narrow.append(not low <= observed <= high)
        low, high = np.mean([permuting.outer_means(one.permuted, 0.025) for one in nulls], axis=0)
        outside.append(not low <= observed <= high)
        averaged.append(permuting.p_value(observed, means[0]))
        both.append(permuting.p_value(observed, means[1]))
        first.append(2 * np.mean([permuting.p_value(one.observed, one.permuted) for one in nulls]))

    def alarms(values: list[float]) -> int:
        return int((np.array(values) <= 0.1 + 1e-9).sum())

    # So would the range of their mean AUC be. One of 39 permutations is 2.5 % on each side.
    assert stats.binomtest(sum(narrow), studies, 0.05, "greater").pvalue < 0.001
    assert stats.binomtest(sum(outside), studies, 0.05, "greater").pvalue > 0.05
    assert stats.binomtest(alarms(averaged), studies, 0.1, "greater").pvalue < 0.001
    assert stats.binomtest(alarms(first), studies, 0.1, "greater").pvalue > 0.05
    assert stats.binomtest(alarms(both), studies, 0.1).pvalue > 0.001


@pytest.mark.parametrize("strata", ["center", "none"])
def test_p_over_splits_that_share_patients_is_combined(strata: str) -> None:
    splits = left_out_in_turn()
    table, _ = run(splits, strata=strata)
    rows = table.set_index("split")
    parts = rows.loc[["a", "b", "c"]]
    means = parts[["p_value", "p_value_both"]].mean()
    every = rows.loc["all"]
    assert every["p_value"] == pytest.approx(min(2 * means["p_value"], 1), abs=1e-6)
    # The range over all is wider than the mean of their ranges: all have the same number of pairs.
    assert every["null_low"] < parts["null_low"].mean() < parts["null_high"].mean()
    assert every["null_high"] > parts["null_high"].mean()
    twice = pytest.approx(min(2 * means["p_value_both"], 1), abs=1e-6)
    if strata == "none":
        assert every["p_value_both"] == twice
        assert every["note"] == "splits share patients: p is twice the mean of theirs"
    else:
        assert every["p_value_both"] != twice
        assert every["note"] == "splits share patients: p_value is twice the mean of theirs"
        # Center a is learned from in two splits, and tested in one: always with the same permuted outcomes.
        config = ControlsConfig.read({"permutations": 19})
        (_, a), (b, _), (c, _) = (shuffled._permuted(one, config, seed=1) for one in splits)
        assert (b[:, :30] == a).all()
        assert (c[:, :30] == a).all()
        assert len(np.unique(a, axis=0)) == 19

"""Models fitted again to bootstrap samples: what is refitted, what is stored, and what moves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.controls import example_splits
from thyrocast.config.evaluation import MinimumCountConfig, ThresholdConfig
from thyrocast.config.signature import ForestConfig, Head, SignatureConfig
from thyrocast.config.stability import FITS, REPEATED, StabilityConfig
from thyrocast.contract import io, stability
from thyrocast.contract.names import Model, ThresholdRule
from thyrocast.signature import fitting
from thyrocast.signature.split import SplitData
from thyrocast.stability import assess, refits
from thyrocast.stability.assess import FittedSplit

CONFIG = SignatureConfig(
    heads=(Head.RIDGE,),
    forest=ForestConfig(trees=20, smallest_leaf=(5, 10)),
    penalties=10,
    tuning_folds=2,
    splines=False,
)
RULE = ThresholdConfig(rule=ThresholdRule.FIXED, target=0.6)
#: The training set itself, and ten samples.
FITTED = StabilityConfig(resamples=20).fits()[:11]


def example(n: int, signal: float, seed: int = 3) -> tuple[SplitData, np.ndarray, dict]:
    """A split of n training and 50 test patients; three members with similar embeddings."""
    random = np.random.default_rng(seed)
    train, test = (
        example_splits.side(random, size, 24, signal, name) for size, name in ((n, "a"), (50, "t"))
    )
    cohort = pd.concat([train.cohort, test.cohort], ignore_index=True)
    # Without them, only the clinical and the combined model have a predictor: this saves time.
    missing = ["gland_mass", "uptake_24h", "activity", "q_mass", "q_uptake"]
    cohort = cohort.assign(**dict.fromkeys(missing, np.nan))
    fold = np.r_[np.arange(n) % 3 + 1, np.zeros(50, dtype=int)]
    outcome = np.r_[train.outcome, test.outcome]
    shown = np.vstack([train.embeddings, test.embeddings])
    embeddings = np.stack([shown + random.normal(0, 0.1, shown.shape) for _ in range(3)])
    logits = {f"fold-{k}": random.normal(size=n + 50) + signal * outcome for k in (1, 2, 3)}
    return SplitData(cohort, fold > 0, fold, outcome), embeddings.astype(np.float32), logits


@pytest.fixture(scope="module")
def noise() -> tuple[FittedSplit, tuple[SplitData, np.ndarray, dict]]:
    """Fits in 45 patients without any signal."""
    given = example(45, 0.0)
    fits = [*FITTED, *((draw, 1) for draw in (1, 2, 3))]
    return FittedSplit("holdout", "1", given[0], refits.run(*given, fits, CONFIG, RULE, 5)), given


@pytest.fixture(scope="module")
def clear() -> FittedSplit:
    """Fits in 300 patients with a strong signal."""
    given = example(300, 1.0)
    return FittedSplit("holdout", "1", given[0], refits.run(*given, FITTED, CONFIG, RULE, 5))


def test_the_first_fit_is_the_one_of_the_study(noise) -> None:
    found, (data, embeddings, logits) = noise
    fitted = fitting.fit(data, embeddings, logits, CONFIG, 5)
    assert found.fitted.draw[0] == 0
    for model, values in fitted.probabilities.items():
        np.testing.assert_array_equal(found.fitted.probability[model][0], values[~data.train])


def test_samples_are_of_training_patients_within_folds() -> None:
    data, _, _ = example(45, 0.0)
    rows = refits.sample(data, 4, 1)
    np.testing.assert_array_equal(rows[~data.train], np.flatnonzero(~data.train))
    np.testing.assert_array_equal(data.fold[rows], data.fold)
    share = len(np.unique(rows[data.train])) / data.train.sum()
    assert 0.45 < share < 0.8
    assert not np.array_equal(rows, refits.sample(data, 5, 1))
    np.testing.assert_array_equal(rows, refits.sample(data, 4, 1))


def test_outcomes_of_test_patients_change_no_fit() -> None:
    data, embeddings, logits = example(45, 0.0)
    other = SplitData(
        data.cohort, data.train, data.fold, np.where(data.train, data.outcome, 1 - data.outcome)
    )
    one, two = (
        refits.run(given, embeddings, logits, [(3, 0)], CONFIG, RULE, 5) for given in (data, other)
    )
    for model, values in one.probability.items():
        np.testing.assert_array_equal(values, two.probability[model])


def test_files_of_jobs_are_joined(noise, tmp_path: Path) -> None:
    found, (data, embeddings, logits) = noise
    fits = [(0, 0), (1, 0), (2, 0)]
    for name, part in (("1", fits[:2]), ("2", fits[2:])):
        fitted = refits.run(data, embeddings, logits, part, CONFIG, RULE, 5)
        refits.write(fitted, tmp_path / f"{name}.npz")
    read = refits.read([tmp_path / "1.npz", tmp_path / "2.npz"])
    np.testing.assert_array_equal(read.draw, [0, 1, 2])
    for model, values in read.probability.items():
        np.testing.assert_array_equal(values, found.fitted.probability[model][:3])
    for member, chosen in read.selected.items():
        np.testing.assert_array_equal(chosen, found.fitted.selected[member][:3])


def test_noise_is_unstable_and_a_clear_signal_in_many_patients_is_not(noise, clear) -> None:
    tables = [assess.run([one], MinimumCountConfig()) for one in (noise[0], clear)]
    for model in (Model.RIDGE, Model.SIGNATURE):
        shown = []
        for found in tables:
            rows = found[stability.MODELS]
            shown.append(rows[rows["model"] == model].set_index("measure"))
        unstable, stable = shown
        assert (stable["status"] == "estimated").all()
        # Without a signal, recalibration moves everybody to the prevalence: decisions change
        # together, and probabilities by no more than the prevalence.
        assert unstable.loc["classification_instability", "mean"] > 0.2
        assert stable.loc["classification_instability", "mean"] < 0.1
        assert unstable.loc["auc", "spread"] > 4 * stable.loc["auc", "spread"]
        assert (
            unstable.loc["calibration_slope", "spread"]
            > 4 * stable.loc["calibration_slope", "spread"]
        )
    nothing, something = (found[stability.SELECTION]["stability"] for found in tables)
    assert nothing.max() < 0.15 < something.min()


def test_tables_keep_their_contract_and_variance_has_its_sources(noise, tmp_path: Path) -> None:
    found = assess.run([noise[0]], MinimumCountConfig())
    for table, rows in found.items():
        io.write(table, rows, tmp_path / f"{table.name}.csv")
        assert not rows.empty
    rows = found[stability.VARIANCE]
    rows = rows[(rows["model"] == Model.RIDGE) & (rows["quantity"] == "auc")].set_index("source")
    assert (rows.loc[["test_patients", "training_patients", "seed"], "status"] == "estimated").all()
    assert rows.loc["network_seed", "status"] == "not_estimable"
    # The penalty of ridge is chosen without random numbers.
    assert rows.loc["seed", "variance"] == pytest.approx(0, abs=1e-12)
    curve = found[stability.CURVE]
    assert (curve["n"] >= 10).all()
    assert set(found[stability.PATIENTS]["patient"]) == {f"t{n}" for n in range(50)}


def test_small_test_sets_are_suppressed(noise) -> None:
    found = assess.run([noise[0]], MinimumCountConfig(patients=60))
    for table in (stability.MODELS, stability.VARIANCE):
        assert (found[table]["status"] == "suppressed").all()
    assert found[stability.CURVE].empty
    assert found[stability.MODELS]["mean"].isna().all()


def test_a_design_of_several_splits_has_rows_over_all(noise) -> None:
    one = noise[0]
    parts = []
    for n in range(3):
        data = one.data
        names = [f"{name}-{n}" for name in data.cohort["patient"]]
        renamed = SplitData(data.cohort.assign(patient=names), data.train, data.fold, data.outcome)
        parts.append(FittedSplit("kfold", f"1-{n + 1}", renamed, one.fitted))
    found = assess.run(parts, MinimumCountConfig())
    rows = found[stability.MODELS]
    alone = assess.run([one], MinimumCountConfig())[stability.MODELS].set_index(
        ["model", "measure"]
    )
    over = rows[rows["split"] == "all"].set_index(["model", "measure"])
    assert over.loc[("ridge", "auc"), "original"] == pytest.approx(
        alone.loc[("ridge", "auc"), "original"]
    )
    assert over.loc[("ridge", "mape"), "mean"] == pytest.approx(
        alone.loc[("ridge", "mape"), "mean"]
    )
    split = found[stability.VARIANCE]
    split = split[(split["source"] == "split") & (split["model"] == "ridge")].iloc[0]
    # Three equal splits: there is nothing between them.
    assert split["status"] == "estimated"
    assert split["variance"] == 0


def test_jobs_divide_the_fits() -> None:
    config = StabilityConfig()
    fits = [fit for job in config.jobs() for fit in config.of_job(job)]
    assert fits == config.fits()
    assert fits[0] == (0, 0)
    assert len(fits) == 201 + REPEATED * (FITS - 1)
    assert config.jobs() == ["1", "2", "3", "4", "5"]

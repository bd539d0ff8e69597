"""Trainings with other seeds: their variance, and what averaging of members and trainings gives."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from tests.unit.stability.test_refits import CONFIG, RULE, example
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io, stability
from thyrocast.contract.names import Model
from thyrocast.stability import assess, refits, trainings
from thyrocast.stability.assess import FittedSplit
from thyrocast.statistics.discrimination import auc

HEAD = {"design": "holdout", "split": "1", "model": "network"}


@pytest.fixture(scope="module")
def retrained() -> FittedSplit:
    """A split whose networks were trained twice more: other noise of embeddings and log-odds."""
    data, embeddings, logits = example(60, 1.0)
    random = np.random.default_rng(8)
    original = refits.run(
        data, embeddings, logits, [(0, 0), (1, 0), (1, 1), (2, 0)], CONFIG, RULE, 5
    )
    again = []
    for _ in range(2):
        other = embeddings + random.normal(0, 0.3, embeddings.shape).astype(np.float32)
        odds = {name: values + random.normal(size=len(values)) for name, values in logits.items()}
        again.append(refits.run(data, other, odds, [(0, 0)], CONFIG, RULE, 5))
    return FittedSplit("holdout", "1", data, original, again)


def test_members_average_to_the_prediction_of_the_study(retrained: FittedSplit) -> None:
    for model in (Model.NETWORK, Model.RIDGE, Model.CLINICAL):
        joined = expit(retrained.fitted.members[model].mean(axis=0))
        np.testing.assert_allclose(joined, retrained.fitted.probability[model][0], atol=1e-9)


def test_variance_between_trainings_is_that_of_their_results(retrained: FittedSplit) -> None:
    rows = assess.run([retrained], MinimumCountConfig())[stability.VARIANCE]
    rows = rows[rows["source"] == "network_seed"].set_index(["model", "quantity"])["variance"]
    fits = [retrained.fitted, *retrained.retrained]
    for model in (Model.NETWORK, Model.RIDGE):
        areas = [auc(retrained.outcome, one.probability[model][0][retrained.known]) for one in fits]
        assert rows[model, "auc"] == pytest.approx(np.var(areas, ddof=1), abs=1e-8)
        assert rows[model, "log_odds"] > 0
    # The clinical model has no network, and its random numbers are those of the study.
    assert rows["clinical", "auc"] == rows["clinical", "log_odds"] == 0


def test_a_known_variance_and_the_gain_of_averaging_are_found() -> None:
    """Log-odds are a signal plus noise of the training (SD .7) and of the member (SD 1.2)."""
    random = np.random.default_rng(5)
    signal = np.repeat([-1.0, 1.0], 200)
    outcome = signal > 0
    of_training = random.normal(0, 0.7, (12, 1, 400))
    by_member = signal + of_training + random.normal(0, 1.2, (12, 4, 400))
    variance = trainings.seed_variance(by_member, outcome)["log_odds"]
    assert variance == pytest.approx(0.7**2 + 1.2**2 / 4, rel=0.1)
    rows = pd.DataFrame(trainings.averaging(HEAD, by_member, outcome)).set_index(
        ["unit", "averaged"]
    )
    # AUC of two normal distributions 2 apart, each with this variance.
    for unit, count, noise in (
        ("member", 1, 1.93),
        ("member", 4, 0.85),
        ("training", 12, 0.85 / 12),
    ):
        expected = norm.cdf(np.sqrt(2 / noise))
        assert rows.loc[(unit, count), "auc"] == pytest.approx(expected, abs=0.01)
    assert rows["combinations"].max() <= trainings.COMBINATIONS
    assert rows.loc[("training", 1), "auc"] == pytest.approx(rows.loc[("member", 4), "auc"])


def test_small_test_sets_have_no_rows_about_trainings(retrained: FittedSplit, tmp_path) -> None:
    found = assess.run([retrained], MinimumCountConfig(patients=60))
    assert found[stability.AVERAGING].empty
    assert found[stability.VARIANCE]["variance"].isna().all()
    whole = assess.run([retrained], MinimumCountConfig())
    io.write(stability.AVERAGING, whole[stability.AVERAGING], tmp_path / "averaging.csv")
    assert set(whole[stability.AVERAGING]["trainings"]) == {3}


def test_one_training_only_gives_no_variance() -> None:
    by_member = np.random.default_rng(1).normal(size=(1, 3, 40))
    outcome = np.arange(40) % 2 == 0
    assert trainings.seed_variance(by_member, outcome) == {}
    units = {row["unit"] for row in trainings.averaging(HEAD, by_member, outcome)}
    assert units == {"member"}

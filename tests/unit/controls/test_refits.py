"""Refits to many outcomes are those to one outcome after the other."""

import numpy as np
import pytest

from tests.unit.controls import example_splits
from thyrocast import seeds
from thyrocast.baselines import models
from thyrocast.config.controls import PermutedModel
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract.names import Model
from thyrocast.controls import baseline_refits, permuting, refits, ridge_refits
from thyrocast.signature import heads, lasso_forest, ridge_head


@pytest.mark.parametrize(("n", "features"), [(40, 300), (70, 12)])
@pytest.mark.parametrize("signal", [0.0, 1.5])
def test_ridge_of_many_outcomes_is_the_ridge_head(n: int, features: int, signal: float) -> None:
    one = example_splits.split(n=n, features=features, signal=signal)
    train, test = one.train, one.test
    # A constant feature is of no use, in both.
    train.embeddings[:, -1] = test.embeddings[:, -1] = 3.0
    outcomes = np.vstack([train.outcome, permuting.permute(train.outcome, None, 6, 1)])
    found = ridge_refits.scores(train.embeddings, test.embeddings, outcomes)
    for scores, outcome in zip(found, outcomes, strict=True):
        intercept, weights = ridge_head.fit(train.embeddings, outcome)
        np.testing.assert_allclose(scores, intercept + test.embeddings @ weights, atol=1e-7)


@pytest.mark.parametrize("settings", [{}, {"missing_indicators": True, "splines": False}])
def test_baseline_of_many_outcomes_is_the_baseline(settings: dict[str, bool]) -> None:
    one = example_splits.split(n=50)
    config = SignatureConfig.read(settings)
    train, test = example_splits.frame(one.train), example_splits.frame(one.test)
    outcomes = np.vstack([one.train.outcome, permuting.permute(one.train.outcome, None, 5, 2)])
    # With so few cured patients, some folds have none.
    rare = np.zeros(50)
    rare[:3] = 1
    outcomes = np.vstack([outcomes, rare])
    found = baseline_refits.scores(train, test, outcomes, config, seed=4)
    assert found is not None
    for scores, outcome in zip(found, outcomes, strict=True):
        expected = models.fit(train, outcome, config, 4, None).odds(test)
        np.testing.assert_allclose(scores, expected, atol=1e-7)


def test_the_other_models_are_fitted_as_the_signature_rule_does() -> None:
    one = example_splits.split(features=30, signal=0.6)
    config = SignatureConfig.read({"penalties": 8, "forest": {"trees": 20, "smallest_leaf": [5]}})
    known, outcome = one.train.embeddings, one.train.outcome
    lasso = heads.fit(Model.LASSO, known, outcome, config, seeds.derive(9, "lasso", "all"))
    forest = lasso_forest.fit(known, outcome, config, seeds.derive(9, "signature", "all"))
    for model, expected in (
        (PermutedModel.LASSO, lasso.odds(one.test.embeddings)),
        (PermutedModel.SIGNATURE, forest.predict(one.test.embeddings)),
    ):
        found = refits.scores(model, one, outcome[None], config, seed=9)
        assert found is not None
        np.testing.assert_allclose(found[0], expected)

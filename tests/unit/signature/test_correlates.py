"""Correlates: those of SciPy; a feature that is a quantity is found; missing quantities are left out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.signature import correlates
from thyrocast.signature.model import Signature

N = 120


@pytest.fixture(scope="module")
def table():
    """Feature 3 is the mass, feature 7 the pixel size with noise, feature 9 nothing, feature 11 constant."""
    generator = np.random.default_rng(1)
    rows = [
        dict.fromkeys(COHORT.names) | {"patient": f"p{i}", "center": "a", "role": "development"}
        for i in range(N)
    ]
    cohort = io.build(COHORT, rows)
    cohort["q_mass"] = generator.lognormal(3, 0.4, N)
    cohort["pixel_mm"] = generator.uniform(1, 3, N)
    cohort.loc[:39, "pixel_mm"] = np.nan
    cohort.loc[:4, "q_uptake"] = 3.0
    embeddings = generator.normal(size=(N, 12)).astype(np.float32)
    embeddings[:, 3] = -np.log(cohort["q_mass"])
    embeddings[:, 7] += 3 * cohort["pixel_mm"].fillna(0)
    embeddings[:, 11] = 0
    features = np.array([3, 7, 9, 11])
    plain = {
        "coefficients": np.ones(4),
        "intercept": 0.0,
        "penalty": 0.1,
        "chosen": 0,
        "prevalence": 0.5,
    }
    empty = {
        "constant": None,
        "matrix": None,
        "importances": np.ones(4),
        "trees": 5,
        "smallest_leaf": 1,
    }
    member = SimpleNamespace(signature=Signature(features=features, **plain, **empty))
    none = SimpleNamespace(signature=SimpleNamespace(features=np.array([], int)))
    found = correlates.correlates(
        {"fold-1": member, "fold-2": none}, cohort, {"fold-1": embeddings}
    )
    return cohort, embeddings, found.set_index(["member", "feature", "quantity"])


def test_a_feature_that_is_a_quantity_is_found(table):
    _, _, found = table
    assert found.loc[("fold-1", 3, "q_mass"), "correlation"] == -1
    assert found.loc[("fold-1", 7, "pixel_mm"), "correlation"] > 0.7
    # Standard error of no correlation in 120 patients: .09.
    assert abs(found.loc[("fold-1", 9, "q_mass"), "correlation"]) < 0.3
    assert np.isnan(found.loc[("fold-1", 11, "q_mass"), "correlation"])


def test_correlations_are_those_of_scipy_among_patients_with_the_quantity(table):
    cohort, embeddings, found = table
    seen = cohort["pixel_mm"].notna()
    row = found.loc[("fold-1", 7, "pixel_mm")]
    expected = spearmanr(embeddings[seen, 7], cohort.loc[seen, "pixel_mm"]).statistic
    assert row["n"] == 80
    assert row["correlation"] == pytest.approx(expected, abs=1e-6)


def test_ties_are_ranked_as_by_scipy():
    generator = np.random.default_rng(2)
    values = np.maximum(generator.normal(size=(50, 3)), 0)
    quantity = generator.integers(0, 5, 50).astype(float)
    expected = [spearmanr(one, quantity).statistic for one in values.T]
    np.testing.assert_allclose(correlates.spearman(values, quantity), expected, atol=1e-12)


def test_quantities_of_too_few_patients_are_left_out(table):
    _, _, found = table
    assert set(found.index.get_level_values("quantity")) == {"q_mass", "pixel_mm"}


def test_every_quantity_is_a_column_of_the_cohort():
    assert {*correlates.QUANTITIES} <= {*COHORT.names}
    assert pd.Index(correlates.QUANTITIES).is_unique

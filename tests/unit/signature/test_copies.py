"""Patients with several rows, as in a bootstrap sample: nothing is tuned on patients who were fitted."""

import numpy as np

from thyrocast.config.signature import ForestConfig, SignatureConfig
from thyrocast.contract.names import Model
from thyrocast.signature import forest, heads
from thyrocast.statistics import partition

RANDOM = np.random.default_rng(2)
FEATURES = RANDOM.normal(size=(40, 30))
OUTCOME = (RANDOM.random(40) < 0.5).astype(float)
#: Each patient three times.
COPIES = np.repeat(np.arange(40), 3)


def test_rows_of_a_patient_are_in_one_fold() -> None:
    folds = partition.tuning_folds(OUTCOME[COPIES], 5, 1, COPIES)
    assert (folds.reshape(40, 3) == folds[::3, None]).all()
    np.testing.assert_array_equal(folds[::3], partition.tuning_folds(OUTCOME, 5, 1))


def test_heads_of_copied_patients_are_those_of_the_patients() -> None:
    config = SignatureConfig(penalties=15, tuning_folds=5)
    for name in (Model.RIDGE, Model.LASSO, Model.ELASTIC_NET):
        once = heads.fit(name, FEATURES, OUTCOME, config, 1)
        again = heads.fit(name, FEATURES[COPIES], OUTCOME[COPIES], config, 1, COPIES)
        np.testing.assert_allclose(again.weights, once.weights, atol=1e-6)
    # Without their numbers, a smaller penalty would be chosen, because copies predict each other.
    unaware = heads.fit(Model.RIDGE, FEATURES[COPIES], OUTCOME[COPIES], config, 1)
    aware = heads.fit(Model.RIDGE, FEATURES[COPIES], OUTCOME[COPIES], config, 1, COPIES)
    assert np.abs(unaware.weights).sum() > 2 * np.abs(aware.weights).sum()


def test_the_leaf_of_a_forest_is_not_chosen_on_copies() -> None:
    """In noise the largest leaf is best, but copies of a patient make the smallest one look better."""
    config = ForestConfig(trees=60, smallest_leaf=(1, 30))
    known = FEATURES[COPIES][:, :5], OUTCOME[COPIES]
    assert forest.fit(*known, config, 1).get_params()["min_samples_leaf"] == 1
    assert forest.fit(*known, config, 1, 1, COPIES).get_params()["min_samples_leaf"] == 30


def test_without_copies_numbers_change_nothing() -> None:
    config = ForestConfig(trees=60, smallest_leaf=(3, 10))
    one = forest.fit(FEATURES, OUTCOME, config, 1)
    two = forest.fit(FEATURES, OUTCOME, config, 1, 1, np.arange(40))
    np.testing.assert_array_equal(
        forest.probability(one, FEATURES), forest.probability(two, FEATURES)
    )

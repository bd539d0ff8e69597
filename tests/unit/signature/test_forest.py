"""The random forest: its smallest leaf, its threads, and files that are no forest."""

import numpy as np
import pytest
from skops import io as skops

from thyrocast.config.signature import ForestConfig
from thyrocast.errors import InputError
from thyrocast.signature import forest


def test_forest_is_the_same_on_any_number_of_threads():
    rng = np.random.default_rng(0)
    features, outcome = rng.normal(size=(60, 5)), (np.arange(60) % 2).astype(float)
    config = ForestConfig(trees=120, smallest_leaf=(2, 5))
    one, two = (forest.fit(features, outcome, config, 3, threads) for threads in (1, 2))
    np.testing.assert_array_equal(
        forest.probability(one, features), forest.probability(two, features)
    )
    assert len(one.estimators_) == 120


def test_the_leaf_with_the_better_out_of_bag_score_is_taken():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(150, 4))
    noise = (rng.random(150) < 0.5).astype(float)
    config = ForestConfig(trees=100, smallest_leaf=(1, 40))
    assert forest.fit(features, noise, config, 0).min_samples_leaf == 40
    clear = ((features[:, 0] > 0) ^ (features[:, 1] > 0)).astype(float)
    assert forest.fit(features, clear, config, 0).min_samples_leaf == 1


def test_a_file_with_another_object_is_refused(tmp_path):
    skops.dump({"not": "a forest"}, tmp_path / "forest.skops")
    with pytest.raises(InputError, match="contains a str"):
        forest.load(tmp_path / "forest.skops")

"""Members: which patients they are fitted to, and their scales."""

import numpy as np
import pytest

from tests.unit.signature.example_split import config
from thyrocast.signature.cross_fitting import Training


def training(n=60, **settings):
    outcome = (np.arange(n) % 2).astype(float)
    return Training(outcome, np.arange(n) % 3 + 1, config(**settings), 0, 1)


def test_a_member_is_fitted_to_all_folds_but_its_own():
    cohort = training()
    parts = cohort.parts()
    assert [part.name for part in parts] == ["fold-1", "fold-2", "fold-3"]
    for number, part in enumerate(parts):
        assert part.position == number
        np.testing.assert_array_equal(part.predicted, cohort.fold == number + 1)
        np.testing.assert_array_equal(part.seen, ~part.predicted)


def test_as_published_one_member_is_fitted_to_all_patients_and_predicts_them():
    (part,) = training(embeddings="in_sample").parts()
    assert part.name == "full"
    assert part.seen.all()
    assert part.predicted.all()


def test_members_that_differ_in_scale_only_agree_after_standardization():
    cohort = training(600)
    feature = np.random.default_rng(0).normal(size=600)
    found, expected = {}, {}
    for number, part in enumerate(cohort.parts()):
        own = feature[part.predicted]
        raw = 3.0 * number + (1 + 2.0 * number) * own
        found[part.name] = cohort.scale(raw)(raw)
        expected[part.name] = (own - own.mean()) / own.std()
    np.testing.assert_allclose(cohort.joined(found), cohort.joined(expected))


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_member_that_predicts_a_constant_has_no_spread(value):
    odds = value + 1e-13 * np.arange(5)
    scale = training().scale(odds)
    assert scale.spread == 0
    np.testing.assert_array_equal(scale(np.array([-5.0, 5.0])), [0, 0])


@pytest.mark.parametrize("settings", [{"embeddings": "in_sample"}, {"recalibration": "none"}])
def test_log_odds_that_are_not_recalibrated(settings):
    assert not training(**settings).recalibrates
    assert training().recalibrates

"""Groups of patients: balance within every stratum, and the same division for the same seed."""

from itertools import product

import numpy as np
import pytest

from thyrocast.statistics.partition import deal, hold_out, tuning_folds

SIZES = {("a", "1"): 23, ("a", "0"): 8, ("b", "1"): 11, ("b", "0"): 9, ("c", "1"): 5, ("c", "0"): 5}
STRATA = np.array([stratum for stratum, size in SIZES.items() for _ in range(size)])


def members(stratum: tuple[str, str]) -> np.ndarray:
    return (stratum == STRATA).all(axis=1)


def test_groups_have_their_share_of_every_stratum() -> None:
    group = deal(STRATA, 5, seed=1)
    assert np.ptp(np.bincount(group, minlength=5)) <= 1
    for stratum in SIZES:
        assert np.ptp(np.bincount(group[members(stratum)], minlength=5)) <= 1


@pytest.mark.parametrize(("size", "groups"), list(product((1, 7, 100), (2, 5))))
def test_groups_are_even_for_any_size(size: int, groups: int) -> None:
    counts = np.bincount(deal(["s"] * size, groups, seed=3), minlength=groups)
    assert np.ptp(counts) <= 1


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_hold_out_selects_its_share_of_every_stratum(fraction: float) -> None:
    held_out = hold_out(STRATA, fraction, seed=1)
    assert held_out.sum() == round(fraction * len(STRATA))
    for stratum, size in SIZES.items():
        assert abs(held_out[members(stratum)].sum() - fraction * size) < 1


def test_strata_smaller_than_the_number_of_groups_are_accepted() -> None:
    assert sorted(deal(["a", "b", "b"], 5, seed=0)) == [0, 1, 2]
    assert hold_out(["a", "b", "b"], 1 / 3, seed=0).sum() == 1


def test_tuple_array_and_object_array_of_labels_are_divided_alike() -> None:
    expected = deal(STRATA, 4, seed=5)
    tuples = [(str(center), str(outcome)) for center, outcome in STRATA]
    for strata in (tuples, STRATA.astype(object)):
        np.testing.assert_array_equal(deal(strata, 4, seed=5), expected)


def test_division_of_existing_studies_does_not_change() -> None:
    strata = [("a", "1"), ("a", "0"), ("b", "1"), ("a", "1"), ("b", "0"), ("a", "0"), ("b", "1")]
    assert deal(strata, 3, seed=20250).tolist() == [0, 1, 0, 2, 1, 0, 2]
    assert np.flatnonzero(hold_out(strata, 0.4, seed=20250)).tolist() == [3, 5, 6]
    outcome = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    assert tuning_folds(outcome, 3, seed=20250).tolist() == [1, 1, 0, 0, 0, 2, 2]


def test_no_patients() -> None:
    assert len(deal([], 3, seed=0)) == len(hold_out([], 0.2, seed=0)) == 0

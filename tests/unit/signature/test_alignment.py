"""Embeddings of different networks in one space."""

import numpy as np
import pytest

from thyrocast.signature import alignment


def views(n=60, p=200, rank=5, seed=0):
    """Two networks that show the same five quantities by other features."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, rank))
    first, second = rng.normal(size=(2, rank, p))
    return hidden @ first + 1.0, hidden @ second - 2.0


def test_a_mapped_embedding_is_near_that_of_the_other_network():
    source, target = views()
    mapped = alignment.fit(source[:40], target[:40])(source[40:])
    error = np.linalg.norm(mapped - target[40:]) / np.linalg.norm(target[40:] - target[:40].mean(0))
    assert error < 0.03


def test_both_forms_of_the_ridge_agree():
    source, target = views(n=300, p=30)
    few = alignment.fit(np.hstack([source, np.zeros((300, 300))]), target)  # more columns than rows
    many = alignment.fit(source, target)
    np.testing.assert_allclose(few.coefficients[:30], many.coefficients, atol=1e-8)
    np.testing.assert_allclose(few.constant, many.constant, atol=1e-8)


def test_the_map_to_itself_changes_training_patients_little():
    rng = np.random.default_rng(0)
    train = rng.normal(size=(50, 400))
    mapped = alignment.fit(train, train)(train)
    assert np.linalg.norm(mapped - train) < 0.02 * np.linalg.norm(train)


def test_what_no_training_patient_has_is_removed():
    rng = np.random.default_rng(0)
    train = np.zeros((50, 400))
    train[:, :100] = rng.normal(size=(50, 100))
    new = np.zeros((1, 400))
    new[0, 100:] = 5.0
    mapped = alignment.fit(train, train)(new)
    np.testing.assert_allclose(mapped[0], alignment.fit(train, train)(np.zeros((1, 400)))[0])


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_embeddings_that_do_not_vary(value):
    constant = np.full((10, 20), value)
    np.testing.assert_allclose(alignment.fit(constant, constant + 1)(constant), value + 1)

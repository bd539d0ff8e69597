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
    coefficients = [one.left @ one.right for one in (few, many)]
    np.testing.assert_allclose(coefficients[0][:30], coefficients[1], atol=1e-8)
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


def test_selected_features_and_weighted_sums_of_them():
    source, target = views()
    found = alignment.fit(source, target)
    constant, matrix = found.columns(np.array([3, 7]))
    np.testing.assert_allclose(constant + source @ matrix, found(source)[:, [3, 7]])
    weights = np.arange(200.0)
    constant, vector = found.weighted(weights)
    np.testing.assert_allclose(constant + source @ vector, found(source) @ weights)


def test_the_mean_of_maps():
    maps = [alignment.fit(*views(seed=seed)) for seed in (0, 1)]
    source, _ = views()
    expected = (maps[0](source) + maps[1](source)) / 2
    np.testing.assert_allclose(alignment.mean(maps)(source), expected)


def members(n=90, p=200, folds=3):
    """Networks that show the same quantities by other features; fold of each patient."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(n, 5))
    embeddings = [hidden @ rng.normal(size=(5, p)) + rng.normal() for _ in range(folds)]
    return np.stack(embeddings), np.arange(n) % folds + 1


def test_training_patients_are_brought_into_the_space_of_a_member():
    embeddings, fold = members()
    aligned, of_own = alignment.into_member(embeddings, fold, 2)
    # The member shows the same five quantities, so its own features are the aim.
    error = np.linalg.norm(aligned - embeddings[1]) / np.linalg.norm(embeddings[1])
    assert error < 0.03
    np.testing.assert_array_equal(aligned[fold == 2], of_own(embeddings[1][fold == 2]))


@pytest.mark.parametrize("network", [0, 1, 2])
def test_the_fold_of_a_member_has_no_part_in_its_maps(network):
    embeddings, fold = members()
    before, first = alignment.into_member(embeddings, fold, 2)
    changed = embeddings.copy()
    changed[network, fold == 2] = 50.0
    after, second = alignment.into_member(changed, fold, 2)
    np.testing.assert_array_equal(after[fold != 2], before[fold != 2])
    np.testing.assert_array_equal(first(embeddings[1]), second(embeddings[1]))

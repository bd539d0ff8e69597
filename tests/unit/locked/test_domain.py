"""Distances of embeddings from those of the training patients."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from sklearn.covariance import LedoitWolf

from thyrocast.errors import InputError
from thyrocast.locked import domain

MEMBERS = ("fold-1", "fold-2", "fold-3", "fold-4")


def embeddings(rng: np.random.Generator, n: int, p: int = 300) -> np.ndarray:
    """Embeddings with few strong directions and weak noise, as of a network after its last pooling."""
    shape = np.random.default_rng(5).normal(size=(8, p)) * 2.0 ** -np.arange(8)[:, None]
    return np.maximum(1 + rng.normal(size=(n, 8)) @ shape + 0.1 * rng.normal(size=(n, p)), 0)


def fitted(n: int, seed: int) -> domain.Domain:
    rng = np.random.default_rng(seed)
    fold = np.arange(n) % len(MEMBERS) + 1
    values = embeddings(rng, n)
    return domain.fit({name: values * (k + 1) for k, name in enumerate(MEMBERS)}, fold)


def by_member(values: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values * (k + 1) for k, name in enumerate(MEMBERS)}


@pytest.mark.parametrize("n", [60, 120, 400])
def test_few_patients_like_the_training_patients_are_outside(n: int) -> None:
    """At most 5 %, on average over training sets of one population (4,000 patients)."""
    shares = []
    for seed in range(8):
        new = embeddings(np.random.default_rng(1000 + seed), 500)
        shares.append(np.mean(fitted(n, seed).distance(by_member(new)) > 1))
    assert np.mean(shares) <= 0.05


def test_other_patients_are_outside() -> None:
    rng = np.random.default_rng(3)
    found = fitted(120, 0)
    usual = embeddings(rng, 300)
    # along the strongest direction, and in a direction that training patients don't have
    direction = found.members["fold-1"].components[0]
    assert (found.distance(by_member(usual + 200 * direction)) > 1).all()
    assert (found.distance(by_member(usual + 0.5 * rng.normal(size=usual.shape))) > 1).all()
    assert np.mean(found.distance(by_member(usual)) > 1) < 0.1


def test_distances_are_those_of_mahalanobis() -> None:
    """With all components, T² is that of scikit-learn's estimator with the same shrinkage."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(200, 6)) * np.arange(1, 7)
    member = domain.fit({"full": values}, np.ones(200, dtype=np.int64)).members["full"]
    new = rng.normal(size=(40, 6))
    expected = LedoitWolf().fit(values).mahalanobis(new)
    np.testing.assert_allclose(member.distances(new)[:, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(member.distances(new)[:, 1], 0, atol=1e-9)


def test_it_is_stored_without_loss_and_without_patients(tmp_path: Path) -> None:
    found = fitted(120, 2)
    domain.save(found, tmp_path / "a.safetensors")
    again = domain.load(tmp_path / "a.safetensors")
    domain.save(again, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    new = embeddings(np.random.default_rng(9), 10)
    np.testing.assert_array_equal(again.distance(by_member(new)), found.distance(by_member(new)))
    assert len(again.members["fold-1"].variances) == 90 // domain.PATIENTS_PER_COMPONENT


def test_constant_embeddings_do_not_fail(tmp_path: Path) -> None:
    values = np.ones((30, 20), np.float32)
    found = domain.fit({"fold-1": values, "fold-2": values}, np.arange(30) % 2 + 1)
    domain.save(found, tmp_path / "a.safetensors")
    assert (
        domain.load(tmp_path / "a.safetensors").distance({"fold-1": values, "fold-2": values}) <= 1
    ).all()
    assert (found.distance({"fold-1": values + 1, "fold-2": values}) > 1).all()


def test_other_tensors_are_refused(tmp_path: Path) -> None:
    safetensors.numpy.save_file(
        {"limits": np.ones(2), "odd": np.ones(1)}, tmp_path / "x.safetensors"
    )
    with pytest.raises(InputError, match="odd"):
        domain.load(tmp_path / "x.safetensors")

"""ComBat: against neuroCombat, and for centers that were not learned from."""

import numpy as np
import pytest

from thyrocast.statistics import harmonization
from thyrocast.statistics.inputs import NotEstimableError

#: Columns 0, 3, 7, 12, 15 and 23 of the output of neuroCombat 0.2.12 (pypi.org) for `example`, without covariates.
REFERENCE = np.array(
    [
        [1.2987134739839483, 0.8322217118910924, 0.5659088388923343, 0.30362470038055345, 1.3955230255522115, 1.5929713403603507],
        [3.2526069070872863, -0.8111811150818766, 1.6698879487657017, 1.8521742277085833, 0.7867173877781357, 0.005080038499002737],
        [2.523663533754676, -0.24700694351061725, 1.030025544107544, 3.55868208113729, -0.39485890848929306, -1.067300989718321],
        [2.266615920717845, 0.9948108061470082, -1.221573427338083, 1.2475801742137038, 1.751402807291473, 0.6470558681789422],
        [4.766628484043339, 0.6578005484784135, 1.4693153023062162, 3.1943507182556705, 1.6410171345796583, 1.041610166617406],
        [5.8397719724302615, 1.2521942828450916, 3.7516419814755464, 1.637882973582699, -0.6860364845145781, 0.7516046949262867],
        [4.669585684726896, 3.6970959172522155, -1.7516722995625373, 5.834197324840693, 0.9398777784492909, 2.7270708670708927],
    ]
)  # fmt: skip


def example() -> tuple[np.ndarray, np.ndarray]:
    """24 patients of three centers with seven features; no random numbers."""
    i, j = np.meshgrid(np.arange(7), np.arange(24), indexing="ij")
    found = np.sin(1.7 * i + 0.9 * j) + 0.3 * i * np.cos(0.31 * j * (i + 1))
    found += (j % 4 == 0) * 0.8 * (1 + 0.2 * i) + (j % 4 == 1) * 0.5 * np.sin(3.1 * j)
    center = np.repeat([0, 1, 2], [7, 8, 9])
    found = found * np.array([0.6, 1.0, 1.9])[center]
    found = found + np.array([0.5, -0.4, 1.1])[center] * (1 + 0.3 * i)
    return found.T, center.astype(np.str_)


def harmonize(method: str, features: np.ndarray, center: np.ndarray) -> np.ndarray:
    learned = harmonization.learn(features, center, method)
    result = np.empty_like(features)
    for name, shift in learned.centers.items():
        result[center == name] = learned.apply(features[center == name], shift)
    return result


def test_combat_is_that_of_neurocombat() -> None:
    found = harmonize("combat", *example())
    np.testing.assert_allclose(found.T[:, [0, 3, 7, 12, 15, 23]], REFERENCE, atol=1e-6, rtol=0)


def test_standardized_centers_have_one_mean_and_spread() -> None:
    features, center = example()
    found = harmonize("zscore", features, center)
    for name in "012":
        np.testing.assert_allclose(found[center == name].mean(axis=0), features.mean(axis=0))
        np.testing.assert_allclose(
            found[center == name].std(axis=0, ddof=1),
            harmonization.learn(features, center, "zscore").scale,
        )


@pytest.mark.parametrize("method", harmonization.METHODS)
def test_a_new_center_is_harmonized_by_its_own_patients(method: str) -> None:
    """A scale and an offset of a camera are removed without outcomes."""
    random = np.random.default_rng(1)
    features, center = random.normal(size=(600, 40)), np.repeat(["a", "b", "c"], 200)
    learned = harmonization.learn(features[center != "c"], center[center != "c"], method)
    seen = features[center == "c"] * 2 + 3
    found = learned.apply(seen, learned.shift(seen))
    assert np.abs(found.mean(axis=0)).max() < 0.25
    np.testing.assert_allclose(found.std(axis=0), 1, atol=0.2)
    with pytest.raises(NotEstimableError):
        learned.shift(seen[:1])


@pytest.mark.parametrize("method", harmonization.METHODS)
def test_a_constant_feature_does_not_become_a_marker_of_the_center(method: str) -> None:
    features, center = example()
    features = np.column_stack([features, np.zeros(24)])
    assert np.all(harmonize(method, features, center)[:, -1] == 0)
    np.testing.assert_allclose(
        harmonize(method, features, center)[:, :-1], harmonize(method, features[:, :-1], center)
    )

"""Ridge logistic regression on all features of an embedding.

There are fewer patients than features: the fit is to the coordinates of the patients in the space that
their embeddings span. The penalty is chosen by leave-one-out, which needs one fit for each penalty
(approximate leave-one-out of Rad and Maleki, J R Stat Soc B 2020;82:965).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thyrocast.statistics import logistic

Array = NDArray[np.float64]

# Penalties as shares of the sum of the features' variances, times a quarter, the largest curvature of a
# logistic likelihood.
SHARES = np.logspace(0.5, -3.5, 13)


def fit(
    embeddings: Array, outcome: Array, patient: NDArray[np.int64] | None = None
) -> tuple[float, Array]:
    """Fit intercept and weights (p,) to embeddings (n, p) and outcomes (n,); both outcomes occur.

    With `patient` (n,), equal rows of one patient are left out together.
    """
    mean, scale = embeddings.mean(axis=0), embeddings.std(axis=0)
    scale = np.where(scale > 1e-10 * np.abs(mean).max(initial=1e-300), scale, np.inf)
    left, singular, right = np.linalg.svd((embeddings - mean) / scale, full_matrices=False)
    kept = singular > 1e-8 * max(singular.max(initial=0), 1e-300)
    coordinates = left[:, kept] * singular[kept]
    design = np.hstack([np.ones((len(outcome), 1)), coordinates])
    unit = float((coordinates**2).sum()) / len(outcome) / 4
    penalties = [np.r_[0.0, np.full(design.shape[1] - 1, share * unit)] for share in SHARES]
    fits = [logistic.solve(design, outcome, penalty=penalty) for penalty in penalties]
    rows = np.arange(len(outcome)) if patient is None else patient
    _, own, count = np.unique(rows, return_inverse=True, return_counts=True)
    losses = [
        _left_out_loss(design, outcome, weights, penalty, count[own])
        for weights, penalty in zip(fits, penalties, strict=True)
    ]
    weights = fits[int(np.argmin(losses))]
    spread = right[kept].T @ weights[1:] / scale
    return float(weights[0] - mean @ spread), spread


def _left_out_loss(
    design: Array,
    outcome: Array,
    weights: Array,
    penalty: Array,
    copies: NDArray[np.int64] | int = 1,
) -> float:
    """Log loss of each patient by a fit without its `copies` (n,), in a quadratic approximation."""
    linear = design @ weights
    probability = logistic.expit(linear)
    curvature = probability * (1 - probability)
    hessian = (design * curvature[:, None]).T @ design + len(outcome) * np.diag(penalty)
    leverage = copies * np.einsum("ij,ji->i", design, np.linalg.solve(hessian, design.T))
    shift = leverage * (outcome - probability) / np.maximum(1 - leverage * curvature, 1e-6)
    left_out = linear - shift
    return float(np.mean(np.logaddexp(0, left_out) - outcome * left_out))

"""Embeddings of all networks of a split in one feature space.

A training patient is embedded by the network of the fold that left the patient out. The 2,048
features of this network are not those of the other folds. Therefore the embeddings of each fold are
mapped to the features of the network that was trained on all training patients: a linear map, fitted
without outcomes to the patients on whom both networks were trained. The embedding of
a patient who is predicted goes through the map that is fitted from the full network's features to
the same features. Both maps remove the part of an embedding that is outside the span of the training
patients' embeddings, so that features of training and test patients have a similar spread. They
remain distinguishable: training and test patients are not exchangeable (docs/signature.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Ridge penalty, as a share of the mean squared length of a centered embedding: large enough for a
# stable solution, and small enough that the patients used in the fit keep their embeddings.
RIDGE = 0.001


@dataclass(frozen=True)
class LinearMap:
    """A linear map between the embeddings of two networks.

    Attributes
    ----------
    constant : ndarray, (q,)
    coefficients : ndarray, (p, q)
    """

    constant: Array
    coefficients: Array

    def __call__(self, embeddings: Array) -> Array:
        """Map embeddings (n, p) to (n, q)."""
        return self.constant + embeddings @ self.coefficients


def fit(source: Array, target: Array) -> LinearMap:
    """Fit the map from one network's embeddings to another's by ridge regression.

    Parameters
    ----------
    source : ndarray, (n, p)
        Embeddings of n patients by one network.
    target : ndarray, (n, q)
        Embeddings of the same patients by the other network.
    """
    n, p = source.shape
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    x, y = source - source_mean, target - target_mean
    ridge = max(RIDGE * float(np.sum(x**2)) / n, 1e-12)
    if n < p:  # the size of the dual system is the number of patients, not of features
        coefficients = x.T @ np.linalg.solve(x @ x.T + ridge * np.eye(n), y)
    else:
        coefficients = np.linalg.solve(x.T @ x + ridge * np.eye(p), x.T @ y)
    return LinearMap(target_mean - source_mean @ coefficients, coefficients)


def align(
    embeddings: NDArray[np.float32], train: NDArray[np.bool_], fold: NDArray[np.int64]
) -> tuple[Array, LinearMap]:
    """Align the cross-fitted embeddings of training patients with the features of network 0.

    Parameters
    ----------
    embeddings : ndarray, (1 + folds, n, p)
        Network 0 was trained on all training patients, network k without fold k.
    train : ndarray of bool, (n,)
    fold : ndarray of int, (n,)
        Fold of each training patient, from 1.

    Returns
    -------
    aligned : ndarray, (n_train, p)
        Training patients' embeddings in the features of network 0.
    to_aligned : LinearMap
        Map from embeddings of new patients by network 0 to the same space.
    """
    full = np.asarray(embeddings[0][train], dtype=np.float64)
    own_fold = fold[train]
    aligned = np.empty_like(full)
    for k in np.unique(own_fold):
        held_out = own_fold == k
        member = np.asarray(embeddings[k][train], dtype=np.float64)
        aligned[held_out] = fit(member[~held_out], full[~held_out])(member[held_out])
    return aligned, fit(full, full)

"""Embeddings of all members of a split in the feature space of one of them.

A training patient is embedded by the member of the own fold, which did not see the patient. The
features of this network are not those of the other members. For the models of member k, the embeddings
of every other fold are therefore mapped to the features of member k: a linear map, fitted without
outcomes to the patients on whom both networks were trained. None of them is in fold k, and none
in the fold that is mapped.

Such a map removes the part of an embedding that is outside the span of these patients' embeddings. The
patients of fold k and new patients, whom member k embeds itself, go through the mean of the maps from
the features of member k to themselves that are fitted to the same groups of patients, so that
their features have the same spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Ridge penalty, as a share of the mean squared length of a centered embedding: large enough for a
# stable solution, and small enough that the patients used in the fit keep their embeddings.
RIDGE = 0.001


@dataclass(frozen=True)
class LinearMap:
    """A linear map between the embeddings of two networks.

    Its coefficients, (p, q), are a product, because few patients determine them.

    Attributes
    ----------
    constant : ndarray, (q,)
    left : ndarray, (p, r)
    right : ndarray, (r, q)
    """

    constant: Array
    left: Array
    right: Array

    def __call__(self, embeddings: Array) -> Array:
        """Map embeddings (n, p) to (n, q)."""
        return np.asarray(self.constant + (embeddings @ self.left) @ self.right)

    def columns(self, selected: Integers) -> tuple[Array, Array]:
        """Constant (s,) and coefficients (p, s) of the selected features."""
        return self.constant[selected], self.left @ self.right[:, selected]

    def weighted(self, weights: Array) -> tuple[float, Array]:
        """Constant and coefficients (p,) of a weighted sum of the features; weights (q,)."""
        return float(self.constant @ weights), self.left @ (self.right @ weights)


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
        left, right = x.T, np.linalg.solve(x @ x.T + ridge * np.eye(n), y)
    else:
        left, right = np.eye(p), np.linalg.solve(x.T @ x + ridge * np.eye(p), x.T @ y)
    return LinearMap(target_mean - (source_mean @ left) @ right, left, right)


def mean(maps: Sequence[LinearMap]) -> LinearMap:
    """The map whose result is the mean of the results of several maps from and to the same features."""
    return LinearMap(
        np.mean([one.constant for one in maps], axis=0),
        np.hstack([one.left for one in maps]),
        np.vstack([one.right for one in maps]) / len(maps),
    )


def into_member(
    embeddings: Sequence[NDArray[np.floating]], fold: Integers, member: int
) -> tuple[Array, LinearMap]:
    """Bring training patients into the feature space of one member.

    Parameters
    ----------
    embeddings : sequence of ndarray, (n, p)
        Of the training patients; the network at position k - 1 was trained without fold k.
    fold : ndarray of int, (n,)
        Fold of each training patient, from 1; at least three folds.
    member : int
        Fold that the member did not see.

    Returns
    -------
    aligned : ndarray, (n, p)
        Embeddings of all training patients, each by the network that did not see the patient.
    of_own : LinearMap
        The map of embeddings by this member: of its own fold and of new patients.
    """
    own = np.asarray(embeddings[member - 1], dtype=np.float64)
    aligned = np.empty_like(own)
    to_itself = []
    for other in np.unique(fold[fold != member]):
        both = (fold != other) & (fold != member)
        view = np.asarray(embeddings[other - 1], dtype=np.float64)
        aligned[fold == other] = fit(view[both], own[both])(view[fold == other])
        to_itself.append(fit(own[both], own[both]))
    of_own = mean(to_itself)
    aligned[fold == member] = of_own(own[fold == member])
    return aligned, of_own

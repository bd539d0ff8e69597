"""One feature space for the embeddings of a split's networks.

A training patient is embedded by the network of the fold that left the patient out, so the networks
differ from fold to fold, and their 2,048 features with them. Each fold's embeddings are therefore
carried over to the features of the network that was trained on everybody: a linear map, fitted
without outcomes to the patients that both networks were trained on, says where in the one space
what stands in the other would be. A patient to be predicted goes the same way, through the map from
the full network's features to themselves; what of an embedding lies outside the span of the
training patients' is lost to both alike, so that training and test patients stay exchangeable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Of the mean squared length of a centered embedding: enough for a stable solution, and little
# enough that patients whom the map was fitted to keep their places.
RIDGE = 0.001


@dataclass(frozen=True)
class Map:
    """A linear map between the embeddings of two networks.

    Attributes
    ----------
    constant : (q,)
    coefficients : (p, q)
    """

    constant: Array
    coefficients: Array

    def __call__(self, embeddings: Array) -> Array:
        """Carry embeddings (k, p) over; gives (k, q)."""
        return self.constant + embeddings @ self.coefficients


def fit(source: Array, target: Array) -> Map:
    """Fit the map from one network's embeddings of some patients to another's of the same.

    Parameters
    ----------
    source : (n, p)
    target : (n, q)

    Returns
    -------
    Map, by ridge regression.
    """
    n, p = source.shape
    origin, goal = source.mean(axis=0), target.mean(axis=0)
    centered, moved = source - origin, target - goal
    ridge = max(RIDGE * float(np.sum(centered**2)) / n, 1e-12)
    if n < p:  # the dual form costs with patients, not with features
        coefficients = centered.T @ np.linalg.solve(
            centered @ centered.T + ridge * np.eye(n), moved
        )
    else:
        coefficients = np.linalg.solve(
            centered.T @ centered + ridge * np.eye(p), centered.T @ moved
        )
    return Map(goal - origin @ coefficients, coefficients)

"""Loss of each prediction; the Brier score and the log loss are their means."""

from __future__ import annotations

import numpy as np

from thyrocast.statistics import inputs
from thyrocast.statistics.inputs import Booleans, Floats


def squared_errors(outcome: Booleans, probability: Floats) -> Floats:
    """Squared difference between outcome and probability, whose mean is the Brier score.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    probability : ndarray of float, (n,)
        Predicted probability of cure.

    Returns
    -------
    ndarray of float, (n,)

    Examples
    --------
    >>> squared_errors(np.array([True, False]), np.array([0.5, 0.1])).round(2)
    array([0.25, 0.01])
    """
    return np.asarray((outcome - probability) ** 2, dtype=np.float64)


def log_losses(outcome: Booleans, probability: Floats) -> Floats:
    """Negative log likelihood of each outcome in nats; probabilities are clipped (`inputs.clip`).

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    probability : ndarray of float, (n,)
        Predicted probability of cure.

    Returns
    -------
    ndarray of float, (n,)

    Examples
    --------
    >>> log_losses(np.array([True, False]), np.array([0.5, 1.0])).round(3)
    array([ 0.693, 13.816])
    """
    clipped = inputs.clip(probability)
    return -np.where(outcome, np.log(clipped), np.log1p(-clipped))

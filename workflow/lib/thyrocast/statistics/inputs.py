"""Checks of outcome and probabilities at the start of every statistic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]

#: Smallest distance of a probability from 0 and 1 where its logit or logarithm is computed.
EDGE = 1e-6
#: Mean probability below which observed/expected is not given: its square would exceed a float.
NOTHING_EXPECTED = 1e-100


class NotEstimableError(ValueError):
    """The statistic cannot be estimated from these data; the message is the reason."""


def outcome_array(outcome: ArrayLike) -> Booleans:
    """Convert the outcome to booleans.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured, 0 = not cured.

    Returns
    -------
    ndarray of bool, (n,)

    Raises
    ------
    ValueError
        If it is empty, not one-dimensional or contains anything but 0 and 1 (NaN included).

    Examples
    --------
    >>> outcome_array([1, 0, 1])
    array([ True, False,  True])
    """
    array = np.asarray(outcome)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"outcome must be a non-empty one-dimensional array, not {array.shape}")
    if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
        raise ValueError("outcome must contain only 0 and 1")
    return array.astype(np.bool_)


def score_array(score: ArrayLike, n: int) -> Floats:
    """Convert scores to floats.

    Parameters
    ----------
    score : array_like, (n,)
        Finite numbers.
    n : int
        Expected length.

    Returns
    -------
    ndarray of float, (n,)

    Raises
    ------
    ValueError
        If the length differs from `n`, or a value is NaN or infinite.

    Examples
    --------
    >>> score_array([0, 2], 2)
    array([0., 2.])
    """
    array = np.asarray(score, dtype=np.float64)
    if array.shape != (n,):
        raise ValueError(f"scores have shape {array.shape}, the outcome has ({n},)")
    if not np.isfinite(array).all():
        raise ValueError(f"{np.sum(~np.isfinite(array))} of {n} scores are not finite")
    return array


def probability_array(probability: ArrayLike, n: int) -> Floats:
    """Convert probabilities to floats.

    Parameters
    ----------
    probability : array_like, (n,)
        Numbers from 0 to 1.
    n : int
        Expected length.

    Returns
    -------
    ndarray of float, (n,)

    Raises
    ------
    ValueError
        As `score_array`, or if a value is below 0 or above 1.

    Examples
    --------
    >>> probability_array([0.2, 1], 2)
    array([0.2, 1. ])
    """
    array = score_array(probability, n)
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            f"probabilities must be from 0 to 1, found values from {array.min():g} to {array.max():g}"
        )
    return array


def read(outcome: ArrayLike, probability: ArrayLike) -> tuple[Booleans, Floats]:
    """Convert outcome and probabilities of the same patients.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        As in `outcome_array` and `probability_array`.

    Returns
    -------
    outcome : ndarray of bool, (n,)
    probability : ndarray of float, (n,)

    Raises
    ------
    ValueError
        As `outcome_array` and `probability_array`.

    Examples
    --------
    >>> read([1, 0], [0.7, 0.4])
    (array([ True, False]), array([0.7, 0.4]))
    """
    y = outcome_array(outcome)
    return y, probability_array(probability, y.size)


def require_both(outcome: Booleans, what: str, each: int = 1) -> tuple[int, int]:
    """Count cured and not cured patients; raise an error if there are too few of either.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    what : str
        Name of the statistic, for the message.
    each : int
        Fewest patients of each outcome.

    Returns
    -------
    cured, failed : int

    Raises
    ------
    NotEstimableError
        If either count is below `each`.

    Examples
    --------
    >>> require_both(np.array([True, False, True]), "the AUC")
    (2, 1)
    """
    cured = int(outcome.sum())
    failed = outcome.size - cured
    if min(cured, failed) < each:
        raise NotEstimableError(
            f"{what} needs at least {each} cured and {each} not cured, found {cured} and {failed}"
        )
    return cured, failed


def logit(probability: Floats) -> Floats:
    """Logit of probabilities, which are clipped to `EDGE` and 1 - `EDGE` first.

    Parameters
    ----------
    probability : ndarray of float, (n,)
        Numbers from 0 to 1.

    Returns
    -------
    ndarray of float, (n,)

    Examples
    --------
    >>> logit(np.array([0.5, 1.0])).round(2)
    array([ 0.  , 13.82])
    """
    clipped = clip(probability)
    return np.asarray(np.log(clipped) - np.log1p(-clipped), dtype=np.float64)


def clip(probability: Floats) -> Floats:
    """Clip probabilities to `EDGE` and 1 - `EDGE`.

    Parameters
    ----------
    probability : ndarray of float, (n,)
        Numbers from 0 to 1.

    Returns
    -------
    ndarray of float, (n,)

    Examples
    --------
    >>> clip(np.array([0.0, 0.5]))
    array([1.e-06, 5.e-01])
    """
    return np.asarray(np.clip(probability, EDGE, 1 - EDGE), dtype=np.float64)

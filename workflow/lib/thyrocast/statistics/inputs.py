"""Checks on outcome and probabilities that every statistic begins with."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]

#: Nearest a probability may come to 0 or 1 where its logit or logarithm is taken.
EDGE = 1e-6


class NotEstimableError(ValueError):
    """The data at hand cannot answer this question; the message says why."""


def outcome_array(outcome: ArrayLike) -> Booleans:
    """Outcome as booleans.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured, 0 = not cured.

    Raises
    ------
    ValueError
        If it is empty, not one-dimensional or holds anything but 0 and 1 (NaN included).
    """
    array = np.asarray(outcome)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"outcome must be a non-empty one-dimensional array, not {array.shape}")
    if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
        raise ValueError("outcome must hold only 0 and 1")
    return array.astype(np.bool_)


def score_array(score: ArrayLike, n: int) -> Floats:
    """Scores as floats of length n; NaN and infinite values are refused."""
    array = np.asarray(score, dtype=np.float64)
    if array.shape != (n,):
        raise ValueError(f"scores have shape {array.shape}, the outcome has ({n},)")
    if not np.isfinite(array).all():
        raise ValueError(f"{np.sum(~np.isfinite(array))} of {n} scores are not finite")
    return array


def probability_array(probability: ArrayLike, n: int) -> Floats:
    """Probabilities as floats of length n; values outside 0 to 1 are refused."""
    array = score_array(probability, n)
    if array.min() < 0 or array.max() > 1:
        raise ValueError(f"probabilities run from {array.min():g} to {array.max():g}")
    return array


def require_both(outcome: Booleans, what: str, each: int = 1) -> tuple[int, int]:
    """Count cured and not cured; NotEstimableError when either is below ``each``."""
    cured = int(outcome.sum())
    failed = outcome.size - cured
    if min(cured, failed) < each:
        raise NotEstimableError(
            f"{what} needs at least {each} cured and {each} not cured, found {cured} and {failed}"
        )
    return cured, failed


def logit(probability: Floats) -> Floats:
    """Logit of probabilities held at least EDGE away from 0 and 1."""
    held = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(held) - np.log1p(-held), dtype=np.float64)

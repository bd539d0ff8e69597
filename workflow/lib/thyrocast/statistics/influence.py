"""Intervals from influence functions: the contribution of each patient to an estimate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import intervals
from thyrocast.statistics.inputs import Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval


def cluster_sums(values: Floats, cluster: ArrayLike) -> Floats:
    """Sum rows within clusters.

    Parameters
    ----------
    values : ndarray of float, (n, m)
        Rows to sum.
    cluster : array_like, (n,)
        Cluster of each row.

    Returns
    -------
    ndarray of float, (clusters, m)
        In the order of the sorted names of the clusters.

    Examples
    --------
    >>> cluster_sums(np.array([[1.0], [2.0], [4.0]]), ["b", "a", "b"])
    array([[2.],
           [5.]])
    """
    _, code = np.unique(np.asarray(cluster), return_inverse=True)
    return np.stack([np.bincount(code, weights=column) for column in values.T], axis=1)


def standard_error(values: Floats, cluster: ArrayLike | None = None) -> tuple[float, int]:
    """Standard error of a mean, and its degrees of freedom.

    Parameters
    ----------
    values : ndarray of float, (n,)
        Values of the patients, or of their predictions.
    cluster : array_like, (n,), optional
        Patient of each value, if some have several; intervals then count patients.

    Returns
    -------
    error : float
    degrees : int
        Number of patients minus one.

    Raises
    ------
    NotEstimableError
        With fewer than two patients.

    Examples
    --------
    >>> standard_error(np.array([1.0, 2.0, 3.0, 4.0]))
    (0.6454972243679028, 3)
    """
    deviation = values - values.mean()
    if cluster is not None:
        deviation = cluster_sums(deviation[:, None], cluster)[:, 0]
    units = deviation.size
    if units < 2:
        raise NotEstimableError("an interval needs at least two patients")
    return math.sqrt(float(deviation @ deviation) * units / (units - 1)) / values.size, units - 1


def interval(
    estimate: float,
    values: Floats,
    confidence: float,
    cluster: ArrayLike | None = None,
    *,
    log: bool = False,
) -> Interval:
    """Student's t interval of an estimate whose error is the mean of the deviations of `values`.

    Parameters
    ----------
    estimate : float
        Estimate.
    values : ndarray of float, (n,)
        Influence function: the contribution of each prediction.
    confidence : float
        Confidence level.
    cluster : array_like, (n,), optional
        Patient of each prediction, if patients have several.
    log : bool
        Use the log scale, for estimates above 0 with a skewed distribution.

    Returns
    -------
    Interval
        Method ``t`` or ``log_t``, with ``_by_patient`` if clustered.

    Raises
    ------
    NotEstimableError
        With fewer than two patients.

    Examples
    --------
    >>> found = interval(2.5, np.array([1.0, 2.0, 3.0, 4.0]), 0.95)
    >>> round(found.low, 3), round(found.high, 3), found.method
    (0.446, 4.554, 't')
    """
    error, degrees = standard_error(values, cluster)
    half = intervals.t_quantile(confidence, degrees) * error
    name = ("log_t" if log else "t") + ("" if cluster is None else "_by_patient")
    if log and estimate > 0:
        # With two patients and a high confidence the limit may be too large for a float.
        stretch = math.exp(min(half / estimate, 600.0))
        return Interval(
            estimate, estimate / stretch, estimate * stretch, name, error / estimate, "log"
        )
    return Interval(estimate, estimate - half, estimate + half, name, error, "identity")

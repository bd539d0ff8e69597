"""Intervals from influence functions: what each patient contributes to an estimate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import intervals
from thyrocast.statistics.inputs import Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval


def cluster_sums(values: Floats, cluster: ArrayLike) -> Floats:
    """Sum the rows of (n, m) within clusters: (clusters, m)."""
    _, code = np.unique(np.asarray(cluster), return_inverse=True)
    sums = np.zeros((int(code.max()) + 1, values.shape[1]))
    np.add.at(sums, code, values)
    return sums


def standard_error(values: Floats, cluster: ArrayLike | None = None) -> tuple[float, int]:
    """Standard error of a mean, and its degrees of freedom.

    Parameters
    ----------
    values : (n,)
    cluster : array_like, (n,), optional
        Rows of one patient, which count as one.

    Raises
    ------
    NotEstimableError
        With fewer than two patients.
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
    """Student's t interval of an estimate whose error is the mean of ``values``' deviations.

    Parameters
    ----------
    log : bool
        Symmetric on the log scale, for estimates above 0 with a skewed distribution.
    """
    error, degrees = standard_error(values, cluster)
    half = intervals.t_quantile(confidence, degrees) * error
    name = ("log_t" if log else "t") + ("" if cluster is None else "_by_patient")
    if log and estimate > 0:
        # Two patients and a high confidence can put the limit beyond what a float holds.
        stretch = math.exp(min(half / estimate, 600.0))
        return Interval(estimate, estimate / stretch, estimate * stretch, name)
    return Interval(estimate, estimate - half, estimate + half, name)

"""Weights by the inverse probability of follow-up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thyrocast.statistics import logistic
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError

#: Share of the largest weights that are set to the largest of the others.
TRUNCATED = 0.01


class Stage(NamedTuple):
    """A stage of follow-up: who could be lost in it, (n,), and who was not, (n,)."""

    at_risk: Booleans
    passed: Booleans


def stages(seen: Booleans, early: Booleans, known: Booleans) -> tuple[Stage, Stage]:
    """Return the stages of a follow-up.

    A patient is first lost or seen at all. Who is seen may be settled early; the others must be
    followed until the outcome is decided. Early patients could not be lost in the second stage, so
    they must not stand for patients who were.

    Parameters
    ----------
    seen, early, known : ndarray of bool, (n,)
        Whether the patient was seen after the therapy, settled before the outcome is decided, and
        has an outcome.
    """
    everyone = np.ones_like(known)
    return Stage(everyone, seen | known), Stage((seen | known) & ~early, known)


def weights(
    columns: Floats,
    followed: Sequence[Stage],
    counts: NDArray[np.generic] | None = None,
    truncated: float = TRUNCATED,
) -> Floats:
    """Weight patients with an outcome by the inverse probability that they have one.

    The probability of passing each stage is a logistic regression on the columns with a ridge
    penalty of 1 / n (a normal prior with unit variance for each coefficient of a standardized
    column). Weights are the inverse product over the stages in which a patient was at risk, truncated
    from above, and stabilized: their mean over patients with an outcome is 1.

    Parameters
    ----------
    columns : ndarray, (n, p)
        Standardized columns, without a constant and without missing values.
    followed : sequence of Stage
        Stages of follow-up. Whoever passed all stages at which he or she was at risk has an outcome.
    counts : ndarray of int, (n,), optional
        How often each patient was drawn, for the bootstrap: the model is fitted again.
    truncated : float
        Share of the weights that is truncated.

    Returns
    -------
    ndarray, (n,)
        0 for patients without an outcome. Not multiplied by `counts`.

    Raises
    ------
    NotEstimableError
        If no patient has an outcome.

    References
    ----------
    Robins and Finkelstein, Biometrics 2000;56:779; Cole and Hernán, Am J Epidemiol 2008;168:656.

    Examples
    --------
    >>> seen = np.array([True, True, False, True])
    >>> early = np.zeros(4, dtype=bool)
    >>> weights(np.array([[1.0], [1.0], [1.0], [1.0]]), stages(seen, early, seen)).round(6)
    array([1., 1., 0., 1.])
    """
    n = len(columns)
    drawn = np.ones(n, dtype=np.intp) if counts is None else counts.astype(np.intp)
    probability = np.ones(n)
    known = np.ones(n, dtype=np.bool_)
    for stage in followed:
        known &= ~stage.at_risk | stage.passed
        rows = np.repeat(np.flatnonzero(stage.at_risk), drawn[stage.at_risk])
        passed = stage.passed[rows]
        if rows.size == 0 or passed.all():
            continue
        if not passed.any():
            raise NotEstimableError("no patient was followed")
        fitted = _passing(columns, rows, passed)
        probability = np.where(stage.at_risk, probability * fitted, probability)
    if not drawn[known].any():
        raise NotEstimableError("no patient has an outcome")
    found = np.where(known, 1 / probability, 0.0)
    values = np.repeat(found[known], drawn[known])
    limit = float(np.quantile(values, 1 - truncated, method="lower"))
    found = np.minimum(found, limit)
    return found / (np.sum(found * drawn) / np.sum(drawn[known]))


def _passing(columns: Floats, rows: NDArray[np.intp], passed: Booleans) -> Floats:
    """Probability of passing a stage, (n,), fitted to the patients in `rows`."""
    design = np.hstack([np.ones((len(columns), 1)), columns])
    penalty = np.r_[0.0, np.full(columns.shape[1], 1 / rows.size)]
    beta = logistic.solve(design[rows], passed, penalty=penalty)
    return logistic.expit(design @ beta)


def effective_size(weight: Floats) -> float:
    """Kish's effective sample size of weights, (n,).

    Examples
    --------
    >>> effective_size(np.array([1.0, 1.0, 1.0, 1.0]))
    4.0
    """
    return float(weight.sum() ** 2 / (weight**2).sum())

"""Conformal prediction sets: the outcomes that cannot be excluded for a patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import inputs
from thyrocast.statistics.inputs import Booleans, Floats


def p_values(outcome: ArrayLike, probability: ArrayLike, new: ArrayLike) -> Floats:
    """Conformal p values of both outcomes for new patients.

    An outcome with a p value at or below ``error`` is excluded; the others form the set.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        Calibration patients, and the model's probabilities of cure for them.
    new : array_like, (m,)
        Probabilities of cure of the new patients.

    Returns
    -------
    ndarray of float, (m, 2)
        Columns: p value of not cured, and of cured.

    Notes
    -----
    Class-conditional (Mondrian) split conformal prediction: Vovk, Gammerman and Shafer, Algorithmic
    Learning in a Random World, 2005, section 4.5. Nonconformity is the probability of the other
    outcome.

    **Guarantee.** If a new patient and the calibration patients of the same outcome are
    exchangeable (as if drawn from one population in random order), and the model did not learn
    from the calibration patients, then the set does not contain the true outcome with a
    probability of at most ``error``, for cured patients and for patients not cured, for any model
    and any number of patients. An outcome with fewer than 1 / error - 1 calibration patients is
    never excluded. Between hospitals exchangeability may fail: coverage there is measured, not
    guaranteed.

    Examples
    --------
    >>> p_values([0, 0, 0, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.9], [0.55]).round(3)
    array([[0.5  , 0.667]])
    """
    y = inputs.outcome_array(outcome)
    p = inputs.probability_array(probability, y.size)
    fresh = np.asarray(new, dtype=np.float64)
    fresh = inputs.probability_array(fresh, fresh.size)
    failed, cured = np.sort(p[~y]), np.sort(p[y])
    # Count patients who are at least as nonconforming: if not cured, those with at least as high a
    # probability; if cured, those with at least as low a probability.
    above = failed.size - np.searchsorted(failed, fresh, side="left")
    below = np.searchsorted(cured, fresh, side="right")
    return np.stack([(above + 1) / (failed.size + 1), (below + 1) / (cured.size + 1)], axis=1)


def cross_p_values(not_cured: Sequence[Floats], cured: Sequence[Floats], new: ArrayLike) -> Floats:
    """Conformal p values of models that were cross-fitted: of both outcomes for new patients.

    Each member of a model was fitted without its own fold of the patients, and predicts this fold
    and the new patients.

    Parameters
    ----------
    not_cured, cured : sequence of ndarray of float
        For each member, its scores of the patients of its fold with this outcome: higher means more
        likely cured. Members need not have the same scale.
    new : array_like, (members, m)
        Scores of the new patients by every member.

    Returns
    -------
    ndarray of float, (m, 2)
        Columns: p value of not cured, and of cured.

    Notes
    -----
    The p value of an outcome is the share of the patients with this outcome who are, for the member
    that did not see them, at least as nonconforming as the new patient is for the same member; the
    new patient counts as one of them. This is cross-conformal prediction (Vovk, Ann Math Artif
    Intell 2015;74:9), with the guarantee of CV+ (Barber et al., Ann Stat 2021;49:486, theorem 4).

    **Guarantee.** If a new patient and the n patients of the same outcome are exchangeable, and a
    member depends in no way on its own fold, the set contains the true outcome with a probability of
    at least 1 - 2 ``error`` - min(2 (1 - 1/K) / (n/K + 1), (1 - K/n) / (K + 1)), with K folds of n/K
    patients of this outcome. That is the worst case; for models that change little without one
    patient or fold it is near 1 - ``error``. One member with all patients is split conformal
    prediction, `p_values`, with its guarantee of 1 - ``error``.

    Examples
    --------
    >>> scores = np.array([2.0]), np.array([3.0, 40.0])
    >>> cross_p_values([np.array([1.0]), np.array([20.0])], scores, [[2.0], [30.0]]).round(2)
    array([[0.33, 0.75]])
    """
    fresh = np.asarray(new, dtype=np.float64)
    above, below = np.zeros((2, fresh.shape[1]))
    for failed, succeeded, values in zip(not_cured, cured, fresh, strict=True):
        above += len(failed) - np.searchsorted(np.sort(failed), values, side="left")
        below += np.searchsorted(np.sort(succeeded), values, side="right")
    count = [1 + sum(len(scores) for scores in of_outcome) for of_outcome in (not_cured, cured)]
    return np.stack([(above + 1) / count[0], (below + 1) / count[1]], axis=1)


def leave_one_out(outcome: ArrayLike, probability: ArrayLike) -> Floats:
    """Conformal p values of each patient, calibrated on all the others.

    The guarantee of `p_values` is valid on average over the patients, if they are exchangeable and
    the model did not learn from them. It shows what a center could achieve by calibration on
    its own patients.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure.

    Returns
    -------
    ndarray of float, (n, 2)
        As in `p_values`.

    Examples
    --------
    >>> leave_one_out([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]).round(2)
    array([[1.  , 0.33],
           [0.5 , 0.33],
           [0.33, 0.5 ],
           [0.33, 1.  ]])
    """
    y = inputs.outcome_array(outcome)
    p = inputs.probability_array(probability, y.size)
    together = p_values(y, p, p)
    count = np.array([np.sum(~y), np.sum(y)], dtype=np.float64)
    # A patient is not one of the calibration patients of the patient's own outcome.
    own = np.stack([~y, y], axis=1)
    return np.where(own, together * (count + 1) - 1, together * (count + 1)) / np.where(
        own, count, count + 1
    )


def sets(p_value: Floats, error: float) -> Booleans:
    """Prediction sets: outcomes that are not excluded.

    Parameters
    ----------
    p_value : ndarray of float, (n, 2)
        From `p_values`.
    error : float
        Largest accepted share of sets without the true outcome.

    Returns
    -------
    ndarray of bool, (n, 2)
        Columns not cured and cured. Both true: no decision; both false: the patient is unlike the
        calibration patients of both outcomes.

    Examples
    --------
    >>> sets(np.array([[0.05, 0.7], [0.4, 0.3]]), 0.1)
    array([[False,  True],
           [ True,  True]])
    """
    return np.asarray(p_value > error)

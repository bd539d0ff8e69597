"""Conformal prediction sets: which outcomes cannot be excluded for a patient, with a guarantee."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import inputs
from thyrocast.statistics.inputs import Booleans, Floats


def p_values(outcome: ArrayLike, probability: ArrayLike, new: ArrayLike) -> Floats:
    """Conformal p values of either outcome for new patients.

    An outcome with a p value at or below ``error`` is excluded; the set is what remains.

    **Guarantee.** If a new patient and the calibration patients of the same outcome are
    exchangeable (as if drawn from one population in random order), and the model did not learn
    from the calibration patients, then the set misses the truth with a probability of at most
    ``error``, for the cured and for the not cured alike, whatever the model and however few the
    patients. With fewer than 1 / error - 1 calibration patients of an outcome it is never excluded.
    Between hospitals exchangeability may fail: coverage there is measured, not guaranteed.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        Calibration patients, and the model's probabilities of cure for them.
    new : array_like, (m,)
        Probabilities of cure of the new patients.

    Returns
    -------
    (m, 2)
        Columns: p value of not cured, and of cured.

    Notes
    -----
    Class-conditional (Mondrian) split conformal prediction: Vovk, Gammerman and Shafer, Algorithmic
    Learning in a Random World, 2005, section 4.5. Nonconformity is the probability of the other
    outcome.
    """
    y = inputs.outcome_array(outcome)
    p = inputs.probability_array(probability, y.size)
    fresh = np.asarray(new, dtype=np.float64)
    fresh = inputs.probability_array(fresh, fresh.size)
    failed, cured = np.sort(p[~y]), np.sort(p[y])
    # Not cured: as strange or stranger are those with a probability as high; cured: as low.
    above = failed.size - np.searchsorted(failed, fresh, side="left")
    below = np.searchsorted(cured, fresh, side="right")
    return np.stack([(above + 1) / (failed.size + 1), (below + 1) / (cured.size + 1)], axis=1)


def leave_one_out(outcome: ArrayLike, probability: ArrayLike) -> Floats:
    """P values of each patient calibrated on all the others; as :func:`p_values`, (n, 2).

    The guarantee holds on average over the patients, if they are exchangeable and none was trained
    on: it shows what a center could have by calibrating on patients of its own.
    """
    y = inputs.outcome_array(outcome)
    p = inputs.probability_array(probability, y.size)
    together = p_values(y, p, p)
    count = np.array([np.sum(~y), np.sum(y)], dtype=np.float64)
    # Among the calibration patients of their own outcome, everybody counts once less.
    own = np.stack([~y, y], axis=1)
    return np.where(own, together * (count + 1) - 1, together * (count + 1)) / np.where(
        own, count, count + 1
    )


def sets(p_value: Floats, error: float) -> Booleans:
    """Outcomes not excluded, (n, 2): columns not cured and cured.

    Both true is an abstention; both false says that the patient resembles neither.
    """
    return np.asarray(p_value > error)

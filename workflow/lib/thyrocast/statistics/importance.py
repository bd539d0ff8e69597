"""Permutation importance: what a model loses in test patients if a predictor comes from other patients.

Every patient is predicted again with the predictor's values of R other patients (the donors). The donors are
dealt by shifts of one random order of the patients: each shift is a permutation in which nobody keeps the own
value, and with n - 1 shifts every pair of patients occurs once, which gives the exact mean over such
permutations (the estimator e_switch of Fisher, Rudin and Dominici, J Mach Learn Res 2019;20:177).

The standard error is that of the infinitesimal jackknife (Efron 1982): the derivative of the loss by the weight
of each patient, who counts as a predicted patient and as a donor. To first order it equals the bootstrap of
test patients in which donors are drawn with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thyrocast.statistics import discrimination, intervals
from thyrocast.statistics.inputs import Booleans, Floats, Integers, NotEstimableError
from thyrocast.statistics.intervals import Interval

METHOD = "infinitesimal_jackknife"


class Loss(NamedTuple):
    """What is lost in one set of patients.

    Attributes
    ----------
    auc, brier : float
        AUC minus that with permuted values; Brier score with permuted values minus that without.
    auc_influence, brier_influence : ndarray, (n,)
        Contribution of each patient to the error; their squares sum to the variance.
    """

    auc: float
    brier: float
    auc_influence: Floats
    brier_influence: Floats


def deal(n: int, permutations: int, random: np.random.Generator) -> Integers:
    """Deal donors: in each row, every patient once, and nobody to oneself.

    Parameters
    ----------
    n : int
        Patients, at least 2.
    permutations : int
        Most permutations; there are n - 1 different ones of this kind.
    random : numpy.random.Generator

    Returns
    -------
    ndarray of int, (r, n)
        The donor of each patient.

    Examples
    --------
    >>> donors = deal(4, 100, np.random.default_rng(1))
    >>> np.sort(np.vstack([donors, np.arange(4)]), axis=0).T.tolist()[0]
    [0, 1, 2, 3]
    """
    order = random.permutation(n)
    shifts = np.arange(1, n)
    if permutations < n - 1:
        shifts = np.sort(random.choice(shifts, permutations, replace=False))
    donors = np.empty((len(shifts), n), dtype=np.intp)
    for row, shift in zip(donors, shifts, strict=True):
        row[order] = np.roll(order, -shift)
    return donors


def loss(outcome: Booleans, score: Floats, permuted: Floats, donors: Integers) -> Loss:
    """Loss by the permutation of a predictor.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    score : ndarray, (n,)
        Predicted probabilities.
    permuted : ndarray, (r, n)
        The same with the predictor's values of the donors.
    donors : ndarray of int, (r, n)
        As from `deal`.

    Raises
    ------
    NotEstimableError
        If an outcome is missing.
    """
    n, r = len(outcome), len(donors)
    both = bool(outcome.any() and not outcome.all())
    if not both:
        raise NotEstimableError("permutation importance needs both outcomes")
    whole, own = np.empty(n), np.empty((r, n))
    whole[outcome], whole[~outcome] = discrimination.placements(outcome, score)
    every = np.broadcast_to(outcome, (r, n)).ravel()
    cured, failed = discrimination.placements(every, permuted.ravel())
    flat = np.empty(r * n)
    flat[every], flat[~every] = cured, failed
    own = flat.reshape(r, n)
    # Means within each outcome are the AUC: a patient's share of it, and that of the values of each donor.
    size = np.where(outcome, outcome.sum(), n - outcome.sum())
    area, permuted_area = float(cured.mean()), float(whole[outcome].mean())
    difference = _centered(whole, outcome) - _centered(own.mean(axis=0), outcome)
    auc_influence = difference / size - _of_donors((own - own.mean(axis=0)) / size, donors)
    error = (permuted - outcome) ** 2
    before = (score - outcome) ** 2
    gain = error.mean(axis=0) - before
    brier_influence = (gain - gain.mean()) / n + _of_donors(
        (error - error.mean(axis=0)) / n, donors
    )
    # As DeLong's variance, and that of a mean, divide by n - 1.
    within = np.sqrt(size / np.maximum(size - 1, 1))
    return Loss(
        permuted_area - area,
        float(gain.mean()),
        auc_influence * within,
        brier_influence * math.sqrt(n / (n - 1)),
    )


def _centered(values: Floats, outcome: Booleans) -> Floats:
    """Values (n,) minus their mean among patients of the same outcome."""
    means = np.where(outcome, values[outcome].mean(), values[~outcome].mean())
    return np.asarray(values - means)


def _of_donors(values: Floats, donors: Integers) -> Floats:
    """Mean over permutations of what each donor's values add (n,), from (r, n) by predicted patient."""
    total = np.bincount(donors.ravel(), values.ravel(), minlength=donors.shape[1])
    return np.asarray(total / len(donors))


def join(
    losses: Sequence[Loss], patients: Sequence[Integers], confidence: float = 0.95
) -> tuple[Interval, Interval]:
    """Mean loss over the splits of a design, with intervals.

    Parameters
    ----------
    losses
        Of each split.
    patients : sequence of ndarray of int
        Number of each patient (n,) of each split; one who is tested in several splits has one number.
    confidence : float
        Confidence level.

    Returns
    -------
    auc, brier : Interval
        The models are fixed: how they would differ with other training patients is not in the interval.
    """
    found = []
    for measure in ("auc", "brier"):
        influence = np.zeros(1 + max(int(own.max()) for own in patients))
        for one, own in zip(losses, patients, strict=True):
            np.add.at(influence, own, getattr(one, f"{measure}_influence") / len(losses))
        estimate = float(np.mean([getattr(one, measure) for one in losses]))
        error = float(np.sqrt((influence**2).sum()))
        half = intervals.normal_quantile(confidence) * error
        found.append(
            Interval(estimate, estimate - half, estimate + half, METHOD, error, "identity")
        )
    return found[0], found[1]

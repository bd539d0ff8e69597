"""Bootstrap correction of apparent performance for optimism."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import inputs, resampling
from thyrocast.statistics.inputs import Booleans, Floats, Integers


class Optimism(NamedTuple):
    """Apparent performance and its correction.

    Attributes
    ----------
    apparent : float
        Performance in the patients that the model was fitted to.
    optimism : float
        Mean over resamples of performance in the resample minus performance in all patients.
    corrected : float
        Apparent performance minus optimism.
    """

    apparent: float
    optimism: float
    corrected: float


def correct(
    outcome: ArrayLike,
    learn: Callable[[Integers, Integers], Floats],
    metrics: Mapping[str, Callable[[Booleans, Floats], float]],
    resamples: int,
    random: np.random.Generator,
) -> dict[str, Optimism]:
    """Correct apparent performance by Harrell's bootstrap.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    learn : callable
        Function of the indices of patients to fit to, (m,), and to predict, (k,). It repeats
        **every** step of fitting (selection and tuning included) and returns probabilities, (k,).
    metrics : mapping of callable
        Metrics by name; each is a function of outcome and probabilities, (n,).
    resamples : int
        Number of resamples, drawn within outcomes, so that every one has both.
    random : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    dict of Optimism

    Raises
    ------
    NotEstimableError
        With fewer than two patients of an outcome.

    Notes
    -----
    Harrell, Lee and Mark, Stat Med 1996;15:361. The correction is too small for models that nearly
    reproduce their training set, such as unpruned forests (Steyerberg et al., J Clin Epidemiol
    2001;54:774); use cross-validation (design ``kfold``) for them.

    Examples
    --------
    A model that does not learn has no optimism on average:

    >>> from thyrocast.statistics import discrimination
    >>> score = np.array([0.1, 0.4, 0.35, 0.8])
    >>> found = correct(
    ...     [0, 0, 1, 1],
    ...     lambda train, new: score[new],
    ...     {"auc": discrimination.auc},
    ...     100,
    ...     np.random.default_rng(1),
    ... )
    >>> found["auc"].apparent
    0.75
    """
    y = inputs.outcome_array(outcome)
    inputs.require_both(y, "optimism correction", each=2)
    everybody = np.arange(y.size)
    fitted = learn(everybody, everybody)
    excess: dict[str, list[float]] = {name: [] for name in metrics}
    for block in resampling.draws(resampling.strata(y), resamples, random):
        for counts in block:
            drawn = np.repeat(everybody, counts)
            all_of_them = learn(drawn, everybody)
            for name, metric in metrics.items():
                # Copies of one patient have the same probability.
                inside = metric(y[drawn], all_of_them[drawn])
                excess[name].append(inside - metric(y, all_of_them))
    return {
        name: Optimism(apparent, optimism, apparent - optimism)
        for name, metric in metrics.items()
        for apparent, optimism in [(metric(y, fitted), float(np.mean(excess[name])))]
    }

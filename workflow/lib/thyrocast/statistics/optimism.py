"""Bootstrap correction of apparent performance for optimism."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import inputs, resampling
from thyrocast.statistics.inputs import Booleans, Floats, Integers


class Optimism(NamedTuple):
    """Performance in the training set, how much of it is optimism, and what is left."""

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
    """Harrell's correction: how much better a model does where it learned than in all patients.

    Parameters
    ----------
    outcome : array_like, (n,)
    learn : callable
        Given the places of those to learn from and of those to predict, fits **everything** anew
        (selection and tuning included) and returns probabilities.
    metrics : mapping of callables
        Of outcome and probabilities, by name.
    resamples : int
        Drawn within outcomes, so that none lacks one.

    Notes
    -----
    Harrell, Lee and Mark, Stat Med 1996;15:361. The correction is too small for models that all but
    remember their training set, such as unpruned forests (Steyerberg et al., J Clin Epidemiol
    2001;54:774): cross-validation (design ``kfold``) is the better answer there.
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
                # a model gives copies of one patient one probability
                inside = metric(y[drawn], all_of_them[drawn])
                excess[name].append(inside - metric(y, all_of_them))
    return {
        name: Optimism(apparent, optimism, apparent - optimism)
        for name, metric in metrics.items()
        for apparent, optimism in [(metric(y, fitted), float(np.mean(excess[name])))]
    }

"""L1-penalized logistic regression over a path of penalties, cross-validated as in glmnet.

The intercept is not penalized. Features are standardized by their standard deviation (divisor n)
inside each fit. Paths start at the largest penalty, and each solution starts from the previous one. The
path of all patients and those without each fold are fitted together (`active_set`).

Existing solvers are not suitable: liblinear penalizes the intercept, saga does not converge within
a minute at 100 x 2,048, celer has no intercept, skglm compiles for 8 s in every process, and adelie,
which is as fast, imports IPython and matplotlib.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast.config.signature import Selection
from thyrocast.signature import active_set
from thyrocast.signature.active_set import Fit

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]

# Explained share of the deviance above which smaller penalties only move fitted probabilities to 0
# and 1 (glmnet's devmax).
SATURATED = 0.999
# Tolerance of the optimality conditions, as a share of the path's largest penalty.
TOLERANCE = 1e-9
# In the cross-validated deviance, probabilities are kept this far from 0 and 1 (glmnet's pmin).
CLIP = 1e-5


@dataclass(frozen=True)
class LassoPath:
    """Solutions for a decreasing sequence of penalties, on the features' own scale.

    Attributes
    ----------
    penalties : ndarray, (L,)
        Lambda, on the scale of the mean log-likelihood.
    intercepts : ndarray, (L,)
    coefficients : ndarray, (L, p)
    """

    penalties: Array
    intercepts: Array
    coefficients: Array

    def linear(self, features: Array) -> Array:
        """Linear predictors (n, L) of features (n, p)."""
        used = np.flatnonzero(self.coefficients.any(axis=0))
        return self.intercepts + features[:, used] @ self.coefficients[:, used].T


@dataclass(frozen=True)
class CrossValidatedPath:
    """A path with its cross-validated deviance.

    Attributes
    ----------
    path : LassoPath
        Fitted to all patients.
    deviance, error : ndarray, (L,)
        Mean binomial deviance per patient over the folds (each weighted by its size) and its
        standard error.
    """

    path: LassoPath
    deviance: Array
    error: Array

    @property
    def nonzero(self) -> NDArray[np.int64]:
        """Number of features with a nonzero coefficient (L,)."""
        return np.asarray(np.count_nonzero(self.path.coefficients, axis=1))


@dataclass(frozen=True)
class _Scaled:
    """Varying features, centered and scaled (q, n); their mean and scale (q,); their mask (p,)."""

    features: Array
    mean: Array
    scale: Array
    varying: NDArray[np.bool_]


def penalties(features: Array, outcome: Array, count: int = 100, ratio: float = 0.01) -> Array:
    """Geometric sequence of penalties, from the smallest one at which no feature is active.

    Parameters
    ----------
    features : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    count : int
        Length of the sequence.
    ratio : float
        Its smallest penalty as a share of its largest.

    Returns
    -------
    ndarray, (count,)
        Decreasing; a single 1 if no feature varies with the outcome.
    """
    scaled = _standardize(features).features
    if scaled.shape[0] == 0:
        return np.ones(1)
    largest = np.abs(scaled @ (outcome - outcome.mean())).max() / len(outcome)
    if largest <= 1e-12:
        return np.ones(1)
    return np.asarray(largest * np.logspace(0, np.log10(ratio), count))


def fit_path(features: Array, outcome: Array, lambdas: Array, mix: float = 1.0) -> LassoPath:
    """Fit the path; it ends early if the model is saturated.

    Parameters
    ----------
    features : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured; both occur.
    lambdas : ndarray, (L,)
        Penalties, decreasing.
    mix : float
        Share of the penalty on absolute values, the rest on half the squares; 1 for the LASSO.

    Returns
    -------
    LassoPath
        Path of at most L solutions.

    References
    ----------
    Friedman, Hastie, Tibshirani, J Stat Softw 2010;33(1).
    """
    if len(np.unique(outcome)) < 2:
        raise ValueError("a logistic path needs both outcomes")
    return _paths(features, outcome, np.ones((1, len(outcome)), dtype=bool), lambdas, mix)[0]


def cross_validate(
    features: Array, outcome: Array, folds: NDArray[np.int64], lambdas: Array, mix: float = 1.0
) -> CrossValidatedPath:
    """Fit the path to all patients and measure its deviance on held-out patients.

    Parameters
    ----------
    features : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured; both occur.
    folds : ndarray of int, (n,)
        A fold without which only one outcome is left is skipped.
    lambdas : ndarray, (L,)
        Penalties, decreasing.
    mix : float
        As in `fit_path`.

    Returns
    -------
    CrossValidatedPath
        Its deviance and error are infinite if fewer than two folds could be used.
    """
    held_out = [folds == fold for fold in np.unique(folds)]
    held_out = [part for part in held_out if len(np.unique(outcome[~part])) == 2]
    everyone = np.ones(len(outcome), dtype=bool)
    fitted = np.stack([everyone, *(~part for part in held_out)])
    path, *parts = _paths(features, outcome, fitted, lambdas, mix)
    lambdas = path.penalties
    rows, sizes = [], []
    for part, test in zip(parts, held_out, strict=True):
        linear = part.linear(features[test])
        # After its end the last solution is used, as in glmnet.
        last = np.repeat(linear[:, -1:], len(lambdas) - linear.shape[1], axis=1)
        rows.append(deviance(np.hstack([linear, last]), outcome[test]))
        sizes.append(test.sum())
    if len(rows) < 2:
        infinite = np.full(len(lambdas), np.inf)
        return CrossValidatedPath(path, infinite, infinite)
    table, share = np.array(rows), np.array(sizes) / np.sum(sizes)
    mean = share @ table
    error = np.sqrt(share @ (table - mean) ** 2 / (len(rows) - 1))
    return CrossValidatedPath(path, mean, error)


def deviance(linear: Array, outcome: Array) -> Array:
    """Mean binomial deviance (L,) of linear predictors (n, L); probabilities are clipped."""
    probability = np.clip(expit(linear), CLIP, 1 - CLIP)
    hit = np.where(outcome[:, None] > 0.5, probability, 1 - probability)
    return np.asarray(-2 * np.log(hit).mean(axis=0))


def choose(result: CrossValidatedPath, rule: Selection, count: int = 16) -> int:
    """Position on the path that a rule chooses.

    Parameters
    ----------
    result
        A cross-validated path.
    rule
        ``minimum``: the smallest deviance (the largest penalty among equals);
        ``one_standard_error``: the largest penalty whose deviance is within one standard error of
        the smallest; ``count``: as many features as `count`, or the nearest number on the path,
        fewer rather than more and the largest penalty among equals.
    count : int
        For ``count``; the published study kept 16.
    """
    if rule is Selection.COUNT:
        distance = np.abs(result.nonzero - count) + np.where(result.nonzero > count, 0.5, 0.0)
        return int(np.argmin(distance))
    best = int(np.argmin(result.deviance))
    if rule is Selection.MINIMUM or not np.isfinite(result.deviance[best]):
        return best
    within = result.deviance <= result.deviance[best] + result.error[best]
    return int(np.flatnonzero(within)[0])


def _standardize(features: Array) -> _Scaled:
    scale = features.std(axis=0)
    varying = scale > _smallest_scale(features)
    kept = features[:, varying]
    mean = kept.mean(axis=0)
    scaled = np.ascontiguousarray(((kept - mean) / scale[varying]).T)
    return _Scaled(scaled, mean, scale[varying], varying)


def _smallest_scale(features: Array) -> Array:
    """Standard deviation (p,) up to which a feature counts as constant."""
    return np.asarray(1e-10 * np.maximum(np.abs(features).max(axis=0, initial=0), 1e-300))


def _paths(
    features: Array, outcome: Array, members: NDArray[np.bool_], lambdas: Array, mix: float
) -> list[LassoPath]:
    """Fit the path to several groups of patients (k, n); none is longer than that of the first.

    A path ends early if the model is saturated.
    """
    if not 0 < outcome.mean() < 1:
        raise ValueError("a logistic path needs both outcomes")
    scaled = _standardize(features)
    rows = np.vstack([np.ones(len(outcome)), scaled.features])
    smallest = _smallest_scale(features)[scaled.varying] / scaled.scale
    fits, nulls = [], []
    for member in members:
        share = member / member.sum()
        spread = scaled.features[:, member].std(axis=1)
        factor = np.concatenate([[0.0], np.where(spread > smallest, spread, np.inf)])
        fits.append(Fit(rows, outcome, share, factor, mix))
        nulls.append(fits[-1].loss())
    found: list[list[tuple[float, Array]]] = [[] for _ in fits]
    running = list(range(len(fits)))
    for penalty in lambdas:
        solved = active_set.solve(
            rows, [fits[number] for number in running], penalty, TOLERANCE * lambdas[0]
        )
        going = []
        for number, success in zip(running, solved, strict=True):
            if not success:
                logger.warning(
                    "LASSO: no solution at penalty %.4g meets the optimality conditions, the path "
                    "ends before it",
                    penalty,
                )
                continue
            found[number].append(_unscaled(fits[number], scaled))
            if 1 - fits[number].loss() / nulls[number] <= SATURATED:
                going.append(number)
        running = going
        if 0 not in running:
            break
    return [
        LassoPath(
            lambdas[: len(solutions)].copy(),
            np.array([intercept for intercept, _ in solutions]),
            np.array([weights for _, weights in solutions]),
        )
        for solutions in found
    ]


def _unscaled(fit: Fit, scaled: _Scaled) -> tuple[float, Array]:
    """Intercept and coefficients (p,) on the features' own scale."""
    active = fit.rows[1:] - 1
    weights = fit.weights[1:] / scaled.scale[active]
    coefficients = np.zeros(len(scaled.varying))
    coefficients[np.flatnonzero(scaled.varying)[active]] = weights
    return float(fit.weights[0] - weights @ scaled.mean[active]), coefficients

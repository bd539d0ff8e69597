"""L1-penalized logistic regressions of the same patients, solved together by an active-set Newton method.

A fit is defined by its patients' weights: all patients, or all without a fold. The active features and
their signs are kept from one penalty to the next. Within them the objective is smooth, and Newton's
method solves it; a factor of the Hessian is used again as long as it converges fast. A feature whose
coefficient would change its sign leaves. Then the optimality conditions are checked on all features, for
all fits in one matrix product, and features that violate them enter. A solution is accepted only if it
meets the conditions, in active and inactive features alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.special import expit

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Newton steps within one active set, and changes of the set, after which a fit counts as failed.
STEPS = 200
ROUNDS = 200
# The Hessian is computed again if a step leaves more than this share of the gradient.
SLOW = 0.3
# Smallest variance of an outcome in the Hessian, which keeps it invertible near saturation.
SMALLEST_VARIANCE = 1e-6
# Share by which the Hessian's diagonal is increased, for features that are copies of each other.
JITTER = 1e-10


class Fit:
    """One regression: its patients, and its solution for the current penalty.

    Parameters
    ----------
    features : ndarray, (1 + q, n)
        Row 0 is 1 for all patients; the others are features. C order: active rows are copied often.
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    share : ndarray, (n,)
        Weight of each patient, with sum 1; 0 if not in this fit. Both outcomes have a weight.
    scale : ndarray, (1 + q,)
        Factor of the penalty of each row: 0 for row 0, infinite for a feature that must not enter.
    mix : float
        Share of the penalty that is on absolute values; the rest is on half the squares (elastic net).
        1 for the LASSO.

    Attributes
    ----------
    rows : ndarray of int, (1 + a,)
        Active rows; the first is row 0.
    weights : ndarray, (1 + a,)
        Their coefficients.
    residual : ndarray, (n,)
        Weighted difference of outcome and probability.
    """

    def __init__(
        self, features: Array, outcome: Array, share: Array, scale: Array, mix: float = 1.0
    ) -> None:
        self._features, self._outcome, self._share, self._scale = features, outcome, share, scale
        self._mix = mix
        prevalence = float(share @ outcome)
        self.rows = np.zeros(1, dtype=np.int64)
        self.weights = np.array([np.log(prevalence / (1 - prevalence))])
        self._signs = np.zeros(1)
        self._active = features[:1].copy()
        self._factor: Array | None = None
        self._place(self.weights)

    def loss(self) -> float:
        """Weighted mean of the negative log-likelihood."""
        return float(self._share @ (np.logaddexp(0, self._linear) - self._outcome * self._linear))

    def violating(self, gradient: Array, penalty: float, tolerance: float) -> Integers:
        """Inactive rows that violate their optimality condition, from the gradient (1 + q,)."""
        excess = np.abs(gradient) - penalty * self._mix * self._scale
        excess[self.rows] = -np.inf
        return np.flatnonzero(excess > tolerance)

    def enter(self, rows: Integers, signs: Array) -> None:
        """Add rows to the active set, with coefficient 0 and the sign that they will have."""
        self._keep(
            np.concatenate([self.rows, rows]),
            np.concatenate([self.weights, np.zeros(len(rows))]),
            np.concatenate([self._signs, signs]),
        )

    def descend(self, penalty: float, tolerance: float) -> bool:
        """Solve for the active rows; those whose coefficient would change its sign leave.

        Returns
        -------
        bool
            Whether the optimality conditions of the active rows are met.
        """
        before = np.inf
        for _ in range(STEPS):
            pull, stiffness = self._penalties(penalty)
            slope = self._gradient - pull - stiffness * self.weights
            size = float(np.abs(slope).max())
            if size <= tolerance:
                return True
            fresh = self._factor is None or size > SLOW * before
            if fresh:
                self._factor = self._factorize(stiffness)
            before = size
            step = dpotrs(self._factor, slope, lower=1)[0]
            crossing = (self.weights + step) * self._signs < 0
            if crossing.any():
                self._leave(step, crossing, pull, stiffness)
                before = np.inf
            elif not self._move(step, pull, stiffness, size) and fresh:
                return False  # at the limit of floating point
        return False

    def _penalties(self, penalty: float) -> tuple[Array, Array]:
        """Slope of the absolute penalty, and curvature of the squared one, of each active row."""
        scale = self._scale[self.rows]
        return penalty * self._mix * scale * self._signs, penalty * (1 - self._mix) * scale**2

    def _value(self, pull: Array, stiffness: Array) -> float:
        """Objective at the current weights, for given signs."""
        return self.loss() + float(pull @ self.weights + stiffness @ self.weights**2 / 2)

    def _move(self, step: Array, pull: Array, stiffness: Array, size: float) -> bool:
        """Take a step within the signs; halve it while neither gradient nor objective decrease."""
        old = self.weights
        value = None
        for half in range(30):
            self._place(old + step / 2**half)
            if np.abs(self._gradient - pull - stiffness * self.weights).max() < size / 2:
                return True
            if value is None:
                moved = self.weights
                self._place(old)
                value = self._value(pull, stiffness)
                self._place(moved)
            if self._value(pull, stiffness) < value:
                return True
        self._place(old)
        self._factor = None
        return False

    def _leave(
        self, step: Array, crossing: NDArray[np.bool_], pull: Array, stiffness: Array
    ) -> None:
        """Set crossing coefficients to 0 together if this is better, otherwise only the first."""
        old = self.weights
        value = self._value(pull, stiffness)
        self._place(np.where(crossing, 0.0, old + step))
        if self._value(pull, stiffness) >= value:
            length = np.full(len(step), np.inf)
            length[crossing] = -old[crossing] / step[crossing]
            crossing = length <= length.min()
            self._place(np.where(crossing, 0.0, old + length.min() * step))
        stay = ~crossing
        self._keep(self.rows[stay], self.weights[stay], self._signs[stay])

    def _keep(self, rows: Integers, weights: Array, signs: Array) -> None:
        self.rows, self.weights, self._signs = rows, weights, signs
        self._active = self._features[rows]
        self._gradient = self._active @ self.residual
        self._factor = None

    def _place(self, weights: Array) -> None:
        self.weights = weights
        self._linear = weights @ self._active
        self._probability = expit(self._linear)
        self.residual = self._share * (self._outcome - self._probability)
        self._gradient = self._active @ self.residual

    def _factorize(self, stiffness: Array) -> Array:
        variance = np.maximum(self._probability * (1 - self._probability), SMALLEST_VARIANCE)
        hessian = (self._active * (self._share * variance)) @ self._active.T
        diagonal = hessian.diagonal() + stiffness
        jitter = JITTER
        while True:
            np.fill_diagonal(hessian, diagonal * (1 + jitter))
            factor, failed = dpotrf(hessian, lower=1)
            if not failed:
                return np.asarray(factor)
            jitter *= 100


def solve(
    features: Array, fits: Sequence[Fit], penalty: float, tolerance: float
) -> NDArray[np.bool_]:
    """Solve all fits for a penalty, each from its solution for the one before.

    Parameters
    ----------
    features : ndarray, (1 + q, n)
        The rows of which the fits are made.
    fits
        They are changed in place.
    penalty : float
    tolerance : float
        Largest accepted violation of an optimality condition.

    Returns
    -------
    ndarray of bool, (fits,)
        Whether each fit meets the conditions of all features.
    """
    solved = np.zeros(len(fits), dtype=bool)
    pending = list(range(len(fits)))
    for _ in range(ROUNDS):
        if not pending:
            break
        pending = [number for number in pending if fits[number].descend(penalty, tolerance)]
        if not pending:
            break
        gradients = features @ np.stack([fits[number].residual for number in pending], axis=1)
        left = []
        for number, gradient in zip(pending, gradients.T, strict=True):
            violating = fits[number].violating(gradient, penalty, 2 * tolerance)
            if len(violating) == 0:
                solved[number] = True
            else:
                fits[number].enter(violating, np.sign(gradient[violating]))
                left.append(number)
        pending = left
    return solved

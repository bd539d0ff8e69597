"""The training patients of a split, and how models are fitted to them and predict them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.signature import Embeddings, RecalibrationMethod, SignatureConfig
from thyrocast.contract.names import Model
from thyrocast.signature.model import Recalibration
from thyrocast.statistics import recalibration

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

T = TypeVar("T")


@dataclass(frozen=True)
class Training:
    """Outcomes (n,) and folds (n,) of the training patients, and how models are fitted to them."""

    outcome: Array
    fold: NDArray[np.int64]
    config: SignatureConfig
    seed: int
    threads: int

    @property
    def cross_fitted(self) -> bool:
        """Whether training patients are predicted by models that did not see them."""
        return self.config.embeddings is Embeddings.CROSS_FITTED

    @property
    def recalibrates(self) -> bool:
        """Whether log-odds are recalibrated."""
        return self.cross_fitted and self.config.recalibration is RecalibrationMethod.LOGISTIC

    def cross_fit(
        self, fit: Callable[[Mask, str], T], predict: Callable[[T, Mask], Array]
    ) -> tuple[T, Array]:
        """Fit to all patients, and predict each patient by a fit without the patient's fold.

        Parameters
        ----------
        fit
            Fits to the patients of a mask; the second argument is a name for the seed.
        predict
            Probability of cure of the patients of a mask.

        Returns
        -------
        The fit to all, and the probabilities (n,): cross-fitted, or, with in-sample embeddings (as
        published), the apparent ones of the fit to all.
        """
        everyone = np.ones(len(self.fold), dtype=bool)
        whole = fit(everyone, "all")
        if not self.cross_fitted:
            return whole, predict(whole, everyone)
        result = np.zeros(len(self.fold))
        for fold in np.unique(self.fold):
            held_out = self.fold == fold
            result[held_out] = predict(fit(~held_out, f"without-{fold}"), held_out)
        return whole, result

    def cross_fit_odds(
        self, fit: Callable[[Mask, str], T], odds: Callable[[T], Array]
    ) -> tuple[T, Array]:
        """Like `cross_fit`, for linear models, with the log-odds of all fits on one scale.

        A fit without a fold is more or less shrunken than the fit to all, by chance. If its
        training patients show more signal, its log-odds vary more, and the fold that it predicts
        shows less. Joined as they are, such log-odds rank patients below chance where there is
        no signal (AUC .479 for 97 patients; .498 on one scale). Therefore the log-odds of each fit
        are shifted and scaled, so that mean and standard deviation in the fit's own patients are
        those of the fit to all.

        Parameters
        ----------
        fit
            As in `cross_fit`.
        odds
            Log-odds of all patients (n,).
        """
        everyone = np.ones(len(self.fold), dtype=bool)
        whole = fit(everyone, "all")
        reference = odds(whole)
        if not self.cross_fitted:
            return whole, reference
        middle, spread = reference.mean(), reference.std()
        result = np.zeros(len(self.fold))
        for fold in np.unique(self.fold):
            held_out = self.fold == fold
            found = odds(fit(~held_out, f"without-{fold}"))
            own = found[~held_out]
            # Without any signal in the fit, its log-odds differ by rounding errors only.
            ratio = spread / own.std() if own.std() > 1e-9 else 0.0
            result[held_out] = middle + ratio * (found[held_out] - own.mean())
        return whole, result

    def recalibrate(self, name: Model, odds: Array) -> Recalibration:
        """Recalibration of training patients' log-odds (n,), if the config asks for it."""
        if not self.recalibrates:
            return Recalibration(intercept=0.0, slope=1.0)
        found = recalibration.fit(odds, self.outcome == 1)
        logger.info(
            "%s: recalibrated, intercept %.3f, slope %.3f", name, found.intercept, found.slope
        )
        if not found.signal:
            logger.warning("%s: no signal in the training set, the prevalence is predicted", name)
        return Recalibration(intercept=found.intercept, slope=found.slope)

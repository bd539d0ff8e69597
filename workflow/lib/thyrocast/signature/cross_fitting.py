"""The training patients of a split, and which of them each member was fitted to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.signature import Embeddings, RecalibrationMethod, SignatureConfig
from thyrocast.contract.names import FULL, Model, fold_member
from thyrocast.signature.model import Recalibration, Scale
from thyrocast.statistics import recalibration

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A standard deviation of log-odds below this is a rounding error: the model predicts a constant.
_SMALLEST_SPREAD = 1e-9


@dataclass(frozen=True)
class Part:
    """The training patients of one member.

    Attributes
    ----------
    name
        The member: ``full``, or ``fold-k``.
    position
        Of its network among those of the split, from 0.
    seen : ndarray of bool, (n,)
        Patients to whom it is fitted.
    predicted : ndarray of bool, (n,)
        Patients whom it predicts: those of its fold, or, as published, the same ones.
    """

    name: str
    position: int
    seen: Mask
    predicted: Mask

    def seed(self, study: int, model: str) -> int:
        """Seed of a model of this member."""
        return seeds.derive(study, model, "all" if self.name == FULL else f"without-{self.name}")


@dataclass(frozen=True)
class Training:
    """Outcomes (n,) and folds (n,) of the training patients, and how models are fitted to them.

    `patient` (n,) is the number of each row's patient, if patients have several rows.
    """

    outcome: Array
    fold: NDArray[np.int64]
    config: SignatureConfig
    seed: int
    threads: int
    patient: NDArray[np.int64] | None = None

    def copies(self, part: Part) -> NDArray[np.int64] | None:
        """Number of the patient of each row to which a member is fitted; None: all differ."""
        return None if self.patient is None else self.patient[part.seen]

    @property
    def cross_fitted(self) -> bool:
        """Whether training patients are predicted by models that did not see them."""
        return self.config.embeddings is Embeddings.CROSS_FITTED

    @property
    def recalibrates(self) -> bool:
        """Whether log-odds are standardized and recalibrated."""
        return (
            self.cross_fitted
            and self.config.recalibration is RecalibrationMethod.LOGISTIC
            and len(np.unique(self.outcome)) == 2
        )

    @property
    def prevalence(self) -> float:
        """Share of the cured."""
        return float(self.outcome.mean())

    def parts(self) -> list[Part]:
        """The members with their patients."""
        if not self.cross_fitted:
            everyone = np.ones(len(self.fold), dtype=bool)
            return [Part(FULL, 0, everyone, everyone)]
        return [
            Part(fold_member(int(fold)), int(fold) - 1, self.fold != fold, self.fold == fold)
            for fold in np.unique(self.fold)
        ]

    def joined(self, found: Mapping[str, Array]) -> Array:
        """Values (n,) of all patients from those (m,) that each member gives to its own."""
        result = np.zeros(len(self.fold))
        for part in self.parts():
            result[part.predicted] = found[part.name]
        return result

    def scale(self, odds: Array) -> Scale:
        """How a member's log-odds are standardized, from those of its fold (m,), without outcomes."""
        spread = float(odds.std())
        return Scale(mean=float(odds.mean()), spread=spread if spread > _SMALLEST_SPREAD else 0.0)

    def recalibrate(self, name: Model, odds: Array) -> Recalibration:
        """Recalibration of training patients' log-odds (n,)."""
        found = recalibration.fit(odds, self.outcome == 1)
        logger.info(
            "%s: recalibrated, intercept %.3f, slope %.3f", name, found.intercept, found.slope
        )
        if not found.signal:
            logger.warning("%s: no signal in the training set, the prevalence is predicted", name)
        return Recalibration(intercept=found.intercept, slope=found.slope)

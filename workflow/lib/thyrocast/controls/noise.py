"""Noise in place of embeddings, and a feature that shows the outcome among the embeddings."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from thyrocast import seeds
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.control_names import Control, ControlFinding, ControlKind
from thyrocast.contract.controls import EMBEDDING_CONTROLS
from thyrocast.contract.names import Status
from thyrocast.controls import permuting
from thyrocast.controls.inputs import ControlSplit
from thyrocast.signature import lasso_head, ridge_head

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]

#: Draws of noise.
DRAWS = 20
#: Distance of cured and not cured in the planted feature, in standard deviations: an AUC of .98.
DISTANCE = 3.0
#: The planted feature is found if the AUC is at least this.
FOUND = 0.9


def run(split: ControlSplit, config: SignatureConfig, reported: bool, seed: int) -> pd.DataFrame:
    """Score ridge on noise, and LASSO on embeddings with a planted feature; return `EMBEDDING_CONTROLS`.

    Parameters
    ----------
    split
        Training and test patients.
    config
        The signature's block of the config.
    reported
        Whether the test set may be reported.
    seed : int
        The study's seed.
    """
    outcomes = (split.train.outcome, split.test.outcome)
    rows: list[dict[str, Any]] = []
    for control, kind in (
        (Control.NOISE, ControlKind.NEGATIVE),
        (Control.PLANTED_FEATURE, ControlKind.POSITIVE),
    ):
        row: dict[str, Any] = dict.fromkeys(EMBEDDING_CONTROLS.names) | {
            "design": split.design, "split": split.split, "control": control.value, "kind": kind.value,
            "draws": 0, "finding": ControlFinding.NONE.value, "status": Status.ESTIMATED.value, "note": "",
        }  # fmt: skip
        if not reported:
            row |= {"status": Status.SUPPRESSED.value, "note": "too few test patients"}
        elif any(len(np.unique(outcome)) < 2 for outcome in outcomes):
            row |= {"status": Status.NOT_ESTIMABLE.value, "note": "one outcome only"}
        else:
            own = seeds.derive(seed, split.design, split.split, control)
            found = _noise(split, own) if control is Control.NOISE else _planted(split, config, own)
            row |= {"n": len(outcomes[1]), "events": int(outcomes[1].sum()), **found}
        rows.append(row)
    return io.build(EMBEDDING_CONTROLS, rows)


def _noise(split: ControlSplit, seed: int) -> dict[str, Any]:
    """Mean AUC of ridge on normal noise of the embeddings' shape, with its 99 % interval."""
    random = np.random.default_rng(seed)
    areas = []
    for _ in range(DRAWS):
        train, test = (
            random.normal(size=side.embeddings.shape) for side in (split.train, split.test)
        )
        intercept, weights = ridge_head.fit(train, split.train.outcome)
        areas.append(permuting.areas(split.test.outcome, (intercept + test @ weights)[None])[0])
    mean = float(np.mean(areas))
    margin = float(stats.t.ppf(0.995, DRAWS - 1) * np.std(areas, ddof=1) / np.sqrt(DRAWS))
    chance = mean - margin <= 0.5
    finding = ControlFinding.CHANCE if chance else ControlFinding.ABOVE_CHANCE
    return {
        "auc": mean, "ci_low": max(0.0, mean - margin), "ci_high": min(1.0, mean + margin), "draws": DRAWS,
        "finding": finding.value,
    }  # fmt: skip


def _planted(split: ControlSplit, config: SignatureConfig, seed: int) -> dict[str, Any]:
    """AUC of the LASSO if one of the features shows the outcome."""
    random = np.random.default_rng(seed)
    place = int(random.integers(split.train.embeddings.shape[1]))
    scale = float(split.train.embeddings[:, place].std()) or 1.0

    def planted(embeddings: Array, outcome: Array) -> Array:
        changed = embeddings.copy()
        changed[:, place] = scale * (DISTANCE * outcome + random.normal(size=len(outcome)))
        return changed

    train, test = (planted(side.embeddings, side.outcome) for side in (split.train, split.test))
    intercept, weights = lasso_head.fit(train, split.train.outcome, config, seed)
    area = float(permuting.areas(split.test.outcome, (intercept + test @ weights)[None])[0])
    finding = ControlFinding.FOUND if area >= FOUND else ControlFinding.NOT_FOUND
    return {"auc": area, "draws": 1, "finding": finding.value}

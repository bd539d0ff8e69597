"""Center probe: how well embeddings and images predict the center of a patient.

What predicts the center can represent its cure rate, its patients and its camera. A model that uses it
fails in the next hospital.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io
from thyrocast.contract.control_names import Harmonized, ProbeSource
from thyrocast.contract.controls import CENTER_PROBE
from thyrocast.contract.names import Status
from thyrocast.controls import permuting
from thyrocast.controls.learners import FOLDS, Learner
from thyrocast.statistics import partition
from thyrocast.statistics.inputs import NotEstimableError

Array = NDArray[np.float64]
Texts = NDArray[np.str_]

#: Learners by source and harmonization.
Probed = Mapping[tuple[ProbeSource, Harmonized], Learner]
#: Bootstrap samples of an interval.
RESAMPLES = 1000


def run(center: Texts, sources: Probed, least: MinimumCountConfig, seed: int) -> pd.DataFrame:
    """Predict the center of n patients from each source by cross-validation; return `CENTER_PROBE`.

    Parameters
    ----------
    center : ndarray of str, (n,)
    sources
        Learners of the same n patients, by source and by how centers were made alike before.
    least
        Centers with fewer patients than this are left out.
    seed : int
        The study's seed.
    """
    names, counts = np.unique(center, return_counts=True)
    kept = [str(name) for name, count in zip(names, counts, strict=True) if count >= least.patients]
    used = np.isin(center, kept)
    rows = []
    for (source, harmonized), learn in sources.items():
        row = dict.fromkeys(CENTER_PROBE.names) | {
            "source": source.value, "harmonization": harmonized.value, "centers": len(kept), "status": Status.ESTIMATED.value,
            "note": "",
        }  # fmt: skip
        if len(kept) < 2:
            note = f"fewer than two training centers with {least.patients} patients"
            rows.append(row | {"status": Status.NOT_ESTIMABLE.value, "note": note})
            continue
        try:
            rows.append(row | _probe(learn, used, center, kept, seeds.derive(seed, "center-probe")))
        except NotEstimableError as error:
            rows.append(row | {"status": Status.NOT_ESTIMABLE.value, "note": str(error)})
    return io.build(CENTER_PROBE, rows)


def _probe(
    learn: Learner, used: NDArray[np.bool_], center: Texts, names: list[str], seed: int
) -> dict[str, Any]:
    """Accuracy averaged over centers, and AUC of each center against the others, averaged."""
    truth = np.array([names.index(name) for name in center[used]])
    members = (np.arange(len(names))[:, None] == truth).astype(np.float64)
    folds = partition.deal(truth, FOLDS, seed)
    rows = np.flatnonzero(used)
    odds = np.empty_like(members)
    for fold in np.unique(folds):
        known, new = np.zeros(len(used), dtype=bool), np.zeros(len(used), dtype=bool)
        known[rows[folds != fold]] = new[rows[folds == fold]] = True
        odds[:, folds == fold] = learn(known, new, members[:, folds != fold])
    right = (odds.argmax(axis=0) == truth).astype(np.float64)
    random = np.random.default_rng(seed)
    own = [right[truth == number] for number in range(len(names))]
    drawn = np.mean([random.choice(one, (RESAMPLES, len(one))).mean(axis=1) for one in own], axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "accuracy": float(np.mean([one.mean() for one in own])),
        "ci_low": float(low),
        "ci_high": float(high),
        "chance": 1 / len(names),
        "auc": float(permuting.areas(members, odds).mean()),
        "n": int(used.sum()),
    }

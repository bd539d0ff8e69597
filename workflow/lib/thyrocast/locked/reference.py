"""What a locked model says about its training patients: aggregates, without small cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import columns, io
from thyrocast.contract.deployment import RANGES, REFERENCE
from thyrocast.contract.manifest import TrainingPatients

#: Acquisition and quality of an image of which the training range is kept; all are positive amounts.
RANGED = ("pixel_mm", "duration_s", "delay_min", "tc_activity_mbq", "q_gross_counts", "q_snr")
#: A range is widened on either side by this power of its ratio, and at least by this factor.
WIDER, LEAST_FACTOR = 0.25, 1.05
_SHARES = (5, 25, 50, 75, 95)


def shown(counts: Mapping[str, int], least: int) -> set[str]:
    """Return the cells of a table that may be shown.

    Cells with fewer than ``least`` are hidden. If all hidden cells together have fewer, they could be
    derived from the total: then the next smallest are hidden too.
    """
    ascending = sorted(counts, key=lambda name: (counts[name], name))
    hidden: list[str] = []
    total = 0
    for name in ascending:
        if counts[name] >= least and (total == 0 or total >= least):
            break
        hidden.append(name)
        total += counts[name]
    return set(counts) - set(hidden)


def training_cohort(
    training: pd.DataFrame, least: MinimumCountConfig
) -> dict[str, TrainingPatients]:
    """Return the numbers of training patients, and of the cured among them, by center.

    Parameters
    ----------
    training
        Training patients: rows of `contract.cohort.COHORT`.
    least
        Smallest numbers that may be shown.
    """
    counts = {str(name): len(rows) for name, rows in training.groupby("center")}
    visible = shown(counts, least.patients)
    found = {}
    for center, rows in training.groupby("center"):
        cured = int((rows["outcome"] == 1).sum())
        enough = min(cured, len(rows) - cured) >= least.outcomes
        show = str(center) in visible
        found[str(center)] = TrainingPatients(
            patients=len(rows) if show else None, cured=cured if show and enough else None
        )
    return found


def distributions(
    training: pd.DataFrame, probabilities: Mapping[str, pd.Series[float]], least: int
) -> pd.DataFrame:
    """Return the table `REFERENCE`.

    Parameters
    ----------
    training
        As in `training_cohort`.
    probabilities
        Cross-fitted probabilities of the training patients by model.
    least
        Fewest patients of a level, and on either side of a quantile.
    """
    rows: list[dict[str, object]] = []
    images = (*columns.QUALITY, *columns.QUANTITIES, *columns.READING_PREDICTORS)
    names = (*columns.CLINICAL, *columns.ACQUISITION, *images)
    for name in names:
        values = training[name].dropna()
        if pd.api.types.is_numeric_dtype(values.dtype):
            rows += _numbers(name, values.astype(float), len(training), least)
        else:
            rows += _levels(name, values, len(training), least)
    for model, values in probabilities.items():
        rows += _numbers(f"probability of {model}", values, len(training), least)
    return io.build(REFERENCE, [dict.fromkeys(REFERENCE.names) | row for row in rows])


def _numbers(name: str, values: pd.Series[float], of: int, least: int) -> list[dict[str, object]]:
    n = len(values)
    if n < least:
        return []
    row: dict[str, object] = {"variable": name, "level": "", "of": of}
    row["n"] = n if of - n == 0 or of - n >= least else None
    row |= {"mean": float(values.mean()), "sd": float(values.std(ddof=1)) if n > 1 else None}
    for share in _SHARES:
        decided = min(share, 100 - share) / 100 * n >= least
        row[f"q{share:02d}"] = float(np.percentile(values, share)) if decided else None
    return [row]


def _levels(name: str, values: pd.Series[str], of: int, least: int) -> list[dict[str, object]]:
    counts = {str(level): int(n) for level, n in values.value_counts().items()}
    counts["missing"] = of - len(values)
    visible = shown({level: n for level, n in counts.items() if n}, least)
    return [
        {"variable": name, "level": level, "n": counts[level], "of": of}
        for level in sorted(visible)
    ]


def ranges(training: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the table `RANGES`: where the acquisition of the training patients lies.

    From the ``least``-th smallest to the ``least``-th largest value, so that no limit is the value of one
    patient who can be named, widened on either side by a quarter of its length on a logarithmic
    scale, and at least by 5 %.
    """
    rows = []
    for name in RANGED:
        values = np.sort(training[name].dropna().to_numpy(dtype=np.float64))
        values = values[values > 0]
        if len(values) < 2 * least:
            continue
        low, high = values[least - 1], values[-least]
        factor = max((high / low) ** WIDER, LEAST_FACTOR)
        rows.append({"variable": name, "low": low / factor, "high": high * factor})
    return io.build(RANGES, rows)


def outside(patients: pd.DataFrame, limits: pd.DataFrame) -> list[list[str]]:
    """Return the variables of each patient that are outside of the training range.

    Parameters
    ----------
    patients
        n rows of `contract.cohort.COHORT`.
    limits
        Table `RANGES`. A missing value is not outside.
    """
    found: list[list[str]] = [[] for _ in range(len(patients))]
    for name, low, high in zip(limits["variable"], limits["low"], limits["high"], strict=True):
        values = patients[str(name)].to_numpy(dtype=np.float64, na_value=np.nan)
        for position in np.flatnonzero((values < low) | (values > high)):
            found[position].append(str(name))
    return found

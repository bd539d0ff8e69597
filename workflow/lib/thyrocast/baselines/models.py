"""Models that the image is measured against: ridge logistic regressions on tabled predictors.

A fitted comparator is a plain dictionary, so that it goes to JSON and predicts anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast.baselines import imputation, ridge
from thyrocast.contract import columns as contract_columns
from thyrocast.statistics import partition

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Columns = Mapping[str, Sequence[str]]

# Amounts and ratios, skewed to the right, that act by their multiples: entered as logarithms.
LOGARITHMIC = frozenset(
    {
        "gland_mass",
        "activity",
        "activity_per_gram",
        "trab",
        "ft4",
        "ft3",
        "q_counts",
        "q_rate",
        "q_uptake",
        "q_area_right",
        "q_area_left",
        "q_mass",
        "q_to_background",
        "q_to_salivary",
        "q_snr",
    }
)
# A text column with more different values than this is free text, not a predictor.
MOST_LEVELS = 6


def derive(columns: Columns) -> dict[str, list[str]]:
    """Add predictors that follow from others: administered activity per gram of gland (MBq/g)."""
    result = {name: list(cells) for name, cells in columns.items()}
    if "activity" in columns and "gland_mass" in columns:
        activity, mass = _numbers(columns["activity"]), _numbers(columns["gland_mass"])
        if activity is not None and mass is not None:
            usable = np.isfinite(activity) & np.isfinite(mass) & (mass > 0)
            share = np.divide(activity, mass, out=np.full(len(mass), np.nan), where=usable)
            result["activity_per_gram"] = ["" if np.isnan(v) else repr(float(v)) for v in share]
    return result


def predictors(
    name: str, columns: Mapping[str, list[str]], probabilities: Mapping[str, Array]
) -> dict[str, list[str]]:
    """Cells that a comparator works with.

    Parameters
    ----------
    name
        ``handcrafted`` (quantities measured in the image), ``clinical`` (what is known without it)
        or ``combined`` (both, and the log-odds of network and signature).
    columns
        The cohort's.
    probabilities
        P(cured) by ``network`` and ``signature``, of the same patients.
    """
    quantities = {name: columns[name] for name in contract_columns.QUANTITIES if name in columns}
    clinical = {name: columns[name] for name in contract_columns.CLINICAL if name in columns}
    if name == "handcrafted":
        return quantities
    clinical = derive(clinical)
    if name == "clinical":
        return clinical
    odds = {
        f"{model}_logit": [repr(float(value)) for value in ridge.bounded_odds(probabilities[model])]
        for model in ("network", "signature")
    }
    return {**clinical, **quantities, **odds}


def fit(
    columns: Columns,
    outcome: Array,
    tuning_folds: int,
    imputations: int,
    seed: int,
    name: str | None,
) -> dict[str, Any]:
    """Fit a comparator to training patients.

    Parameters
    ----------
    columns
        Training patients' predictors as text, empty where missing; text columns with few different
        values become indicators.
    outcome : (n,) of 0 and 1
    tuning_folds
        Folds on which the penalty is chosen.
    imputations
        How often missing values are filled in; 1 where none is missing.
    seed
    name
        Of the model, for the log; ``None`` says nothing there.

    Returns
    -------
    Plain numbers for `predict`: ``coding`` (of the predictors; empty where no column says
    anything), ``penalty`` and ``fits`` (one for each imputation). Where there is no predictor, or
    one outcome only, the prevalence is predicted.
    """
    coding, dropped = _learn_coding(columns)
    if name and dropped:
        logger.info("%s: without %s", name, "; ".join(dropped))
    if not coding or len(np.unique(outcome)) < 2:
        if name:
            logger.warning("%s: the prevalence is predicted, there is nothing to learn", name)
        bounded = min(max(float(outcome.mean()), 1e-6), 1 - 1e-6)
        constant = float(np.log(bounded / (1 - bounded)))
        part = {"mean": [], "covariance": [], "intercept": constant, "coefficients": []}
        return {"coding": coding, "penalty": None, "fits": [part]}
    values = _encode(columns, coding)
    missing = bool(np.isnan(values).any())
    generator = np.random.default_rng(seed)
    penalty, fits = None, []
    for _ in range(imputations if missing else 1):
        sample = generator.integers(0, len(values), len(values)) if missing else slice(None)
        normal = imputation.fit(values[sample])
        filled = imputation.complete(values, normal, generator)
        if penalty is None:
            folds = partition.tuning_folds(outcome, tuning_folds, seed)
            penalty = ridge.choose_penalty(filled, outcome, folds)
        weights = ridge.fit(filled, outcome, penalty)
        fits.append(
            {
                "mean": normal.mean.tolist(),
                "covariance": normal.covariance.tolist(),
                "intercept": float(weights[0]),
                "coefficients": weights[1:].tolist(),
            }
        )
    return {"coding": coding, "penalty": penalty, "fits": fits}


def predict(model: Mapping[str, Any], columns: Columns, count: int) -> Array:
    """P(cured) (n,): log-odds are averaged over the imputations.

    Parameters
    ----------
    model
        What `fit` returned.
    columns
        Patients' predictors as text; a level or a value that training did not see is missing.
    count
        Number of patients.
    """
    linear = np.zeros(count)
    for part in model["fits"]:
        linear += part["intercept"]
        if part["coefficients"]:
            normal = imputation.Normal(np.array(part["mean"]), np.array(part["covariance"]))
            filled = imputation.complete(_encode(columns, model["coding"]), normal)
            linear += filled @ np.array(part["coefficients"])
    return np.asarray(expit(linear / len(model["fits"])))


def _numbers(cells: Sequence[str]) -> Array | None:
    """Cells as numbers, NaN where empty; ``None`` where a cell is text."""
    try:
        values = np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    except ValueError:
        return None
    return np.where(np.isfinite(values), values, np.nan)


def _learn_coding(columns: Columns) -> tuple[list[dict[str, Any]], list[str]]:
    """How each predictor becomes a standardized number, and which ones cannot and why."""
    coding: list[dict[str, Any]] = []
    dropped: list[str] = []
    for column, cells in columns.items():
        values = _numbers(cells)
        if values is None:
            present = [cell for cell in cells if cell]
            levels = sorted(set(present))
            if not 2 <= len(levels) <= MOST_LEVELS:
                dropped.append(f"{column} ({len(levels)} different values)")
                continue
            # The most frequent level is the reference.
            levels.sort(key=lambda level: (-present.count(level), level))
            coding.extend(
                _scaled({"column": column, "level": level, "levels": levels}, columns)
                for level in levels[1:]
            )
            continue
        seen = values[~np.isnan(values)]
        if len(seen) == 0:
            dropped.append(f"{column} (no value)")
            continue
        if np.ptp(seen) == 0:
            dropped.append(f"{column} (one value)")
            continue
        part: dict[str, Any] = {"column": column}
        if column in LOGARITHMIC and (seen >= 0).all():
            # Zero stands for "below the limit of detection".
            part["floor"] = float(seen[seen > 0].min() / 2)
        coding.append(_scaled(part, columns))
    return coding, dropped


def _scaled(part: dict[str, Any], columns: Columns) -> dict[str, Any]:
    values = _raw(part, columns)
    seen = values[~np.isnan(values)]
    return {**part, "center": float(seen.mean()), "scale": float(seen.std()) or 1.0}


def _raw(part: Mapping[str, Any], columns: Columns) -> Array:
    cells = columns[part["column"]]
    if "level" in part:
        return np.array(
            [float(c == part["level"]) if c in part["levels"] else np.nan for c in cells]
        )
    values = _numbers(cells)
    if values is None:  # text where training had numbers
        values = np.array([_number(cell) for cell in cells])
    if "floor" in part:
        return np.asarray(np.log(np.maximum(values, part["floor"])))
    return values


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) else float("nan")


def _encode(columns: Columns, coding: Sequence[Mapping[str, Any]]) -> Array:
    """Standardized predictors (n, p), NaN where missing."""
    parts = [(_raw(part, columns) - part["center"]) / part["scale"] for part in coding]
    return np.column_stack(parts)

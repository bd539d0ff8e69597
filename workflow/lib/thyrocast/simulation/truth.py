"""The best discrimination that a model can reach: that of the true risk."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.config.simulation import RiskConfig
from thyrocast.contract.names import SimulatedStatus
from thyrocast.simulation.physiology import TERMS
from thyrocast.statistics.discrimination import auc
from thyrocast.statistics.inputs import NotEstimableError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Discrimination:
    """Discrimination of the true risk in a group of patients.

    Attributes
    ----------
    simulated
        Patients.
    n, events
        Patients with image, row in the table and outcome, and those of them who were cured.
    prevalence, mean_risk
        Share of cured patients, and mean probability of cure.
    auc
        AUC of the true risk for the outcomes that were drawn; None if all have the same outcome.
    expected_auc
        The same over all outcomes that could have been drawn.
    """

    simulated: int
    n: int
    events: int
    prevalence: float
    mean_risk: float
    auc: float | None
    expected_auc: float


@dataclass(frozen=True)
class Summary:
    """Summary of a simulated cohort.

    Attributes
    ----------
    simulated
        Always true: no patient exists.
    seed
        The cohort's seed.
    formula
        The true risk in words.
    intercept, coefficients
        Intercept and coefficients of the true risk.
    centers, overall
        Discrimination by center and of all patients.
    """

    simulated: bool
    seed: int
    formula: str
    intercept: float
    coefficients: dict[str, float]
    centers: dict[str, Discrimination]
    overall: Discrimination


def expected_auc(risk: Values) -> float:
    """Return the AUC of the true risk (n,) over all outcomes that could have been drawn."""
    weight = risk[:, None] * (1.0 - risk[None, :])
    right = (risk[:, None] > risk[None, :]) + 0.5 * (risk[:, None] == risk[None, :])
    np.fill_diagonal(weight, 0.0)
    return float((weight * right).sum() / weight.sum())


def discrimination(table: pd.DataFrame) -> Discrimination:
    """Compute the discrimination of the true risk in a TRUTH table."""
    complete = table[table["status"] == SimulatedStatus.COMPLETE]
    risk, outcome = complete["probability"].to_numpy(), complete["outcome"].to_numpy()
    value: float | None
    try:
        value = round(auc(outcome, risk), 4)
    except NotEstimableError:
        value = None
    return Discrimination(
        simulated=len(table),
        n=len(complete),
        events=int(outcome.sum()),
        prevalence=round(float(outcome.mean()), 4),
        mean_risk=round(float(risk.mean()), 4),
        auc=value,
        expected_auc=round(expected_auc(risk), 4),
    )


def summarize(centers: Mapping[str, pd.DataFrame], risk: RiskConfig, seed: int) -> Summary:
    """Summarize a simulated cohort.

    Parameters
    ----------
    centers
        The TRUTH table of each center.
    risk
        Intercept and coefficients of the true risk.
    seed
        The cohort's seed.
    """
    coefficients: dict[str, float] = risk.coefficients.plain()
    terms = " ".join(
        f"{coefficients[name]:+g} x {words}"
        if words.startswith("log2")
        else f"{coefficients[name]:+g} x ({words})"
        for name, words in TERMS.items()
    )
    return Summary(
        simulated=True,
        seed=seed,
        formula=f"logit P(cured) = {risk.intercept:g} {terms}",
        intercept=risk.intercept,
        coefficients=coefficients,
        centers={name: discrimination(table) for name, table in centers.items()},
        overall=discrimination(pd.concat(list(centers.values()), ignore_index=True)),
    )

"""What a model could reach at best: the discrimination of the true risk."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast.simulation.physiology import TERMS

Values = NDArray[np.float64]


def auc(outcome: Values, risk: Values) -> float | None:
    """Share of pairs (cured, not cured) that ``risk`` ranks rightly, ties half; None without pairs."""
    cured, others = risk[outcome == 1], risk[outcome == 0]
    if not len(cured) or not len(others):
        return None
    ordered = np.sort(others)
    below = np.searchsorted(ordered, cured, side="left")
    upto = np.searchsorted(ordered, cured, side="right")
    return float((below + upto).sum() / 2 / (len(cured) * len(others)))


def expected_auc(risk: Values) -> float:
    """AUC of the true risk over all outcomes that could have been drawn, not just the one that was."""
    weight = risk[:, None] * (1.0 - risk[None, :])
    right = (risk[:, None] > risk[None, :]) + 0.5 * (risk[:, None] == risk[None, :])
    np.fill_diagonal(weight, 0.0)
    return float((weight * right).sum() / weight.sum())


def _facts(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    complete = [row for row in rows if row["status"] == "complete"]
    risk = np.array([float(row["probability"]) for row in complete])
    outcome = np.array([float(row["outcome"]) for row in complete])
    value = auc(outcome, risk)
    return {
        "simulated": len(rows),
        "n": len(complete),
        "events": int(outcome.sum()),
        "prevalence": round(float(outcome.mean()), 4),
        "mean_risk": round(float(risk.mean()), 4),
        "auc": None if value is None else round(value, 4),
        "expected_auc": round(expected_auc(risk), 4),
    }


def summarize(
    centers: Mapping[str, Sequence[Mapping[str, str]]], outcome: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Summary of a simulated cohort.

    Parameters
    ----------
    centers
        Each center's rows of its truth file.
    outcome
        Intercept and coefficients of the true risk.
    seed
        The cohort's seed.

    Returns
    -------
    dict
        ``centers`` and ``overall``: patients with image, table row and outcome (``n``), cured
        ones (``events``), ``auc`` of the true risk for the outcomes drawn and ``expected_auc``
        over all that could have been; ``formula`` in words, ``intercept``, ``coefficients``.
    """
    terms = " ".join(
        f"{outcome['coefficients'][name]:+g} x {words}"
        if words.startswith("log2")
        else f"{outcome['coefficients'][name]:+g} x ({words})"
        for name, words in TERMS.items()
    )
    return {
        "simulated": True,
        "seed": seed,
        "formula": f"logit P(cured) = {outcome['intercept']:g} {terms}",
        "intercept": outcome["intercept"],
        "coefficients": dict(outcome["coefficients"]),
        "centers": {name: _facts(rows) for name, rows in centers.items()},
        "overall": _facts([row for rows in centers.values() for row in rows]),
    }

"""Columns of the evaluation's tables, and how their cells are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = Sequence[object]

KEY = ("design", "split", "model", "set", "group")
COLUMNS: dict[str, tuple[str, ...]] = {
    "performance": (
        *KEY, "metric", "estimate", "ci_low", "ci_high", "ci_method", "n", "events",
    ),
    "roc": (*KEY, "fpr", "tpr", "tpr_low", "tpr_high"),
    "calibration": (*KEY, "predicted", "observed", "ci_low", "ci_high"),
    "calibration_groups": (*KEY, "bin", "predicted", "observed", "ci_low", "ci_high", "n"),
    "decision_curve": (
        *KEY, "threshold", "net_benefit", "ci_low", "ci_high",
        "interventions_avoided", "avoided_low", "avoided_high",
    ),
    "comparisons": (
        "design", "split", "set", "model_a", "model_b", "metric",
        "difference", "ci_low", "ci_high", "p_value", "method", "p_holm",
    ),
    "thresholds": ("design", "split", "model", "rule", "threshold"),
    "predictions": (
        "design", "split", "model", "set", "patient", "center", "outcome", "probability",
    ),
    "pooled": (
        "design", "model", "metric", "method", "estimate", "ci_low", "ci_high",
        "pi_low", "pi_high", "tau2", "i2", "q", "q_p", "k", "detail",
    ),
    "pooled_centers": (
        "design", "model", "metric", "method", "center", "estimate", "ci_low", "ci_high",
        "weight", "n", "events", "without", "without_low", "without_high",
    ),
    "prediction_sets": (
        "design", "split", "model", "patient", "center", "outcome", "probability",
        "p_not_cured", "p_cured", "prediction",
    ),
    "sample_size": (
        "purpose", "criterion", "required_n", "required_events",
        "available_n", "available_events", "sufficient", "detail",
    ),
}  # fmt: skip


def number(value: float | None) -> float | None:
    """Cut a number to 12 significant digits; None stays an empty cell.

    Raises
    ------
    ValueError
        For NaN or an infinite value, which no table of this project holds.
    """
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError(f"a table was to hold {value}")
    return float(f"{value:.12g}")
